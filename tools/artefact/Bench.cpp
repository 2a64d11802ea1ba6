//===- Bench.cpp - times a kernel of an artefact -------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "arrays/DeviceBench.h"
#include "arrays/KernelArrays.h"
#include "artefact/Loaded.h"
#include "artefact/Run.h"

#include <cstdio>
#include <fstream>

using namespace qdelta::artefact;
using namespace qdelta::tools;

/// Writes `{"results": [{...}]}`, or prints it for "-".
static void writeJson(const std::string &path, const Loaded &loaded,
                      const Options &options, const std::string &measured) {
  if (path.empty())
    return;
  std::string shape;
  for (const auto &[name, size] : options.sizes)
    shape += (shape.empty() ? "" : ", ") + quoteJson(name) + ": " +
             std::to_string(size);
  std::string text = "{\"results\": [{\"function\": " +
                     quoteJson(qdeltaKernelGetName(loaded.kernel)) +
                     ", \"engine\": " + quoteJson(options.engine) +
                     ", \"shape\": {" + shape + "}, " + measured + "}]}\n";
  if (path == "-") {
    std::fputs(text.c_str(), stdout);
    return;
  }
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file)
    throw Failure("cannot write " + path);
}

/// Runs once; an emulator's time says nothing, what it counts does.
static void count(const Loaded &loaded, const Options &options,
                  qdeltaLaunchOptions launch, std::FILE *table) {
  qdeltaCounts counts = {};
  counts.struct_size = sizeof(counts);
  launch.counts = &counts;
  std::vector<Array> arrays = loaded.makeArrays({}, options.sizes, 0);
  int64_t tokens = 0;
  for (size_t i = 0; i < arrays.size(); ++i)
    if (loaded.arguments[i]->role == QDELTA_ROLE_OUTPUT)
      tokens = arrays[i].shape[0] * arrays[i].shape[1] * arrays[i].shape[2];
  if (tokens == 0)
    throw Failure("expected at least one token to count");
  check(launchArrays(loaded.module, loaded.kernel, arrays, launch));
  std::fprintf(table, "%s on emulated, which has no time; %s\n",
               qdeltaKernelGetName(loaded.kernel),
               formatCounts(counts, tokens).c_str());
  writeJson(options.json, loaded, options, toJson(counts, tokens));
}

static void benchOrThrow(const Options &options) {
  qdeltaLaunchOptions launch;
  check(makeLaunchOptions(options, options.engine, launch));
  if (launch.engine == QDELTA_ENGINE_CPU)
    throw Failure("engine cpu is timed from a source; engines cuda and "
                  "emulated from artefacts");
  if (options.repeat < 1)
    throw Failure("expected --repeat to be at least 1, but got " +
                  std::to_string(options.repeat));
  if (options.expected.empty())
    throw Failure("expected --expected with a folder that qdelta-run "
                  "--save-expected wrote: nothing is timed that is not known "
                  "to be right");
  Loaded loaded(options);
  Expectation expectation = loadExpectation(options.expected, loaded);
  std::vector<Array> arrays =
      loaded.makeArrays({}, expectation.sizes, expectation.seed);
  check(launchArrays(loaded.module, loaded.kernel, arrays, launch));
  auto errors = expectation.compare(loaded.outputsOf(arrays), 2);
  std::FILE *table = options.json == "-" ? stderr : stdout;
  printChecked(errors, expectation.products, options.engine, options.expected,
               table);
  if (launch.engine == QDELTA_ENGINE_EMULATED)
    return count(loaded, options, launch, table);
  DeviceTimes times;
  check(timeOnDevice(loaded.kernel, options.sizes, options.target,
                     options.repeat, times));
  std::fprintf(table, "%s\n", formatTimes(times).c_str());
  writeJson(options.json, loaded, options, "\"times\": " + toJson(times));
}

int qdelta::artefact::benchArtefact(const Options &options) {
  return reportingErrors(benchOrThrow, options);
}

//===- Run.cpp - launches a kernel of an artefact ------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "artefact/Run.h"
#include "arrays/KernelArrays.h"
#include "artefact/Loaded.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace qdelta::artefact;
using namespace qdelta::tools;

static void checkNames(const std::map<std::string, std::string> &files,
                       const Loaded &loaded, bool written, const char *option) {
  for (const auto &[name, file] : files) {
    std::string known;
    bool found = false;
    for (const qdeltaArgument *argument : loaded.arguments)
      if (isWritten(*argument) == written) {
        found |= argument->name == name;
        known += std::string(known.empty() ? "" : ", ") + argument->name;
      }
    if (!found)
      throw Failure(std::string(option) + " got unknown name " + name +
                    "; known are " + known);
  }
}

static void printOutputs(const Loaded &loaded, const std::vector<Array> &arrays,
                         const Options &options) {
  for (size_t i = 0; i < arrays.size(); ++i) {
    if (!isWritten(*loaded.arguments[i]))
      continue;
    std::string name = loaded.arguments[i]->name;
    double square = 0;
    for (double x : arrays[i].data)
      square += x * x;
    double count = std::max<double>(1, double(arrays[i].data.size()));
    std::printf("%s %s rms %.6g\n", name.c_str(),
                formatShape(arrays[i].shape).c_str(),
                std::sqrt(square / count));
    if (auto output = options.outputs.find(name);
        output != options.outputs.end())
      check(writeNpy(output->second, arrays[i]));
  }
}

static void printCounts(const std::map<std::string, int64_t> &sizes,
                        const qdeltaCounts &counts) {
  int64_t tokens = sizes.at("B") * sizes.at("T");
  tokens *= sizes.count("HV") ? sizes.at("HV") : sizes.at("H");
  if (tokens > 0)
    std::printf("%s\n", formatCounts(counts, tokens).c_str());
}

static void printTitle(const Loaded &loaded, const Options &options) {
  std::printf("%s on %s of %s\n", qdeltaKernelGetName(loaded.kernel),
              options.engine.c_str(), qdeltaModuleGetContents(loaded.module));
}

/// Runs on the inputs of a folder; compares with it, or with another engine.
static void runExpected(const Loaded &loaded, const Options &options,
                        const qdeltaLaunchOptions &launch) {
  if (!options.inputs.empty() || !options.sizes.empty() || options.seed != 0)
    throw Failure("--expected says what the inputs are, so --input, --seed and "
                  "--shape do not go with it");
  Expectation expectation = loadExpectation(options.expected, loaded);
  std::string against = options.expected;
  double allowed = 2;
  Options given;
  if (expectation.isPacked)
    given.inputs["cu_seqlens"] = boundsFile(options.expected);
  if (!options.checkAgainst.empty()) {
    qdeltaLaunchOptions other;
    check(makeLaunchOptions(options, options.checkAgainst, other));
    std::vector<Array> arrays =
        loaded.makeArrays(given, expectation.sizes, expectation.seed);
    check(launchArrays(loaded.module, loaded.kernel, arrays, other));
    std::erase_if(arrays, [&, i = size_t(0)](const Array &) mutable {
      return !isWritten(*loaded.arguments[i++]);
    });
    for (size_t i = 0; i < arrays.size(); ++i)
      expectation.outputs[i].values = arrays[i];
    against = options.checkAgainst;
    allowed = 4;
  }
  std::vector<Array> arrays =
      loaded.makeArrays(given, expectation.sizes, expectation.seed);
  check(launchArrays(loaded.module, loaded.kernel, arrays, launch));
  printTitle(loaded, options);
  printChecked(expectation.compare(loaded.outputsOf(arrays), allowed),
               expectation.products, options.engine, against);
}

static void runOrThrow(const Options &options) {
  qdeltaLaunchOptions launch;
  check(makeLaunchOptions(options, options.engine, launch));
  if (!options.emulate.empty() && options.engine != "emulated" &&
      options.checkAgainst != "emulated")
    throw Failure("--emulate goes with engine emulated, but the engine is " +
                  options.engine);
  if (!options.checkAgainst.empty() && options.expected.empty())
    throw Failure("--check-against goes with --expected for an artefact: a "
                  "folder that says how wrong an engine may be");
  Loaded loaded(options);
  checkNames(options.inputs, loaded, false, "--input");
  checkNames(options.outputs, loaded, true, "--output");
  if (!options.expected.empty())
    return runExpected(loaded, options, launch);
  std::vector<Array> arrays =
      loaded.makeArrays(options, options.sizes, options.seed);
  qdeltaCounts counts = {};
  counts.struct_size = sizeof(counts);
  launch.counts = &counts;
  check(launchArrays(loaded.module, loaded.kernel, arrays, launch));
  printTitle(loaded, options);
  if (launch.engine == QDELTA_ENGINE_EMULATED)
    printCounts(options.sizes, counts);
  printOutputs(loaded, arrays, options);
}

int qdelta::artefact::runArtefact(const Options &options) {
  return reportingErrors(runOrThrow, options);
}

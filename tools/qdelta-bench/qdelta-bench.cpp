//===- qdelta-bench.cpp - check kernels, then time them ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "data/CompileLine.h"
#include "data/Failure.h"
#include "data/Source.h"

#include "llvm/Support/InitLLVM.h"

using namespace qdelta;
using namespace qdelta::tools;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace cl = llvm::cl;

static constexpr char overview[] = R"(qdelta: time recurrences

Compiles each case, compares its kernel with the float64 reference, and only
then times it, taking turns with a loop of fused multiply-adds that measures the
machine's peak. "x floor" is the time over that of 2 (reads + writes + mixes) K V
flop per token and head at the peak of the same moment, times the threads. Base
reads are counted once, a mix adds one state to another, and a list with levels
is one for each level. "error/loop" is the kernel's error over that of a plain
token loop of --dtype.

With --entry=step, kernels update states in place that go round more of them
than the caches hold; "x floor" is the time over that of a loop that multiplies
every number of the same memory in place, in the same run.

Engine cuda is timed by events on the device, each launch with nothing in the
cache, from tensors that stay there; --repeat of 50 or so is quick. Its floor is
the longer of moving every tensor once, at the rate of a copy in the same run, and
of the flop above at the datasheet's rate of tensor cores. Engine emulated has no
time: what one launch does is counted. Artefacts (.qda) are measured on both after
a comparison with what qdelta-run --save-expected wrote, by a program that needs
no LLVM; their options are --emulate, --engine, --expected, --function, --json,
--repeat, --shape and --target.

Examples:
  qdelta-bench --model all --shape B=1,T=2048,H=16,K=128,V=128 --threads 1
  qdelta-bench --model gated_delta_net --entry=step --shape B=1,T=1,H=32,K=128,V=128
  qdelta-bench --model q_delta --shape B=1,T=65,H=1,K=64,V=64 --dtype=bf16 --engine=emulated --target=sm_90a
  qdelta-bench m.qda --engine=emulated --expected=m.expected --shape B=1,T=130,H=2
  qdelta-bench test/Bench/suite.json --json now.json --compare before.json

Exit codes: 0 fine, 1 an error in what was given, 2 a wrong result, 3 internal.
)";

static constexpr char defaultShape[] = "B=1,T=2048,H=16,K=128,V=128";

namespace {
/// Made after the parser is reset, the category included.
struct CommandLine {
  CommandLine() { compile.shape.setInitialValue(defaultShape); }

  cl::OptionCategory category{"qdelta-bench options"};
  cl::opt<std::string> suite{cl::Positional, cl::desc("<suite.json>"),
                             cl::cat(category)};
  CompileLine compile{category,
                      {"A model, or all", "Sizes; HV is H by default",
                       defaultShape, "scalar, cpu (default), emulated or cuda",
                       "Row of a target table, or host"}};
  cl::list<int32_t> threads{"threads",
                            cl::desc("Threads; a list makes a row for each"),
                            cl::CommaSeparated, cl::cat(category)};
  cl::opt<int> repeat{"repeat", cl::desc("Repeats of each timing"),
                      cl::init(15), cl::cat(category)};
  cl::opt<std::string> json{"json",
                            cl::desc("Also write JSON; - for standard output"),
                            cl::value_desc("file"), cl::cat(category)};
  cl::opt<std::string> compare{"compare",
                               cl::desc("Show the change since a saved run"),
                               cl::value_desc("saved.json"), cl::cat(category)};
};
} // namespace

static Error check(const CommandLine &line) {
  if (line.suite.empty() == line.compile.model.empty())
    return userError("expected either a suite or --model, but got " +
                     llvm::Twine(line.suite.empty() ? "neither" : "both"));
  if (Error error = line.compile.check())
    return error;
  if (line.suite.empty())
    if (Error error = line.compile.checkTarget({line.compile.engine}))
      return error;
  if (line.repeat < 1)
    return userError("expected --repeat to be at least 1, but got " +
                     llvm::Twine(line.repeat));
  for (int32_t threads : line.threads)
    if (threads < 1 || threads > 1024)
      return userError("expected --threads from 1 to 1024, but got " +
                       llvm::Twine(threads));
  return Error::success();
}

/// The cases of the suite or of the command line.
static Expected<std::vector<Case>> listCases(const CommandLine &line) {
  if (!line.suite.empty())
    return readSuite(line.suite);
  const CompileLine &compile = line.compile;
  Expected<Sizes> shape = parseShape(compile.shape);
  if (!shape)
    return shape.takeError();
  std::vector<std::string> models{compile.model};
  if (compile.model == "all")
    models = listModels(compile.modelsDir);
  std::vector<int32_t> threads(line.threads.begin(), line.threads.end());
  if (threads.empty())
    threads.push_back(1);
  std::vector<Case> cases;
  for (const std::string &model : models)
    for (int32_t count : threads)
      cases.push_back({model, *shape, compile.engine, compile.dtype, count});
  return cases;
}

static Error writeJson(StringRef path, llvm::ArrayRef<Measurement> results) {
  std::error_code code;
  llvm::raw_fd_ostream file(path, code);
  if (code)
    return userError("cannot write " + path + ": " + code.message());
  file << llvm::formatv("{0:2}\n", toJson(results));
  return Error::success();
}

static Error runMain(int argc, char **argv, Reproducer &reproducer) {
  // LLVM's own options include --threads and others that we mean differently.
  cl::ResetCommandLineParser();
  static CommandLine line;
  cl::ParseCommandLineOptions(argc, argv, overview);
  if (Error error = check(line))
    return error;
  std::optional<SavedRun> saved;
  if (!line.compare.empty()) {
    Expected<SavedRun> read = SavedRun::read(line.compare);
    if (!read)
      return read.takeError();
    saved = std::move(*read);
  }
  Expected<std::vector<Case>> cases = listCases(line);
  if (!cases)
    return cases.takeError();
  MeasureOptions options;
  options.modelsDir = line.compile.modelsDir;
  Expected<CompileOptions> compile = line.compile.options();
  if (!compile)
    return compile.takeError();
  options.compile = std::move(*compile);
  options.repeat = line.repeat;

  const SavedRun *since = saved ? &*saved : nullptr;
  llvm::raw_ostream &table = line.json == "-" ? llvm::errs() : llvm::outs();
  std::vector<Measurement> results;
  for (const Case &next : *cases) {
    Expected<Measurement> result = measure(next, options, reproducer);
    if (!result)
      return result.takeError();
    if (results.empty())
      printHeader(since, table);
    printRow(*result, since, table);
    results.push_back(std::move(*result));
  }
  return line.json.empty() ? Error::success() : writeJson(line.json, results);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  return runTool(argc, argv, [&](Reproducer &reproducer) {
    return runMain(argc, argv, reproducer);
  });
}

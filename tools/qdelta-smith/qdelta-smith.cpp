//===- qdelta-smith.cpp - random recurrences against each other ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Reduce.h"
#include "Report.h"
#include "Subject.h"
#include "data/CompileLine.h"
#include "data/Failure.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"

using namespace qdelta;
using namespace qdelta::tools;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace cl = llvm::cl;

static constexpr char overview[] =
    R"(qdelta: check the compiler on random recurrences

Prints random recurrences, or with --check derives, chunks, compiles and runs
each in several ways. Derived forms are compared with the step in a prime field,
kernels with the float64 interpreter, where their error may be twice that of a
plain token loop, so two kernels are never further apart than four times that.
A failure is reduced to a small program that fails in the same way.

Programs that a pass refuses with a diagnostic are counted, and the diagnostics
listed. Unless --refusals=error is given they are no failures, and no successes.
The same goes for errors past their bound but below four times it, with
--imprecise=count.

Examples:
  qdelta-smith --seed 7
  qdelta-smith --seed 100 --count 2 --check --chunk=1,2
  qdelta-smith --without=key-decays,two-states --check --engine=emulated --dtype=bf16

Exit codes: 0 fine, 1 an error in what was given, 2 a failure, 3 internal.
)";

namespace {
/// Made after the parser is reset, the category included.
struct CommandLine {
  cl::OptionCategory category{"qdelta-smith options"};
  cl::opt<uint64_t> seed{"seed", cl::desc("Seed of the first program"),
                         cl::init(0), cl::cat(category)};
  cl::opt<uint64_t> count{"count", cl::desc("Programs, of consecutive seeds"),
                          cl::init(1), cl::cat(category)};
  cl::opt<bool> check{"check", cl::desc("Check the programs"),
                      cl::cat(category)};
  cl::list<std::string> engines{
      "engine",
      cl::desc("Engines to check: scalar, cpu, emulated or cuda; the first two "
               "by default"),
      cl::value_desc("names"), cl::CommaSeparated, cl::cat(category)};
  cl::opt<std::string> target{
      "target", cl::desc("Row of a target table, or host"),
      cl::value_desc("name"), cl::init("host"), cl::cat(category)};
  cl::opt<std::string> dtype{"dtype",
                             cl::desc("What vectors of tokens are stored in: "
                                      "f32 (default), bf16 or f16"),
                             cl::value_desc("type"), cl::init("f32"),
                             cl::cat(category)};
  cl::list<int64_t> chunks{
      "chunk", cl::desc("Tokens of a chunk; 0 is the compiler's own choice"),
      cl::value_desc("tokens"), cl::CommaSeparated, cl::cat(category)};
  cl::list<std::string> without{
      "without",
      cl::desc(
          "Leave out key-decays (one per key channel), key-sums (written at), "
          "auxiliaries (vector and scalar states) or two-states (a second "
          "matrix state)"),
      cl::value_desc("features"), cl::CommaSeparated, cl::cat(category)};
  cl::list<std::string> with{
      "with",
      cl::desc("Take in mixed-channels (decays per key channel of states that "
               "are added to one another)"),
      cl::value_desc("features"), cl::CommaSeparated, cl::cat(category)};
  cl::opt<std::string> only{
      "only", cl::desc("Only checks of this kind: exact or engines"),
      cl::value_desc("kind"), cl::cat(category)};
  cl::opt<std::string> refusals{
      "refusals", cl::desc("What a refusal is: count (default) or error"),
      cl::value_desc("what"), cl::init("count"), cl::cat(category)};
  cl::opt<std::string> imprecise{
      "imprecise",
      cl::desc(
          "What an error of up to four times its bound is: error (default) "
          "or count"),
      cl::value_desc("what"), cl::init("error"), cl::cat(category)};
  cl::opt<bool> reduce{"reduce", cl::desc("Reduce failures (default)"),
                       cl::init(true), cl::cat(category)};
  cl::opt<std::string> out{
      "out",
      cl::desc("Folder for a file of each program, or of each reduced one"),
      cl::value_desc("dir"), cl::cat(category)};
  cl::opt<Plant> plant{
      "plant", cl::desc("Test the checks: make a mistake in the derivation"),
      cl::values(clEnumValN(Plant::EarlyRead, "early-read",
                            "a read misses the write before it"),
                 clEnumValN(Plant::OneDecay, "one-decay",
                            "the second decay of a list is forgotten"),
                 clEnumValN(Plant::LargeOutput, "large-output",
                            "outputs are a few roundings too large"),
                 clEnumValN(Plant::Crash, "crash",
                            "a list with two decays is too much")),
      cl::init(Plant::None), cl::cat(category)};
};
} // namespace

static Error check(const CommandLine &line) {
  for (StringRef engine : line.engines)
    if (Error error = checkEngine("engine", engine, {}))
      return error;
  if (auto format = parseFormat("--dtype", line.dtype); !format)
    return format.takeError();
  if (!line.only.empty())
    if (Error error = checkOneOf("only", line.only, {"exact", "engines"}))
      return error;
  for (StringRef feature : line.without)
    if (Error error =
            checkOneOf("without", feature,
                       {"key-decays", "key-sums", "auxiliaries", "two-states"}))
      return error;
  for (StringRef feature : line.with)
    if (Error error = checkOneOf("with", feature, {"mixed-channels"}))
      return error;
  for (int64_t chunk : line.chunks)
    if (chunk < 0)
      return userError(
          "expected --chunk to list numbers of at least 0, but got " +
          llvm::Twine(chunk));
  if (Error error = checkOneOf("imprecise", line.imprecise, {"count", "error"}))
    return error;
  return checkOneOf("refusals", line.refusals, {"count", "error"});
}

static Case makeCase(const CommandLine &line, uint64_t seed) {
  Features features;
  features.keyDecays = !llvm::is_contained(line.without, "key-decays");
  features.keySums = !llvm::is_contained(line.without, "key-sums");
  features.auxiliaries = !llvm::is_contained(line.without, "auxiliaries");
  features.twoStates = !llvm::is_contained(line.without, "two-states");
  features.mixedChannels = llvm::is_contained(line.with, "mixed-channels");
  return generate(seed, features);
}

static bool isFailure(const CommandLine &line, const Outcome &outcome) {
  if (outcome.kind == Outcome::Refused)
    return line.refusals == "error";
  if (outcome.kind == Outcome::Imprecise)
    return line.imprecise == "error";
  return outcome.kind != Outcome::Right;
}

static std::vector<Check> chooseChecks(const CommandLine &line) {
  std::vector<std::string> engines(line.engines.begin(), line.engines.end());
  if (engines.empty())
    engines = {"scalar", "cpu"};
  std::vector<Check> exact, compiled;
  CompileOptions options;
  options.dtype = line.dtype;
  exact.push_back({Check::Derivation, options});
  for (const std::string &engine : engines) {
    bool isGpu = engine == "emulated" || engine == "cuda";
    options.engine = engine;
    options.target = line.target;
    if (isGpu && options.target == "host")
      options.target = "sm_80";
    auto add = [&](std::vector<Check> &checks, Check::Kind kind,
                   std::vector<int64_t> chunks) {
      if (!line.chunks.empty())
        chunks.assign(line.chunks.begin(), line.chunks.end());
      for (int64_t chunk : chunks) {
        options.chunk = chunk;
        checks.push_back({kind, options});
      }
    };
    // As rows in registers: one token, which is the recurrent mode, two, and
    // three, which is no power of two. As matrices: 16 tokens, or for GPUs the
    // compiler's choice too.
    if (isGpu) {
      add(exact, Check::Form, {0, 16});
      add(compiled, Check::Engine, {0, 16});
    } else {
      add(exact, Check::Form, {1, 2, 3, 16});
      add(compiled, Check::Engine,
          engine == "cpu" ? std::vector<int64_t>{1, 2, 16}
                          : std::vector<int64_t>{2, 16});
    }
  }
  if (line.only == "engines")
    return compiled;
  if (line.only != "exact")
    exact.insert(exact.end(), compiled.begin(), compiled.end());
  return exact;
}

/// Writes the program to `folder` and returns the file.
static Expected<std::string> writeProgram(const Program &program,
                                          StringRef folder) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return userError("cannot create folder '" + folder +
                     "': " + code.message());
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, program.name + ".mlir");
  std::error_code code;
  llvm::raw_fd_ostream file(path, code);
  if (code)
    return userError("cannot write " + path + ": " + code.message());
  file << print(program);
  return path.str().str();
}

static Error printPrograms(const CommandLine &line) {
  for (uint64_t i = 0; i < line.count; ++i) {
    Case next = makeCase(line, line.seed + i);
    if (line.out.empty()) {
      llvm::outs() << (i ? "// -----\n" : "") << print(next.program);
      continue;
    }
    Expected<std::string> path = writeProgram(next.program, line.out);
    if (!path)
      return path.takeError();
    llvm::outs() << *path << "\n";
  }
  return Error::success();
}

/// Reduces a failure; prints the small program and how to see it fail.
static Error showReduced(const CommandLine &line, const Case &what,
                         const Check &check, const Outcome &outcome) {
  Outcome last = outcome;
  auto fails = [&](const Case &next) {
    Outcome found = Subject(next, line.plant).run(check);
    bool isSame = found.isLike(outcome);
    if (isSame)
      last = found;
    return isSame;
  };
  Case small = what;
  if (check.kind == Check::Engine)
    small.shapes = {what.shapes[outcome.shape]};
  small = reduce(small, check.kind != Check::Engine, fails);
  llvm::SmallString<128> folder(line.out);
  if (folder.empty())
    llvm::sys::path::system_temp_directory(/*erasedOnReboot=*/true, folder);
  Expected<std::string> path = writeProgram(small.program, folder);
  if (!path)
    return path.takeError();
  llvm::outs() << "reduced: " << last.detail << "\n"
               << print(small.program) << "written to " << *path << "\n";
  // No other tool makes a planted mistake.
  if (line.plant == Plant::None)
    llvm::outs() << "reproduce: " << check.reproducer(small, *path) << "\n";
  return Error::success();
}

/// Runs all checks on one program; true if none fails.
static Expected<bool> checkProgram(const CommandLine &line,
                                   llvm::ArrayRef<Check> checks,
                                   const Case &what, Report &report) {
  std::optional<Subject> subject(std::in_place, what, line.plant);
  bool isRight = true;
  for (auto [index, check] : llvm::enumerate(checks)) {
    Outcome outcome = subject->run(check);
    report.add(index, outcome);
    if (outcome.kind == Outcome::Crashed)
      subject.emplace(what, line.plant);
    if (!isFailure(line, outcome))
      continue;
    llvm::outs() << "seed " << what.seed << ", " << check.name() << ": "
                 << nameOf(outcome.kind) << ": " << outcome.detail << "\n";
    // The failures after the first are most often the same.
    if (isRight && line.reduce)
      if (Error error = showReduced(line, what, check, outcome))
        return error;
    isRight = false;
    llvm::outs().flush();
  }
  return isRight;
}

static Error runMain(int argc, char **argv) {
  // LLVM's own options include ones that we mean differently.
  cl::ResetCommandLineParser();
  static CommandLine line;
  cl::ParseCommandLineOptions(argc, argv, overview);
  if (Error error = check(line))
    return error;
  if (!line.check)
    return printPrograms(line);
  std::vector<Check> checks = chooseChecks(line);
  Report report(checks);
  uint64_t failed = 0;
  for (uint64_t i = 0; i < line.count; ++i) {
    Expected<bool> isRight =
        checkProgram(line, checks, makeCase(line, line.seed + i), report);
    if (!isRight)
      return isRight.takeError();
    failed += !*isRight;
  }
  report.print(llvm::outs());
  llvm::outs() << line.count - failed << " of " << line.count
               << " programs without a failure\n";
  if (failed == 0)
    return Error::success();
  return llvm::make_error<Failure>(
      WrongResult, llvm::formatv("{0} of {1} programs fail", failed,
                                 static_cast<uint64_t>(line.count)));
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  return runTool(argc, argv, [&](Reproducer &) { return runMain(argc, argv); });
}

//===- Options.cpp - the command line of qdelta-run ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "arrays/KernelArrays.h"
#include "data/CompileLine.h"
#include "data/Failure.h"

using namespace qdelta::tools;
using llvm::StringRef;
namespace cl = llvm::cl;

static constexpr char overview[] = R"(qdelta: run a recurrence on one input

Runs a model, or the recurrence in a file, on given or seeded random inputs;
prints a line for each output, or with --check-against an error table.

Inputs are called as in the recurrence: q, k, v, ..., and S for the initial
state. Outputs are o (o1, o2, ... if there are several) and, for the final
state of S, S_final. Random key vectors have H heads, other random tokens HV.

With --cu-seqlens, or --input cu_seqlens=file, sequences of different lengths are
packed into one: tokens have B = 1, states an entry for each sequence.

Files are NumPy's: '<f4', or '<f8', which is rounded. With --dtype=f64 all are
'<f8', or '<f4'. With --dtype=f16 vectors of tokens are '<f2'. With --dtype=bf16 they are '<V2', as ml_dtypes saves bfloat16;
'<u2', its bits, is read too: numpy.load(file).view(ml_dtypes.bfloat16).

Examples:
  qdelta-run --model q_delta --shape B=2,T=65,H=2,K=60,V=100 --check-against=reference
  qdelta-run step.mlir --input q=q.npy --input k=k.npy --shape V=64 --output o=o.npy
  qdelta-run --model q_delta --shape B=1,T=9,H=2,K=8,V=8 --dtype=bf16 --engine=reference
  qdelta-run --model q_delta --shape B=1,T=65,H=1,K=64,V=64 --dtype=bf16 --engine=emulated --target=sm_90a --emulate=random,random,7
  qdelta-run --model q_delta --shape B=1,T=65,H=1,K=64,V=64 --dtype=bf16 --engine=emulated --save-expected=m.expected
  qdelta-run m.qda --engine=emulated --expected=m.expected
  qdelta-run --model q_delta --shape H=2,K=60,V=100 --cu-seqlens=0,1,18,82,82,293 --check-against=reference

Exit codes: 0 fine, 1 an error in what was given, 2 a wrong result, 3 internal.
)";

namespace {
/// Made after the parser is reset, the category included.
struct CommandLine {
  cl::OptionCategory category{"qdelta-run options"};
  cl::opt<std::string> file{cl::Positional, cl::desc("<file.mlir>"),
                            cl::cat(category)};
  CompileLine compile{category,
                      {"Run a model of --models-dir",
                       "Sizes that inputs do not give; HV is H by default",
                       "B=1,T=64,H=2,HV=2,K=64,V=64",
                       "reference, scalar, cpu (default), emulated or cuda",
                       "Row of a target table, or host"}};
  cl::opt<std::string> recurrence{
      "recurrence", cl::desc("Which recurrence, if there are several"),
      cl::value_desc("name"), cl::cat(category)};
  cl::opt<std::string> function{
      "function",
      cl::desc("Which function; by default the recurrence's own kernel"),
      cl::value_desc("name"), cl::cat(category)};
  cl::list<std::string> inputs{"input", cl::desc("Read an input from a .npy"),
                               cl::value_desc("name=file"), cl::cat(category)};
  cl::list<std::string> outputs{"output", cl::desc("Write an output to a .npy"),
                                cl::value_desc("name=file"), cl::cat(category)};
  cl::opt<std::string> cuSeqlens{
      "cu-seqlens",
      cl::desc("Pack sequences: n is tokens cu[n] to cu[n + 1] - 1; B and T "
               "follow from it"),
      cl::value_desc("0,1,18,82"), cl::cat(category)};
  cl::opt<std::string> cuSeqlensType{
      "cu-seqlens-type", cl::desc("i32 (default) or i64"), cl::init("i32"),
      cl::value_desc("type"), cl::cat(category)};
  cl::opt<std::string> position{
      "position",
      cl::desc("With levels: how many tokens came before each sequence, by "
               "turns; 0 by default"),
      cl::value_desc("0,5,17"), cl::cat(category)};
  cl::opt<uint64_t> seed{"seed", cl::desc("Seed of random inputs"), cl::init(0),
                         cl::cat(category)};
  cl::list<std::string> params{"param",
                               cl::desc("Set a parameter; scale is K^-1/2 by "
                                        "default"),
                               cl::value_desc("name=number"),
                               cl::cat(category)};
  cl::opt<std::string> decays{
      "decays",
      cl::desc("Mix these log decays, each 5 %, among the random ones"),
      cl::value_desc("0,-1e-8,-30,-1e4,-inf"), cl::cat(category)};
  cl::opt<std::string> checkAgainst{
      "check-against",
      cl::desc("Compare with another engine; exit with 2 if wrong"),
      cl::value_desc("engine"), cl::cat(category)};
  cl::opt<bool> checkDomains{
      "check-domains",
      cl::desc("Fail if an input is not what the recurrence says of it: a "
               "positive log decay, a number out of its range, a unit vector "
               "that is too long"),
      cl::cat(category)};
  cl::opt<std::string> emulate{
      "emulate",
      cl::desc("Engine emulated: order of warps (fifo, lifo or random; fifo by "
               "default), when asynchronous copies arrive (late, early or "
               "random; late by default), seed of what is random"),
      cl::value_desc("schedule[,completion[,seed]]"), cl::cat(category)};
  cl::opt<std::string> saveExpected{
      "save-expected",
      cl::desc("Write what the reference gives, and how wrong the engine may "
               "be, for --expected with an artefact"),
      cl::value_desc("folder"), cl::cat(category)};
  cl::opt<int32_t> threads{"threads", cl::desc("0 (default) for all cores"),
                           cl::init(0), cl::cat(category)};
  cl::opt<std::string> compileFrom{
      "compile-from", cl::desc("The phase that the file is in"),
      cl::value_desc("phase"), cl::init("recurrence"), cl::cat(category)};
};
} // namespace

static llvm::Expected<std::vector<NamedFile>>
splitFiles(llvm::ArrayRef<std::string> values, StringRef option) {
  std::vector<NamedFile> files;
  for (StringRef value : values) {
    auto [name, file] = value.split('=');
    if (name.empty() || file.empty())
      return userError("expected " + option + " name=file, but got '" + value +
                       "'");
    files.emplace_back(name.str(), file.str());
  }
  return files;
}

static llvm::Expected<std::vector<int64_t>> readIntegers(StringRef text,
                                                         StringRef option) {
  std::vector<int64_t> bounds;
  llvm::SmallVector<StringRef> fields;
  text.split(fields, ',');
  for (StringRef field : fields)
    if (field.trim().getAsInteger(10, bounds.emplace_back()))
      return userError("expected " + option +
                       " to list integers, such as "
                       "0,1,18, but got '" +
                       text + "'");
  return bounds;
}

static llvm::Expected<Emulation> readEmulation(StringRef text) {
  qdeltaLaunchOptions options = {};
  if (std::string problem = parseEmulation(text, options); !problem.empty())
    return userError(problem);
  return Emulation{options.schedule, options.completion, options.seed};
}

static llvm::Error check(const CommandLine &line) {
  if (llvm::Error error = line.compile.check({"reference"}))
    return error;
  if (llvm::Error error =
          line.compile.checkTarget({line.compile.engine, line.checkAgainst}))
    return error;
  if (!line.checkAgainst.empty())
    if (llvm::Error error =
            checkEngine("check-against", line.checkAgainst, {"reference"}))
      return error;
  if (line.file.empty() == line.compile.model.empty())
    return userError("expected either a file or --model, but got " +
                     llvm::Twine(line.file.empty() ? "neither" : "both"));
  if (line.emulate.getNumOccurrences() && line.compile.engine != "emulated" &&
      line.checkAgainst != "emulated")
    return userError("--emulate goes with engine emulated, but the engine is " +
                     line.compile.engine);
  auto isLaunched = [](StringRef engine) {
    return !engine.empty() && engine != "reference" && engine != "cuda";
  };
  if (line.checkDomains && !isLaunched(line.compile.engine) &&
      !isLaunched(line.checkAgainst))
    return userError("--check-domains goes with engines scalar, cpu and "
                     "emulated, but the engine is " +
                     line.compile.engine);
  if (!line.saveExpected.empty() &&
      (!line.inputs.empty() || !line.params.empty() || !line.decays.empty() ||
       line.position.getNumOccurrences()))
    return userError("--save-expected goes with random inputs that sizes and "
                     "seed alone decide, not with --input, --param, "
                     "--position or --decays");
  if (llvm::Error error =
          checkOneOf("cu-seqlens-type", line.cuSeqlensType, {"i32", "i64"}))
    return error;
  if (line.threads < 0)
    return userError("expected --threads to be at least 0, but got " +
                     llvm::Twine(line.threads));
  return llvm::Error::success();
}

llvm::Expected<RunOptions> qdelta::tools::parseOptions(int argc, char **argv) {
  // LLVM's own options include --threads and others that we mean differently.
  cl::ResetCommandLineParser();
  static CommandLine line;
  cl::ParseCommandLineOptions(argc, argv, overview);
  if (llvm::Error error = check(line))
    return error;
  RunOptions options;
  auto compile = line.compile.options();
  if (!compile)
    return compile.takeError();
  options.compile = std::move(*compile);
  options.compile.from = line.compileFrom;
  auto inputs = splitFiles(line.inputs, "--input");
  if (!inputs)
    return inputs.takeError();
  auto outputs = splitFiles(line.outputs, "--output");
  if (!outputs)
    return outputs.takeError();
  options.file = line.file;
  options.model = line.compile.model;
  options.modelsDir = line.compile.modelsDir;
  options.recurrence = line.recurrence;
  options.function = line.function;
  options.inputs = std::move(*inputs);
  options.outputs = std::move(*outputs);
  options.shape = line.compile.shape;
  options.dtype = line.compile.format();
  options.decays = line.decays;
  options.compile.cuSeqlens = line.cuSeqlensType;
  if (line.cuSeqlens.getNumOccurrences()) {
    auto bounds = readIntegers(line.cuSeqlens, "--cu-seqlens");
    if (!bounds)
      return bounds.takeError();
    options.cuSeqlens = std::move(*bounds);
  }
  if (line.position.getNumOccurrences()) {
    auto position = readIntegers(line.position, "--position");
    if (!position)
      return position.takeError();
    for (int64_t number : *position)
      if (!llvm::isInt<32>(number))
        return userError("expected --position to list numbers of 32 bits, but "
                         "got " +
                         llvm::Twine(number));
    options.position = std::move(*position);
  }
  options.params = line.params;
  options.seed = line.seed;
  options.checkAgainst = line.checkAgainst;
  options.saveExpected = line.saveExpected;
  options.checkDomains = line.checkDomains;
  options.threads = line.threads;
  if (line.emulate.getNumOccurrences()) {
    auto emulation = readEmulation(line.emulate);
    if (!emulation)
      return emulation.takeError();
    options.emulation = *emulation;
  }
  return options;
}

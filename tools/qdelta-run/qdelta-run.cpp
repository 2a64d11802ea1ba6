//===- qdelta-run.cpp - run a recurrence on one input --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "arrays/Expectation.h"
#include "arrays/KernelArrays.h"
#include "data/CompileLine.h"
#include "data/Engines.h"
#include "data/Failure.h"
#include "data/Inputs.h"
#include "data/Source.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"
#include "qdelta/Dialect/QDelta/Transforms/Segments.h"
#include "qdelta/Pipelines/Registration.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"

#include <cmath>

using namespace qdelta;
using namespace qdelta::tools;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace {
/// One run: a recurrence, its sizes and its inputs.
struct Run {
  RecurrenceOp recurrence;
  StringRef function;
  Signature signature;
  Sizes sizes;
  std::vector<FloatTensor> inputs;
  /// Of packed sequences: the last input of the kernel, which is not among
  /// `inputs`. Empty for sequences of one length.
  std::vector<int64_t> cuSeqlens;
};
} // namespace

/// --function may name the recurrence, in whose place its kernel stands then.
static Expected<RecurrenceOp> chooseRecurrence(mlir::ModuleOp module,
                                               const RunOptions &options) {
  if (options.recurrence.empty() && !options.function.empty())
    if (auto op = module.lookupSymbol<RecurrenceOp>(options.function))
      return op;
  return findRecurrence(module, options.recurrence);
}

/// The given inputs, read from their files.
static Expected<std::vector<std::optional<FloatTensor>>>
readInputs(const RunOptions &options, const Signature &signature) {
  std::vector<std::optional<FloatTensor>> given(signature.inputs.size());
  for (const auto &[name, file] : options.inputs) {
    Expected<size_t> index = findArgument(signature.inputs, name, "--input");
    if (!index)
      return index.takeError();
    Expected<FloatTensor> tensor =
        readNpy(file, signature.inputs[*index].format);
    if (!tensor)
      return tensor.takeError();
    given[*index] = std::move(*tensor);
  }
  return given;
}

/// Whether sequences are packed.
static bool isPacked(const RunOptions &options) {
  return options.cuSeqlens ||
         llvm::any_of(options.inputs, [](const NamedFile &input) {
           return input.first == "cu_seqlens";
         });
}

/// Takes cu_seqlens, which is given, as integers that its type holds.
static Expected<std::vector<int64_t>> takeBounds(const FloatTensor &tensor,
                                                 Format format) {
  double most = format == Format::I32 ? 0x1p31 - 1 : 0x1p53;
  std::vector<int64_t> bounds;
  for (double bound : tensor.data) {
    if (std::abs(bound) > most)
      return userError("expected cu_seqlens to hold numbers of at most " +
                       llvm::Twine(static_cast<int64_t>(most)) +
                       " in size, but got " + llvm::formatv("{0:F0}", bound));
    bounds.push_back(static_cast<int64_t>(bound));
  }
  return bounds;
}

/// Of entries that run what is derived from the recurrence: that one.
static Expected<RecurrenceOp> takeSummary(RecurrenceOp of, StringRef entry) {
  auto module = of->getParentOfType<mlir::ModuleOp>();
  mlir::PassManager pm(module->getName());
  DeriveSummariesOptions only;
  only.kind = entry.str();
  pm.addPass(createDeriveSummaries(only));
  if (failed(pm.run(module)))
    return userError("cannot derive entry " + entry + " of @" +
                     of.getSymName());
  return module.lookupSymbol<RecurrenceOp>(
      entryPointName(of.getSymName(), entry));
}

static Expected<Run> prepare(mlir::ModuleOp module, const RunOptions &options) {
  Expected<RecurrenceOp> recurrence = chooseRecurrence(module, options);
  if (recurrence && isSummaryKind(options.compile.entry))
    recurrence = takeSummary(*recurrence, options.compile.entry);
  if (!recurrence)
    return recurrence.takeError();
  bool packed = isPacked(options);
  StringRef entry = options.compile.entry;
  if (packed && entry != "forward" && entry != "packed")
    return userError("entry " + entry +
                     " takes sequences of one length, but "
                     "got cu_seqlens");
  if (!packed && entry == "packed")
    return userError("expected --cu-seqlens or --input cu_seqlens=file, which "
                     "say where sequences of entry packed end");
  std::optional<Format> bounds;
  if (packed)
    bounds = options.compile.cuSeqlens == "i64" ? Format::I64 : Format::I32;
  Expected<Signature> signature =
      getSignature(*recurrence, options.dtype, bounds);
  if (!signature)
    return signature.takeError();
  for (const auto &[name, file] : options.outputs)
    if (auto index = findArgument(signature->outputs, name, "--output"); !index)
      return index.takeError();
  InputOptions inputs;
  inputs.seed = options.seed;
  inputs.position = options.position;
  for (StringRef param : options.params)
    if (Error error = parseParam(param, *signature, inputs.params))
      return error;
  auto decays = parseDecays(options.decays);
  if (!decays)
    return decays.takeError();
  inputs.decays = std::move(*decays);

  Expected<Sizes> wanted = parseShape(options.shape);
  if (!wanted)
    return wanted.takeError();
  auto given = readInputs(options, *signature);
  if (!given)
    return given.takeError();
  if (!options.position.empty() && !(*recurrence).getLevels())
    return userError("--position goes with levels, which @" +
                     (*recurrence).getSymName() + " lacks");
  if (!options.position.empty() &&
      llvm::any_of(options.inputs,
                   [](auto &input) { return input.first == "position"; }))
    return userError("expected either --position or --input position, but got "
                     "both");
  if (options.cuSeqlens) {
    if (given->back())
      return userError(
          "expected either --cu-seqlens or --input cu_seqlens, but "
          "got both");
    std::vector<double> numbers(options.cuSeqlens->begin(),
                                options.cuSeqlens->end());
    given->back() =
        FloatTensor{{static_cast<int64_t>(numbers.size())}, numbers};
  }
  Expected<Sizes> sizes = resolveSizes(*signature, *wanted, *given);
  if (!sizes)
    return sizes.takeError();
  Run run{*recurrence, options.function, *signature, *sizes, {}, {}};
  run.inputs = makeInputs(*signature, *sizes, *given, inputs);
  if (!packed)
    return run;
  auto cuSeqlens = takeBounds(run.inputs.back(), *bounds);
  if (!cuSeqlens)
    return cuSeqlens.takeError();
  run.cuSeqlens = std::move(*cuSeqlens);
  run.inputs.pop_back();
  return run;
}

/// An unknown --function is an error for the interpreter too.
static Error checkFunction(const Run &run) {
  RecurrenceOp recurrence = run.recurrence;
  auto module = recurrence->getParentOfType<mlir::ModuleOp>();
  if (run.function.empty() || run.function == recurrence.getSymName() ||
      module.lookupSymbol<mlir::func::FuncOp>(run.function))
    return Error::success();
  std::string known = recurrence.getSymName().str();
  for (auto function : module.getOps<mlir::func::FuncOp>())
    known += ", " + function.getSymName().str();
  return userError("unknown function " + run.function + "; the module has " +
                   known);
}

/// What to compile for to run on `engine`.
static CompileOptions optionsFor(const Run &run, StringRef engine,
                                 const RunOptions &options) {
  CompileOptions compile = options.compile;
  compile.engine = engine.str();
  // A target may be meant for the other engine.
  if (!hasTarget(engine, compile.target) &&
      hasTarget(engine == options.compile.engine ? options.checkAgainst
                                                 : options.compile.engine,
                compile.target))
    compile.target = "host";
  compile.key = run.sizes.at("K");
  compile.value = run.sizes.at("V");
  if (!run.cuSeqlens.empty())
    compile.entry = "packed";
  compile.segments =
      segmentsFor(run.recurrence, compile, run.sizes, options.threads);
  return compile;
}

/// What the engine multiplies, or the less precise one of two.
static Format productsFor(const Run &run, const RunOptions &options) {
  Format dtype = run.signature.dtype;
  for (StringRef engine : {options.compile.engine, options.checkAgainst})
    if (Format products = tools::productsFor(
            run.recurrence, optionsFor(run, engine, options), dtype);
        products != dtype)
      return products;
  return dtype;
}

static Expected<Outputs> runEngine(const Run &run, StringRef engine,
                                   const RunOptions &options) {
  if (engine == "reference") {
    if (Error error = checkFunction(run))
      return error;
    return runReference(run.recurrence, run.function, run.inputs,
                        run.signature.dtype, run.cuSeqlens);
  }
  std::vector<FloatTensor> inputs = run.inputs;
  if (!run.cuSeqlens.empty())
    inputs.push_back({{static_cast<int64_t>(run.cuSeqlens.size())},
                      {run.cuSeqlens.begin(), run.cuSeqlens.end()}});
  auto recurrence = run.recurrence;
  auto kernel = LoadedKernel::compile(
      recurrence->getParentOfType<mlir::ModuleOp>(),
      optionsFor(run, engine, options),
      run.function.empty() ? recurrence.getSymName() : run.function,
      /*anyName=*/run.function.empty());
  if (!kernel)
    return kernel.takeError();
  return runKernel(*kernel, run.signature, run.sizes, std::move(inputs),
                   options.threads, options.emulation);
}

/// What the emulator counted: memory a token and head, instructions in all.
static void printCounts(const Run &run, const qdeltaCounts &counts) {
  int64_t batch = run.cuSeqlens.empty() ? run.sizes.at("B") : 1;
  int64_t tokens = batch * run.sizes.at("T") * run.sizes.at("HV");
  if (tokens > 0)
    llvm::outs() << formatCounts(counts, tokens) << "\n";
}

/// Writes what the reference gives, for comparisons without it.
static Error save(const Run &run, const RunOptions &options) {
  Format dtype = run.signature.dtype;
  auto reference =
      runReference(run.recurrence, "", run.inputs, dtype, run.cuSeqlens);
  if (!reference)
    return reference.takeError();
  Format products = productsFor(run, options);
  auto loop = runTokenLoop(run.recurrence, run.inputs, products, run.cuSeqlens);
  if (!loop)
    return loop.takeError();
  Expectation expectation{run.sizes, options.seed, products, {}, false, {}};
  if (!run.cuSeqlens.empty()) {
    expectation.isPacked = true;
    expectation.cuSeqlens = {options.compile.cuSeqlens == "i64" ? Format::I64
                                                                : Format::I32,
                             {static_cast<int64_t>(run.cuSeqlens.size())},
                             {run.cuSeqlens.begin(), run.cuSeqlens.end()}};
  }
  for (auto [argument, wanted, got] :
       llvm::zip(run.signature.outputs, *reference, *loop))
    expectation.outputs.push_back(
        {argument.name, relativeError(got.data, wanted.data),
         Array{dtype == Format::F64 ? Format::F64 : Format::F32, wanted.shape,
               wanted.data}});
  std::string problem = saveExpectation(options.saveExpected, expectation);
  return problem.empty() ? Error::success() : userError(problem);
}

/// Compares with another engine and prints the table.
static Error check(const Run &run, const Outputs &got,
                   const RunOptions &options) {
  auto reference = runReference(run.recurrence, "", run.inputs,
                                run.signature.dtype, run.cuSeqlens);
  if (!reference)
    return reference.takeError();
  Format products = productsFor(run, options);
  auto loop = runTokenLoop(run.recurrence, run.inputs, products, run.cuSeqlens);
  if (!loop)
    return loop.takeError();
  bool againstReference = options.checkAgainst == "reference";
  auto wanted = againstReference
                    ? Expected<Outputs>(*reference)
                    : runEngine(run, options.checkAgainst, options);
  if (!wanted)
    return wanted.takeError();
  auto errors = compare(run.signature.outputs, got, *wanted, *loop, *reference,
                        againstReference ? 2 : 4, products);
  printTable(errors, llvm::outs(), products);
  if (allRight(errors))
    return Error::success();
  return llvm::make_error<Failure>(
      WrongResult, options.compile.engine + " differs from " +
                       options.checkAgainst + " by more than the error of " +
                       std::string(reference::formatName(products)) +
                       " allows");
}

static void printOutputs(const Run &run, const Outputs &outputs) {
  for (auto [argument, tensor] : llvm::zip(run.signature.outputs, outputs)) {
    double square = 0;
    for (double x : tensor.data)
      square += x * x;
    double count = std::max<double>(1, static_cast<double>(tensor.size()));
    llvm::outs() << argument.name << " ["
                 << llvm::join(llvm::map_range(tensor.shape, llvm::itostr),
                               ", ")
                 << "] rms " << llvm::format("%.6g", std::sqrt(square / count))
                 << "\n";
  }
}

static Error writeOutputs(const Run &run, const Outputs &outputs,
                          const RunOptions &options) {
  for (const auto &[name, file] : options.outputs) {
    Expected<size_t> index =
        findArgument(run.signature.outputs, name, "--output");
    if (!index)
      return index.takeError();
    if (Error error = writeNpy(file, outputs[*index],
                               run.signature.outputs[*index].format))
      return error;
  }
  return Error::success();
}

static Error runMain(int argc, char **argv, Reproducer &reproducer) {
  Expected<RunOptions> options = parseOptions(argc, argv);
  if (!options)
    return options.takeError();
  std::string path = options->file;
  if (path.empty()) {
    Expected<std::string> model = findModel(options->model, options->modelsDir);
    if (!model)
      return model.takeError();
    path = *model;
  }
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  Expected<Source> source = Source::read(path, context);
  if (!source)
    return source.takeError();
  reproducer.setInput(source->getText());
  Expected<Run> run = prepare(source->getModule(), *options);
  if (!run)
    return run.takeError();
  bool emulated = options->compile.engine == "emulated";
  qdeltaCounts counts = {};
  counts.struct_size = sizeof(counts);
  if (emulated)
    options->emulation.counts = &counts;
  Expected<Outputs> outputs =
      runEngine(*run, options->compile.engine, *options);
  options->emulation.counts = nullptr;
  if (!outputs)
    return outputs.takeError();
  llvm::outs() << run->signature.recurrence << " on " << options->compile.engine
               << ", " << formatSizes(run->sizes) << "\n";
  if (emulated)
    printCounts(*run, counts);
  if (Error error = writeOutputs(*run, *outputs, *options))
    return error;
  if (!options->saveExpected.empty())
    if (Error error = save(*run, *options))
      return error;
  if (!options->checkAgainst.empty())
    return check(*run, *outputs, *options);
  printOutputs(*run, *outputs);
  return Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  return runTool(argc, argv, [&](Reproducer &reproducer) {
    return runMain(argc, argv, reproducer);
  });
}

//===- Subject.cpp - a program that checks run on ------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Subject.h"
#include "data/CompileLine.h"
#include "data/Inputs.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Pipelines/Pipelines.h"
#include "qdelta/Pipelines/Registration.h"
#include "qdelta/Reference/Passes.h"

#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace qdelta;
using namespace qdelta::tools;
using llvm::Expected;
using llvm::StringRef;
using mlir::ModuleOp;

/// Draws of the inputs that an imprecise kernel is judged by.
static constexpr size_t kDraws = 8;

Subject::Subject(const Case &what, Plant plant) : what(what), plant(plant) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  context = std::make_unique<mlir::MLIRContext>(
      registry, mlir::MLIRContext::Threading::DISABLED);
  context->printOpOnDiagnostic(false);
  context->getDiagEngine().registerHandler([this](mlir::Diagnostic &diag) {
    if (diag.getSeverity() == mlir::DiagnosticSeverity::Error)
      diagnostics.push_back(diag.str());
  });
  module = mlir::parseSourceString<mlir::ModuleOp>(print(what.program),
                                                   context.get());
  if (module)
    recurrence = *module->getOps<RecurrenceOp>().begin();
}

Subject::~Subject() = default;

Outcome Subject::run(const Check &check) {
  diagnostics.clear();
  Outcome outcome;
  llvm::CrashRecoveryContext recovery;
  if (recovery.RunSafely([&] { outcome = runUnguarded(check); }))
    return outcome;
  // What the check held is lost, and refers to both.
  (void)module.release();
  (void)context.release();
  return {Outcome::Crashed, "the compiler or its code crashed"};
}

Outcome Subject::refusal(llvm::Error error) {
  std::string message = llvm::toString(std::move(error));
  if (diagnostics.empty())
    return {Outcome::Broken, message};
  return {Outcome::Refused, diagnostics.front()};
}

Outcome Subject::runUnguarded(const Check &check) {
  if (!module)
    return {Outcome::Broken,
            "the program is not valid: " + llvm::join(diagnostics, "; ")};
  mlir::OwningOpRef<mlir::ModuleOp> copy(module->clone());
  CompileOptions options = check.compile;
  bool isEngine = check.kind == Check::Engine;
  const Sizes &sizes = what.shapes.front().sizes;
  options.key = isEngine ? sizes.at("K") : what.exactKey;
  options.value = isEngine ? sizes.at("V") : what.exactValue;
  if (auto error = compileToPhase(*copy, options, "affine"))
    return refusal(std::move(error));
  plantMistake(*copy, plant);
  options.from = "affine";
  if (isEngine)
    return checkEngine(*copy, options);
  if (check.kind == Check::Form)
    return checkForms(*copy, options);
  return checkExactly(*copy, "affine");
}

Outcome Subject::checkExactly(ModuleOp derived, StringRef phase) {
  for (auto function : derived.getOps<mlir::func::FuncOp>()) {
    // A kernel is checked as a part of the function that calls it.
    if (!function->hasAttr(kRecurrenceAttr))
      continue;
    for (bool erase : {false, true})
      if (failed(checkDerivation(function, what.seed, /*draws=*/1, erase)))
        return {Outcome::Wrong, llvm::formatv("phase {0}{1}: {2}", phase,
                                              erase ? ", with erasure" : "",
                                              diagnostics.front())};
  }
  return {};
}

Outcome Subject::checkForms(ModuleOp derived, CompileOptions options) {
  for (Phase phase : {Phase::Chunked, Phase::Linalg}) {
    if (phase == Phase::Linalg && isForGpu(options))
      break;
    StringRef name = phaseName(phase);
    if (auto error = compileToPhase(derived, options, name))
      return refusal(std::move(error));
    Outcome outcome = checkExactly(derived, name);
    if (outcome.kind != Outcome::Right)
      return outcome;
    options.from = name.str();
  }
  return {};
}

Expected<const Subject::Wanted *> Subject::wantedFor(const Signature &signature,
                                                     const Draw &draw,
                                                     Format products) {
  auto [entry, isNew] = wanted.try_emplace({draw, products});
  Wanted &result = entry->second;
  if (!isNew)
    return &result;
  const Shape &shape = what.shapes[draw.first];
  InputOptions inputs;
  inputs.seed = what.seed + draw.second;
  if (shape.hasExtremes)
    inputs.decays = llvm::cantFail(parseDecays(extremeDecays));
  std::vector<std::optional<FloatTensor>> none(signature.inputs.size());
  result.inputs = makeInputs(signature, shape.sizes, none, inputs);
  auto reference = runReference(recurrence, "", result.inputs, signature.dtype);
  if (!reference)
    return reference.takeError();
  result.reference = std::move(*reference);
  auto loop = runTokenLoop(recurrence, result.inputs, products);
  if (!loop)
    return loop.takeError();
  result.loop = std::move(*loop);
  return &result;
}

/// A token loop that is this far off says that the program magnifies errors,
/// and its bound says nothing then; an error that is not as large needs none.
static bool isUnstable(const OutputError &row, Format products) {
  double most = 64 * reference::unitRoundoff(products);
  return !(row.loopError < most) && !(row.error < most);
}

static Outcome::Kind judge(const OutputError &row, Format products) {
  if (isUnstable(row, products))
    return Outcome::Unstable;
  if (row.isRight())
    return Outcome::Right;
  return row.error > 4 * row.bound ? Outcome::Wrong : Outcome::Imprecise;
}

/// The worst of the outputs; of those that are imprecise, the one that exceeds
/// its bound by most.
static Outcome judge(llvm::ArrayRef<OutputError> rows, const Shape &shape,
                     Format products) {
  Outcome worst;
  for (const OutputError &row : rows) {
    Outcome::Kind kind = judge(row, products);
    double excess = kind == Outcome::Imprecise ? row.error / row.bound : 0;
    if (std::pair(kind, excess) <= std::pair(worst.kind, worst.excess))
      continue;
    worst = {kind, llvm::formatv("{0} at {1}: error {2:e2}, token loop {3:e2}",
                                 row.name, formatSizes(shape.sizes), row.error,
                                 row.loopError)
                       .str()};
    worst.excess = excess;
  }
  return worst;
}

/// Each output's error in a random one of several draws, where each draw counts
/// by the part that it takes of its own bound: root mean squares.
static std::vector<OutputError>
meanOf(llvm::ArrayRef<std::vector<OutputError>> draws) {
  std::vector<OutputError> means = draws.front();
  for (auto [i, mean] : llvm::enumerate(means)) {
    double parts = 0, bounds = 0, loops = 0;
    for (const std::vector<OutputError> &rows : draws) {
      parts += std::pow(rows[i].error / rows[i].bound, 2);
      bounds += std::pow(rows[i].bound, 2);
      loops += std::pow(rows[i].loopError, 2);
    }
    auto count = static_cast<double>(draws.size());
    mean.bound = std::sqrt(bounds / count);
    mean.loopError = std::sqrt(loops / count);
    mean.error = std::sqrt(parts / count) * mean.bound;
  }
  return means;
}

Expected<std::vector<OutputError>> Subject::launch(const LoadedKernel &kernel,
                                                   const Signature &signature,
                                                   const Draw &draw,
                                                   Format products) {
  auto wanted = wantedFor(signature, draw, products);
  if (!wanted)
    return wanted.takeError();
  const Wanted &known = **wanted;
  const Sizes &sizes = what.shapes[draw.first].sizes;
  auto got = runKernel(kernel, signature, sizes, known.inputs, /*threads=*/1);
  if (!got)
    return got.takeError();
  return compare(signature.outputs, *got, known.reference, known.loop,
                 known.reference, /*allowed=*/2, products);
}

Outcome Subject::checkLaunch(const LoadedKernel &kernel,
                             const Signature &signature, size_t shape,
                             Format products) {
  std::vector<std::vector<OutputError>> draws;
  Outcome outcome;
  // What is imprecise in one draw may be chance: few tokens have few roundings.
  do {
    auto rows = launch(kernel, signature, {shape, draws.size()}, products);
    if (!rows)
      return {Outcome::Broken, llvm::toString(rows.takeError()), shape, 0};
    draws.push_back(std::move(*rows));
    Outcome next = judge(draws.back(), what.shapes[shape], products);
    if (draws.size() == 1 || next.kind > Outcome::Imprecise)
      outcome = next;
  } while (outcome.kind == Outcome::Imprecise && draws.size() < kDraws);
  if (outcome.kind == Outcome::Imprecise)
    outcome = judge(meanOf(draws), what.shapes[shape], products);
  outcome.shape = shape;
  return outcome;
}

Outcome Subject::checkEngine(ModuleOp derived, const CompileOptions &options) {
  auto dtype = parseFormat("dtype", options.dtype);
  if (!dtype)
    return {Outcome::Broken, llvm::toString(dtype.takeError())};
  auto signature = getSignature(recurrence, *dtype);
  if (!signature)
    return {Outcome::Broken, llvm::toString(signature.takeError())};
  auto kernel =
      LoadedKernel::compile(derived, options, recurrence.getSymName(), true);
  if (!kernel)
    return refusal(kernel.takeError());
  CompileOptions whole = options;
  whole.from = "recurrence";
  Format products = productsFor(recurrence, whole, *dtype);
  for (size_t shape = 0; shape < what.shapes.size(); ++shape) {
    Outcome outcome = checkLaunch(*kernel, *signature, shape, products);
    if (outcome.kind != Outcome::Right)
      return outcome;
  }
  return {};
}

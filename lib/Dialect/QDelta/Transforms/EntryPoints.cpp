//===- EntryPoints.cpp - functions that run one recurrence ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"

#include "DeriveSummary.h"

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"

using namespace mlir;
using namespace qdelta;

/// The type of the operand that carries step argument `arg`: `lead` dynamic
/// dimensions, of which the first is 1 if it is packed, then the argument's
/// own.
static RankedTensorType sequenceType(Type arg, unsigned lead,
                                     bool isPacked = false) {
  SmallVector<int64_t> shape(lead, ShapedType::kDynamic);
  if (isPacked)
    shape[0] = 1;
  if (auto tensor = dyn_cast<RankedTensorType>(arg))
    llvm::append_range(shape, tensor.getShape());
  return RankedTensorType::get(shape, getElementTypeOrSelf(arg));
}

std::string qdelta::entryPointName(StringRef recurrence, StringRef kind) {
  return (recurrence + "_" + kind).str();
}

static bool isPacked(const EntryPoint &entry) { return entry.kind == "packed"; }

static void addEntryPoint(RecurrenceOp recurrence, const EntryPoint &entry) {
  OpBuilder b(recurrence->getContext());
  b.setInsertionPointAfter(recurrence);
  Location loc = recurrence.getLoc();
  SmallVector<Type> inputs, outputs, finals;
  for (BlockArgument token : recurrence.getTokens())
    inputs.push_back(sequenceType(token.getType(),
                                  token == recurrence.getLevels() ? 4 : 3,
                                  isPacked(entry)));
  for (BlockArgument param : recurrence.getParams())
    inputs.push_back(sequenceType(param.getType(), 1));
  for (BlockArgument state : recurrence.getStates())
    finals.push_back(sequenceType(state.getType(), 2));
  llvm::append_range(inputs, finals);
  if (recurrence.getLevels())
    inputs.push_back(
        RankedTensorType::get(ShapedType::kDynamic, b.getI32Type()));
  bool isIndexed = entry.kind == "step_indexed";
  if (isIndexed)
    inputs.push_back(
        RankedTensorType::get(ShapedType::kDynamic, b.getI32Type()));
  if (isPacked(entry))
    inputs.push_back(RankedTensorType::get(ShapedType::kDynamic,
                                           b.getIntegerType(entry.seqlenBits)));
  for (Value output : recurrence.getYield().getOutputs())
    outputs.push_back(sequenceType(output.getType(), 3, isPacked(entry)));

  SmallVector<Type> results(outputs);
  llvm::append_range(results, finals);
  auto func = func::FuncOp::create(
      b, loc, entryPointName(recurrence.getSymName(), entry.kind),
      b.getFunctionType(inputs, results));
  func->setAttr(kRecurrenceAttr, FlatSymbolRefAttr::get(recurrence));
  Block *body = func.addEntryBlock();
  b.setInsertionPointToStart(body);
  ValueRange args = body->getArguments();
  size_t tokens = recurrence.getTokens().size();
  size_t params = recurrence.getParams().size();
  auto callee = FlatSymbolRefAttr::get(recurrence);
  ValueRange inits = args.slice(tokens + params, finals.size());
  Value position =
      recurrence.getLevels() ? args[tokens + params + finals.size()] : Value();
  Operation *run;
  if (isIndexed || entry.kind == "step")
    run = StepOp::create(b, loc, outputs, finals, callee,
                         args.take_front(tokens), args.slice(tokens, params),
                         inits, position, isIndexed ? args.back() : Value());
  else
    run =
        ScanOp::create(b, loc, outputs, finals, callee, args.take_front(tokens),
                       args.slice(tokens, params), inits, position,
                       isPacked(entry) ? args.back() : Value());
  func::ReturnOp::create(b, loc, run->getResults());
}

/// Whether `func` is nothing but `run` over its own arguments, in order.
static bool isBareRun(func::FuncOp func, RunOpInterface run) {
  Block &body = func.getBody().front();
  return llvm::hasNItems(body, 2) &&
         llvm::equal(run->getOperands(), body.getArguments()) &&
         llvm::equal(run->getResults(), body.getTerminator()->getOperands());
}

/// Whether `run` reads its state index from `arg`.
static bool isStateIndex(Operation *run, BlockArgument arg) {
  if (auto step = dyn_cast<StepOp>(run))
    return step.getStateIndex() == arg;
  if (auto list = dyn_cast<AffineScanOp>(run))
    return list.getStateIndex() == arg;
  auto prescan = dyn_cast<PrescanOp>(run);
  return prescan && prescan.getStateIndex() == arg;
}

BlockArgument qdelta::cuSeqlensOf(func::FuncOp func) {
  RecurrenceOp recurrence = recurrenceOf(func);
  bool isPosition = recurrence && recurrence.getLevels();
  for (BlockArgument arg : func.getArguments()) {
    auto type = dyn_cast<ShapedType>(arg.getType());
    if (!type || !type.getElementType().isInteger())
      continue;
    // The first one, with levels.
    if (!std::exchange(isPosition, false) &&
        llvm::none_of(arg.getUsers(),
                      [&](Operation *user) { return isStateIndex(user, arg); }))
      return arg;
  }
  return {};
}

/// The kind of entry function that does nothing but `run`.
static StringRef kindOf(RunOpInterface run) {
  if (run.isInPlace())
    return run.getStateIndex() ? "step_indexed" : "step";
  return run.getCuSeqlens() ? "packed" : "forward";
}

/// Gives what was derived for `entry` a function that runs it forward.
static void addSummaryPoints(ModuleOp module, const EntryPoint &entry) {
  for (auto recurrence : llvm::to_vector(module.getOps<RecurrenceOp>())) {
    auto of = recurrence->getAttrOfType<FlatSymbolRefAttr>(kSummaryOfAttr);
    StringRef name = recurrence.getSymName();
    if (of && name == entryPointName(of.getValue(), entry.kind) &&
        !module.lookupSymbol(entryPointName(name)))
      addEntryPoint(recurrence, {});
  }
}

void qdelta::addForward(RecurrenceOp recurrence) {
  addEntryPoint(recurrence, {});
}

void qdelta::addEntryPoints(ModuleOp module, const EntryPoint &entry) {
  if (isSummaryKind(entry.kind))
    return addSummaryPoints(module, entry);
  llvm::DenseSet<StringAttr> used;
  module.walk([&](RunOpInterface run) {
    StringAttr callee = run.getCalleeAttr().getAttr();
    if (entry.kind == "forward" || kindOf(run) == entry.kind)
      used.insert(callee);
    // Whoever runs a summary need not run what it is of.
    if (auto recurrence = module.lookupSymbol<RecurrenceOp>(callee))
      if (auto of =
              recurrence->getAttrOfType<FlatSymbolRefAttr>(kSummaryOfAttr))
        used.insert(of.getAttr());
    auto func = run->getParentOfType<func::FuncOp>();
    if (func && isBareRun(func, run))
      func->setAttr(kRecurrenceAttr, run.getCalleeAttr());
  });
  // Entry functions of later phases hold no scan any more.
  for (auto func : module.getOps<func::FuncOp>()) {
    auto name = func->getAttrOfType<FlatSymbolRefAttr>(kRecurrenceAttr);
    if (name && func.getBody().getOps<RunOpInterface>().empty() &&
        (!isPacked(entry) || cuSeqlensOf(func)))
      used.insert(name.getAttr());
  }
  for (auto recurrence : llvm::to_vector(module.getOps<RecurrenceOp>()))
    if (!used.contains(recurrence.getSymNameAttr()))
      addEntryPoint(recurrence, entry);
}

RecurrenceOp qdelta::recurrenceOf(func::FuncOp func) {
  auto name = func->getAttrOfType<FlatSymbolRefAttr>(kRecurrenceAttr);
  if (!name)
    return nullptr;
  return SymbolTable::lookupNearestSymbolFrom<RecurrenceOp>(func, name);
}

//===- EntryPoints.cpp - functions that run one recurrence ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"

using namespace mlir;
using namespace qdelta;

/// The type of the operand that carries step argument `arg`: `lead` dynamic
/// dimensions, then the argument's own.
static RankedTensorType sequenceType(Type arg, unsigned lead) {
  SmallVector<int64_t> shape(lead, ShapedType::kDynamic);
  if (auto tensor = dyn_cast<RankedTensorType>(arg))
    llvm::append_range(shape, tensor.getShape());
  return RankedTensorType::get(shape, getElementTypeOrSelf(arg));
}

std::string qdelta::entryPointName(StringRef recurrence, StringRef entry) {
  return (recurrence + "_" + entry).str();
}

static void addEntryPoint(RecurrenceOp recurrence, StringRef entry) {
  OpBuilder b(recurrence->getContext());
  b.setInsertionPointAfter(recurrence);
  Location loc = recurrence.getLoc();
  SmallVector<Type> inputs, outputs, finals;
  for (BlockArgument token : recurrence.getTokens())
    inputs.push_back(sequenceType(token.getType(), 3));
  for (BlockArgument param : recurrence.getParams())
    inputs.push_back(sequenceType(param.getType(), 1));
  for (BlockArgument state : recurrence.getStates())
    finals.push_back(sequenceType(state.getType(), 2));
  llvm::append_range(inputs, finals);
  bool isIndexed = entry == "step_indexed";
  if (isIndexed)
    inputs.push_back(
        RankedTensorType::get(ShapedType::kDynamic, b.getI32Type()));
  for (Value output : recurrence.getYield().getOutputs())
    outputs.push_back(sequenceType(output.getType(), 3));

  SmallVector<Type> results(outputs);
  llvm::append_range(results, finals);
  auto func = func::FuncOp::create(
      b, loc, entryPointName(recurrence.getSymName(), entry),
      b.getFunctionType(inputs, results));
  func->setAttr(kRecurrenceAttr, FlatSymbolRefAttr::get(recurrence));
  Block *body = func.addEntryBlock();
  b.setInsertionPointToStart(body);
  ValueRange args = body->getArguments();
  size_t tokens = recurrence.getTokens().size();
  size_t params = recurrence.getParams().size();
  auto callee = FlatSymbolRefAttr::get(recurrence);
  ValueRange inits = args.slice(tokens + params, finals.size());
  Operation *run;
  if (entry == "forward")
    run =
        ScanOp::create(b, loc, outputs, finals, callee, args.take_front(tokens),
                       args.slice(tokens, params), inits);
  else
    run = StepOp::create(b, loc, outputs, finals, callee,
                         args.take_front(tokens), args.slice(tokens, params),
                         inits, isIndexed ? args.back() : Value());
  func::ReturnOp::create(b, loc, run->getResults());
}

/// Whether `func` is nothing but `run` over its own arguments, in order.
static bool isBareRun(func::FuncOp func, RunOpInterface run) {
  Block &body = func.getBody().front();
  return llvm::hasNItems(body, 2) &&
         llvm::equal(run->getOperands(), body.getArguments()) &&
         llvm::equal(run->getResults(), body.getTerminator()->getOperands());
}

void qdelta::addEntryPoints(ModuleOp module, StringRef entry) {
  llvm::DenseSet<StringAttr> used;
  module.walk([&](RunOpInterface run) {
    used.insert(run.getCalleeAttr().getAttr());
    auto func = run->getParentOfType<func::FuncOp>();
    if (func && isBareRun(func, run))
      func->setAttr(kRecurrenceAttr, run.getCalleeAttr());
  });
  // Entry functions of later phases hold no scan any more.
  for (auto func : module.getOps<func::FuncOp>())
    if (auto name = func->getAttrOfType<FlatSymbolRefAttr>(kRecurrenceAttr))
      used.insert(name.getAttr());
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

//===- EntryPoints.cpp - functions that run one recurrence ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"

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
    inputs.push_back(sequenceType(token.getType(), 3, isPacked(entry)));
  for (BlockArgument param : recurrence.getParams())
    inputs.push_back(sequenceType(param.getType(), 1));
  for (BlockArgument state : recurrence.getStates())
    finals.push_back(sequenceType(state.getType(), 2));
  llvm::append_range(inputs, finals);
  if (isPacked(entry))
    inputs.push_back(RankedTensorType::get({ShapedType::kDynamic},
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
  auto scan = ScanOp::create(
      b, loc, outputs, finals, FlatSymbolRefAttr::get(recurrence),
      args.take_front(tokens), args.slice(tokens, params),
      args.slice(tokens + params, finals.size()),
      isPacked(entry) ? args.back() : Value());
  func::ReturnOp::create(b, loc, scan.getResults());
}

/// Whether `func` is nothing but `scan` over its own arguments, in order.
static bool isBareScan(func::FuncOp func, ScanOp scan) {
  Block &body = func.getBody().front();
  return llvm::hasNItems(body, 2) &&
         llvm::equal(scan.getOperands(), body.getArguments()) &&
         llvm::equal(scan.getResults(), body.getTerminator()->getOperands());
}

BlockArgument qdelta::cuSeqlensOf(func::FuncOp func) {
  for (BlockArgument arg : func.getArguments())
    if (auto type = dyn_cast<ShapedType>(arg.getType());
        type && type.getElementType().isInteger())
      return arg;
  return {};
}

void qdelta::addEntryPoints(ModuleOp module, const EntryPoint &entry) {
  llvm::DenseSet<StringAttr> used;
  module.walk([&](ScanOp scan) {
    if (!isPacked(entry) || scan.getCuSeqlens())
      used.insert(scan.getCalleeAttr().getAttr());
    auto func = scan->getParentOfType<func::FuncOp>();
    if (func && isBareScan(func, scan))
      func->setAttr(kRecurrenceAttr, scan.getCalleeAttr());
  });
  // Entry functions of later phases hold no scan any more.
  for (auto func : module.getOps<func::FuncOp>())
    if (auto name = func->getAttrOfType<FlatSymbolRefAttr>(kRecurrenceAttr);
        name && (!isPacked(entry) || cuSeqlensOf(func)))
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

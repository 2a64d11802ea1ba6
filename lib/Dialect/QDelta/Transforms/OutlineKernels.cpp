//===- OutlineKernels.cpp - a function for each GPU kernel ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/IR/KernelOperands.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qdelta {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

static ScheduleAttr scheduleOf(Operation *op) {
  return op->getAttrOfType<ScheduleAttr>("schedule");
}

static bool isKernel(Operation *op) {
  if (isa<FenwickOp, AddLevelsOp>(op))
    return true;
  return isa<AffineScanOp, PrescanOp>(op) && scheduleOf(op) &&
         scheduleOf(op).getKernel();
}

/// Stores a vector sequence that another op of `ops` makes, or takes, as
/// `element`.
static void storeAs(Value sequence, FloatType element,
                    ArrayRef<Operation *> ops) {
  auto type = dyn_cast<RankedTensorType>(sequence.getType());
  Operation *maker = sequence.getDefiningOp();
  if (!type || type.getRank() != 4 || !llvm::is_contained(ops, maker) ||
      !type.getElementType().isF32())
    return;
  // What the function returns is its type's to say.
  if (llvm::all_of(sequence.getUsers(), [&](Operation *user) {
        return llvm::is_contained(ops, user);
      }))
    sequence.setType(type.clone(element));
}

/// Whether it is a vector of log decays, which are multiplied in f32.
static bool isLog(BlockArgument token) {
  return llvm::all_of(token.getUsers(),
                      [](Operation *user) { return isa<AffineDecayOp>(user); });
}

/// Tiles of a chunk are in the format of products from memory on.
static void storeOperands(AffineScanOp list, ArrayRef<Operation *> ops) {
  StringRef operands = scheduleOf(list).getOperands();
  FloatType element;
  if (operands == "bf16")
    element = BFloat16Type::get(list.getContext());
  if (operands == "f16")
    element = Float16Type::get(list.getContext());
  if (!element)
    return;
  for (auto [number, token] : llvm::enumerate(list.getTokens()))
    if (!isLog(list.getBody().getArgument(number)))
      storeAs(token, element, ops);
  for (Value output : list.getOutputs())
    storeAs(output, element, ops);
}

/// `op` over the arguments of its kernel.
static Operation *copyInto(OpBuilder &b, Operation *op, ValueRange arguments) {
  Operation *inner = op->clone();
  for (auto [operand, argument] :
       llvm::zip(inner->getOpOperands(), arguments)) {
    auto transpose = operand.get().getDefiningOp<TransposeStateOp>();
    operand.set(argument);
    if (transpose)
      operand.set(TransposeStateOp::create(
          b, transpose.getLoc(), transpose.getType(), argument,
          transpose.getStateIndex() ? arguments.back() : Value()));
  }
  return b.insert(inner);
}

static bool isTransposed(Operation *op) {
  return llvm::any_of(op->getOperands(), [](Value operand) {
    return !!operand.getDefiningOp<TransposeStateOp>();
  });
}

static void outline(func::FuncOp entry, Operation *op, SymbolTable &symbols,
                    size_t number) {
  OpBuilder b(entry);
  SmallVector<Value> tensors = kernelOperands(op);
  // What becomes of the copy that a transposed state is, nobody asks for.
  ResultRange results = op->getResults();
  if (isTransposed(op))
    results = cast<AffineScanOp>(op).getOutputs();
  auto kernel = func::FuncOp::create(
      b, op->getLoc(), (entry.getSymName() + "_" + Twine(number)).str(),
      b.getFunctionType(TypeRange(ValueRange(tensors)), results.getTypes()));
  kernel.setPrivate();
  kernel->remove();
  symbols.insert(kernel, entry->getIterator());
  Block *body = kernel.addEntryBlock();
  b.setInsertionPointToStart(body);
  Operation *inner = copyInto(b, op, body->getArguments());
  func::ReturnOp::create(b, op->getLoc(),
                         inner->getResults().take_front(results.size()));
  b.setInsertionPoint(op);
  auto call = func::CallOp::create(b, op->getLoc(), kernel, tensors);
  for (auto [result, made] : llvm::zip(results, call.getResults()))
    result.replaceAllUsesWith(made);
  op->erase();
}

namespace {
struct OutlineKernelsPass
    : qdelta::impl::OutlineKernelsBase<OutlineKernelsPass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto func : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      SmallVector<Operation *> ops;
      func.walk([&](Operation *op) {
        if (isKernel(op))
          ops.push_back(op);
      });
      bool isOnlyList =
          ops.size() == 1 && isa<AffineScanOp>(ops[0]) && !isTransposed(ops[0]);
      if (ops.empty() || isOnlyList)
        continue;
      if (!func->hasAttr(kRecurrenceAttr)) {
        func.emitError("expected a function that is one qdelta.scan over all "
                       "of its arguments, in order, and returns the scan's "
                       "results; any other has no kernel, only engine "
                       "reference evaluates it");
        return signalPassFailure();
      }
      for (Operation *op : ops)
        if (auto list = dyn_cast<AffineScanOp>(op))
          storeOperands(list, ops);
      SmallVector<Operation *> transposes;
      func.walk([&](TransposeStateOp op) { transposes.push_back(op); });
      for (auto [number, op] : llvm::enumerate(ops))
        outline(func, op, symbols, number);
      for (Operation *op : transposes)
        if (op->use_empty())
          op->erase();
    }
  }
};
} // namespace

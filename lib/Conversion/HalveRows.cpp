//===- HalveRows.cpp - rows whose halves meet, in halves ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "HalveRows.h"
#include "LaneOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace {
/// The lane that a shuffle's lanes count up from; -1 if they do not.
int64_t firstLane(vector::ShuffleOp shuffle) {
  ArrayRef<int64_t> lanes = shuffle.getMask();
  for (auto [i, lane] : llvm::enumerate(lanes))
    if (lane != lanes.front() + static_cast<int64_t>(i))
      return -1;
  return lanes.front();
}

/// The length of a row; -1 for other vectors.
int64_t lengthOf(Value row) {
  auto type = cast<VectorType>(row.getType());
  return type.getRank() == 1 ? type.getDimSize(0) : -1;
}

/// Whether a shuffle is the one or the other half of its first operand.
bool isHalf(vector::ShuffleOp shuffle) {
  int64_t half = lengthOf(shuffle.getResult()), first = firstLane(shuffle);
  return lengthOf(shuffle.getV1()) == 2 * half && (first == 0 || first == half);
}

/// Whether a shuffle is its two operands, one behind the other.
bool isBoth(vector::ShuffleOp shuffle) {
  int64_t half = lengthOf(shuffle.getV1());
  return lengthOf(shuffle.getV2()) == half && firstLane(shuffle) == 0 &&
         lengthOf(shuffle.getResult()) == 2 * half;
}

class Halves {
public:
  explicit Halves(Block &block) : block(block) {}
  bool analyse();
  void rewrite();

private:
  bool isRow(Value value) const {
    auto type = dyn_cast<VectorType>(value.getType());
    return type && type.getRank() == 1 && type.getDimSize(0) == length;
  }
  bool isSupported(Operation *op) const;
  void halve(Operation *op);
  Value halfOf(Value row, bool second) {
    return map[second].lookupOrDefault(row);
  }
  Operation *cloned(Operation *op, bool second);
  template <typename Transfer>
  void halveTransfer(Transfer transfer);

  Block &block;
  OpBuilder b{block.getParent()->getContext()};
  int64_t length = 0;
  SmallVector<Operation *> rowOps;
  /// What each row's first and second half are.
  IRMapping map[2];
};

bool Halves::isSupported(Operation *op) const {
  if (op->getNumRegions() != 0)
    return false;
  for (Value operand : op->getOperands()) {
    Operation *def = operand.getDefiningOp();
    if (isRow(operand) && (!def || def->getBlock() != &block) &&
        !qdelta::isSplatConstant(operand))
      return false;
  }
  for (Value result : op->getResults())
    for (Operation *user : result.getUsers())
      if (isRow(result) && user->getBlock() != &block)
        return false;
  if (auto shuffle = dyn_cast<vector::ShuffleOp>(op))
    return isHalf(shuffle) || (isRow(shuffle.getResult()) && isBoth(shuffle));
  if (auto reduction = dyn_cast<vector::ReductionOp>(op))
    return !reduction.getAcc();
  return qdelta::isLaneByLane(op);
}

bool Halves::analyse() {
  for (auto shuffle : block.getOps<vector::ShuffleOp>())
    if (isHalf(shuffle))
      length = std::max(length, lengthOf(shuffle.getV1()));
  if (length == 0)
    return false;
  for (Operation &op : block.without_terminator())
    if (llvm::any_of(op.getOperands(), [&](Value v) { return isRow(v); }) ||
        llvm::any_of(op.getResults(), [&](Value v) { return isRow(v); }))
      rowOps.push_back(&op);
  return llvm::none_of(block.getTerminator()->getOperands(),
                       [&](Value v) { return isRow(v); }) &&
         llvm::all_of(rowOps, [&](Operation *op) { return isSupported(op); });
}

/// `op` on the one or the other half of its rows.
Operation *Halves::cloned(Operation *op, bool second) {
  Operation *copy = b.clone(*op, map[second]);
  for (Value result : copy->getResults())
    if (isRow(result)) {
      auto type = cast<VectorType>(result.getType());
      result.setType(VectorType::get({length / 2}, type.getElementType()));
    }
  return copy;
}

template <typename Transfer>
void Halves::halveTransfer(Transfer transfer) {
  for (bool second : {false, true}) {
    auto copy = cast<Transfer>(cloned(transfer, second));
    if (!second)
      continue;
    Location loc = transfer.getLoc();
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(copy);
    OpOperand &column =
        copy.getIndicesMutable()[transfer.getIndices().size() - 1];
    Value half = arith::ConstantIndexOp::create(b, loc, length / 2);
    column.set(matchPattern(column.get(), m_Zero())
                   ? half
                   : arith::AddIOp::create(b, loc, column.get(), half));
  }
}

void Halves::halve(Operation *op) {
  b.setInsertionPoint(op);
  if (auto read = dyn_cast<vector::TransferReadOp>(op))
    return halveTransfer(read);
  if (auto write = dyn_cast<vector::TransferWriteOp>(op))
    return halveTransfer(write);
  if (auto shuffle = dyn_cast<vector::ShuffleOp>(op)) {
    if (isRow(shuffle.getResult())) {
      map[0].map(shuffle.getResult(), shuffle.getV1());
      map[1].map(shuffle.getResult(), shuffle.getV2());
    } else {
      shuffle.replaceAllUsesWith(halfOf(shuffle.getV1(), firstLane(shuffle)));
    }
    return;
  }
  if (auto reduction = dyn_cast<vector::ReductionOp>(op)) {
    Value row = reduction.getVector();
    Value both =
        vector::makeArithReduction(b, op->getLoc(), reduction.getKind(),
                                   halfOf(row, false), halfOf(row, true));
    reduction.replaceAllUsesWith(
        vector::ReductionOp::create(b, op->getLoc(), reduction.getKind(), both)
            .getResult());
    return;
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto type = cast<VectorType>(constant.getType());
    auto value = cast<SplatElementsAttr>(constant.getValue());
    Value half =
        arith::ConstantOp::create(b, op->getLoc(),
                                  value.resizeSplat(VectorType::get(
                                      {length / 2}, type.getElementType())));
    map[0].map(constant.getResult(), half);
    map[1].map(constant.getResult(), half);
    return;
  }
  cloned(op, false);
  cloned(op, true);
}

void Halves::rewrite() {
  for (Operation *op : rowOps) {
    // Constants of other blocks have no halves yet.
    for (Value operand : op->getOperands())
      if (Operation *def = operand.getDefiningOp();
          isRow(operand) && !map[0].contains(operand)) {
        b.setInsertionPoint(op);
        halve(def);
      }
    halve(op);
  }
  for (Operation *op : llvm::reverse(rowOps))
    op->erase();
}
} // namespace

void qdelta::halveRows(Block &block) {
  if (Halves halves(block); halves.analyse())
    halves.rewrite();
}

//===- LaneOps.cpp - ops that take each lane of a row by itself -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "LaneOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

bool qdelta::isSplatConstant(Value value) {
  DenseElementsAttr constant;
  return matchPattern(value, m_Constant(&constant)) && constant.isSplat();
}

bool qdelta::isLaneByLane(Operation *op) {
  if (auto transfer = dyn_cast<VectorTransferOpInterface>(op))
    return !transfer.getMask() && !transfer.hasOutOfBoundsDim() &&
           transfer.getPermutationMap().isMinorIdentity() &&
           isa<MemRefType>(transfer.getBase().getType());
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return isSplatConstant(constant);
  if (auto broadcast = dyn_cast<vector::BroadcastOp>(op))
    return !isa<VectorType>(broadcast.getSource().getType());
  return isa<vector::FMAOp>(op) || op->hasTrait<OpTrait::Elementwise>();
}

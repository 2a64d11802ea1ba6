//===- KernelOperands.cpp - what a list's kernel works on -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/IR/KernelOperands.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

using namespace mlir;
using namespace qdelta;

SmallVector<Value> qdelta::kernelOperands(Operation *op) {
  SmallVector<Value> tensors, indices;
  for (Value operand : op->getOperands()) {
    auto transpose = operand.getDefiningOp<TransposeStateOp>();
    tensors.push_back(transpose ? transpose.getState() : operand);
    if (transpose && transpose.getStateIndex() && indices.empty())
      indices.push_back(transpose.getStateIndex());
  }
  tensors.append(indices);
  return tensors;
}

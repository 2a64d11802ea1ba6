//===- LaneOps.h - ops that take each lane of a row by itself ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_LANEOPS_H
#define QDELTA_CONVERSION_LANEOPS_H

#include "mlir/IR/Operation.h"

namespace qdelta {

/// Whether every lane of a value is the same constant.
bool isSplatConstant(mlir::Value value);

/// Whether the op can be done part by part of its rows: loads and stores of
/// whole rows, constants and broadcasts of one number, and arithmetic.
bool isLaneByLane(mlir::Operation *op);

} // namespace qdelta

#endif // QDELTA_CONVERSION_LANEOPS_H

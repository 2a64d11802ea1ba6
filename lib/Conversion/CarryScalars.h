//===- CarryScalars.h - scalars of a buffer in registers --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CARRYSCALARS_H
#define QDELTA_CONVERSION_CARRYSCALARS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qdelta {

/// A scalar that each turn of a loop loads from a buffer and then stores there
/// goes from turn to turn in a register, from the innermost loop outwards, if
/// nothing else in the loop uses the buffer.
void carryScalars(mlir::func::FuncOp func);

} // namespace qdelta

#endif // QDELTA_CONVERSION_CARRYSCALARS_H

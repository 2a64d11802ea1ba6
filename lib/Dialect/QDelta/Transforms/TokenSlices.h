//===- TokenSlices.h - runs of a sequence's tokens --------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_TOKENSLICES_H
#define QDELTA_TRANSFORMS_TOKENSLICES_H

#include "mlir/IR/Builders.h"

namespace qdelta {

/// `count` tokens of a sequence [B, T, ...] from token `from` on.
mlir::Value takeTokens(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value sequence, mlir::OpFoldResult from,
                       mlir::OpFoldResult count);

/// The sequence with these tokens from `part`.
mlir::Value putTokens(mlir::OpBuilder &b, mlir::Location loc, mlir::Value part,
                      mlir::Value sequence, mlir::OpFoldResult from,
                      mlir::OpFoldResult count);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_TOKENSLICES_H

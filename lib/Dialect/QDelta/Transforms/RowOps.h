//===- RowOps.h - lowering of ops that work row by row ----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_ROWOPS_H
#define QDELTA_TRANSFORMS_ROWOPS_H

#include "TileParts.h"

#include "mlir/IR/PatternMatch.h"

namespace qdelta {

/// Expands `op` into vector ops on the parts of its tiles if it is a
/// `qdelta.splat`, `dot`, `mean` or `rotate`; returns whether it is.
bool expandRowOp(mlir::OpBuilder &b, TileParts &parts, mlir::Operation *op);

/// The same ops as linalg on tiles.
void populateRowOpPatterns(mlir::RewritePatternSet &patterns);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_ROWOPS_H

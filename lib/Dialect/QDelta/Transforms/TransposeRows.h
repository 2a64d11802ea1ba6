//===- TransposeRows.h - an item's state with its sides exchanged *- C++
//-*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_TRANSPOSEROWS_H
#define QDELTA_TRANSFORMS_TRANSPOSEROWS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qdelta {

/// Replaces each `qdelta.transpose_state` of `func`, of one state [1, 1, K, V],
/// by loops. With `lanes`, a power of 2, above 1 squares of lanes by lanes
/// elements are rows in vectors; what is left over, or all, goes element by
/// element.
void lowerTransposes(mlir::func::FuncOp func, int64_t lanes);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_TRANSPOSEROWS_H

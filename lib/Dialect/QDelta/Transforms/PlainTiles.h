//===- PlainTiles.h - the tiles that engines cpu and scalar lower -*- C++
//-*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_PLAINTILES_H
#define QDELTA_TRANSFORMS_PLAINTILES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qdelta {

/// Emits an error at the first chunk op of `func` that the lowerings of engines
/// cpu and scalar do not know: a tile of a state, one that is known to end past its source, and
/// `chunk_inverse`.
mlir::LogicalResult verifyPlainTiles(mlir::func::FuncOp func);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_PLAINTILES_H

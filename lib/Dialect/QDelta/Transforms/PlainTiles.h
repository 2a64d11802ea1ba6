//===- PlainTiles.h - the tiles that engines cpu and scalar lower -*- C++
//-*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_PLAINTILES_H
#define QDELTA_TRANSFORMS_PLAINTILES_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qdelta {

/// Emits an error at the first chunk op of `func` that the lowerings of engines
/// cpu and scalar do not know: a tile of a state, one that is known to end past
/// its source, and `chunk_inverse`.
mlir::LogicalResult verifyPlainTiles(mlir::func::FuncOp func);

/// Whether the keys of an update are narrower than its state: it multiplies
/// pairs and stays one op in the linalg phase.
bool multipliesPairs(ChunkUpdateOp op);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_PLAINTILES_H

//===- JoinPasses.h - one pass over a state for its reads and update -----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_JOINPASSES_H
#define QDELTA_TRANSFORMS_JOINPASSES_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// Moves the reads of a state, and what is made of them, behind its update if
/// that `goesByRows` and needs none of them. A state is a value, so that the
/// reads still are of what it was before.
void moveReadsBehindUpdates(mlir::Operation *root,
                            llvm::function_ref<bool(ChunkUpdateOp)> goesByRows);

/// The reads right behind an update that are of the state before it.
llvm::SmallVector<ChunkReadOp> readsBehind(ChunkUpdateOp update);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_JOINPASSES_H

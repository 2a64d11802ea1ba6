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

/// `update` and those right behind it that can share a pass over the rows: each
/// works on what is left of states by those before it, and nothing but they use
/// what is not left in the end. Alone if there is none.
llvm::SmallVector<ChunkUpdateOp> updatesFrom(ChunkUpdateOp update);
/// Of such updates, for each state that they update: what it is before them,
/// and after all of them, in one order.
llvm::SmallVector<mlir::Value> firstOf(llvm::ArrayRef<ChunkUpdateOp> updates);
llvm::SmallVector<mlir::Value> lastOf(llvm::ArrayRef<ChunkUpdateOp> updates);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_JOINPASSES_H

//===- ChunkStep.h - what a chunk does to one block of value columns ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_CHUNKSTEP_H
#define QDELTA_TRANSFORMS_CHUNKSTEP_H

#include "ChunkSystem.h"
#include "ValueDecays.h"

namespace qdelta {

/// How the unknown writes are found: by substitution, or by making the system's
/// inverse, whose entries may be known to be at most 1, and applying it.
enum class StepSolver { Substitution, Inverse, BoundedInverse };

/// A chunk's values for one block, each a tile [C x W].
struct ChunkStep {
  /// What each write writes.
  llvm::SmallVector<mlir::Value> written;
  /// What it adds to the states that it reaches by the chunk's end.
  llvm::SmallVector<ByState> updates;
  llvm::SmallVector<mlir::Value> outputs;
  /// What the value channels of each state lose over the chunk, [1 x W]; null
  /// for nothing. With deferred decays, whether they lose it now, and what
  /// decays have come to after the chunk.
  llvm::SmallVector<mlir::Value> columns;
  mlir::Value columnsDecay, nextRunning;
  /// Where the list is done in order: the factors [C x W] of those of its steps
  /// that are decays per value channel.
  llvm::SmallVector<mlir::Value> couplings;
};

/// What a write adds to its own state, [C x W]. `late` are the tiles of the
/// late readings as far as they are known.
using ValueOfWrite = llvm::function_ref<mlir::Value(
    unsigned write, llvm::ArrayRef<mlir::Value> late)>;

/// Updates the states token by token, and returns the tiles of the list's late
/// readings.
using UpdateByTokens = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    const ChunkStep &, ValueOfWrite)>;

/// Solves the chunk's `system` for the columns that `tiles` loads. `readouts`
/// holds X S of each reading at the chunk's start, `valid` [C] tells which
/// tokens exist; it may be null without decays per value channel. `running` is
/// null unless those are deferred. `updateByTokens` is called before there are
/// outputs if the list goes token by token. Fails with an error if a
/// token-local op does not apply to tiles.
mlir::FailureOr<ChunkStep>
createChunkStep(mlir::OpBuilder &b, mlir::Location loc, const ChunkList &list,
                ChunkSystem &system, TokenTiles &tiles, mlir::Value valid,
                mlir::Value running,
                const llvm::DenseMap<Reading, mlir::Value> &readouts,
                mlir::RankedTensorType tileType, StepSolver solver,
                UpdateByTokens updateByTokens = nullptr);

/// Creates the update of state number `state` by a chunk, and the next chunk's
/// products of the new state with `reads`. `states` are the blocks of all
/// states at the chunk's start.
ChunkUpdateOp createStateUpdate(mlir::OpBuilder &b, mlir::Location loc,
                                const ChunkSystem &system,
                                const ChunkStep &step, unsigned state,
                                llvm::ArrayRef<mlir::Value> states,
                                mlir::RankedTensorType tileType,
                                mlir::ValueRange reads);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_CHUNKSTEP_H

//===- ChunkSystem.h - what a chunk's system is made of ---------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//
//
// The chunk form splits in two. What depends on keys and token scalars only,
// the ChunkSystem, is the same for every value column: it is made once per
// chunk. What carries value columns (the readouts, the solve, the outputs, the
// update) uses it.
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_CHUNKSYSTEM_H
#define QDELTA_TRANSFORMS_CHUNKSYSTEM_H

#include "ChunkList.h"
#include "TokenTiles.h"

namespace qdelta {

/// One row block of the system: how a write's value or an output of the chunk's
/// tokens follows from readouts of the state, token-local vectors and the
/// values of earlier writes. Tiles [C]; a null coefficient is 1.
struct ChunkTarget {
  /// Coefficient of each base's readout of the state at the chunk's start.
  llvm::MapVector<mlir::Value, mlir::Value> readouts;
  /// Coefficient of each token-local value vector.
  llvm::MapVector<mlir::Value, mlir::Value> direct;
  /// For write w: the [C x C] matrix that its values enter with, and whether a
  /// token's own write is among them.
  struct Interaction {
    mlir::Value matrix;
    bool inclusive;
  };
  llvm::MapVector<unsigned, Interaction> earlier;
};

/// The part of a chunk that all value columns share.
struct ChunkSystem {
  llvm::MapVector<mlir::Value, mlir::Value> keys; // vector -> tile [C x K]
  llvm::SmallVector<ChunkTarget> writes, outputs;
  /// Factor of each write's values in the update, [C]; 0 for tokens that do not
  /// exist.
  llvm::SmallVector<mlir::Value> updateFactors;
  /// Factor of the stored state in the update.
  mlir::Value decay;
  /// With a deferred decay: the state is `runningDecay` (f64) times what is
  /// stored, at the chunk's start and after its update. Null otherwise.
  mlir::Value runningDecay, nextRunningDecay;
  /// Token scalars that token-local value vectors need, as tiles.
  llvm::MapVector<mlir::Value, mlir::Value> scalars;

  /// Calls `visit` for each value that crosses from the shared part to the
  /// columns, in a fixed order.
  void forEachShared(llvm::function_ref<void(mlir::Value &)> visit);
};

/// Creates the system of the chunk whose token-local values are `tiles`.
/// `valid` [C] tells which tokens exist; `runningDecay` is null unless the
/// decay is deferred. Fails with an error if a token-local op does not apply to
/// tiles.
mlir::FailureOr<ChunkSystem>
createChunkSystem(mlir::OpBuilder &b, mlir::Location loc, const ChunkList &list,
                  TokenTiles &tiles, mlir::Value valid,
                  mlir::Value runningDecay);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_CHUNKSYSTEM_H

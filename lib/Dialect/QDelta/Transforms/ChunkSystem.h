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

#include "ChunkCoupling.h"
#include "TokenFactors.h"

namespace qdelta {

/// One row block of the system: how a write's value or an output of the chunk's
/// tokens follows from readouts of the state, token-local vectors and the
/// values of earlier writes. Tiles [C]; a null coefficient is 1.
struct ChunkTarget {
  /// Coefficient of each reading of the state at the chunk's start, at each
  /// value place.
  llvm::MapVector<PlacedReading, mlir::Value> readouts;
  /// Coefficient of each late reading, by number.
  llvm::MapVector<unsigned, mlir::Value> late;
  /// Coefficient of each token-local value vector.
  llvm::MapVector<mlir::Value, mlir::Value> direct;
  /// For write w and the value place of reads: the [C x C] matrix that its
  /// values enter with, and whether a token's own write is among them. What
  /// value channels lose in between is not part of it.
  struct Interaction {
    mlir::Value matrix;
    bool inclusive;
  };
  llvm::MapVector<std::pair<unsigned, int64_t>, Interaction> earlier;
  /// Of a write: the coefficient of the known one that it joins.
  llvm::MapVector<unsigned, mlir::Value> joined;
};

/// The key vectors that readings multiply the state with, tiles [C x K]: bases,
/// with what the channels have lost since the chunk's start.
using ReadTiles = llvm::MapVector<Reading, mlir::Value>;

/// A tile or number for each state that has one.
using ByState = llvm::MapVector<unsigned, mlir::Value>;

/// What a chunk does to one state, its writes left out.
struct StateUpdate {
  /// Factor of the stored state in the update.
  mlir::Value decay;
  /// Factor of each channel of the stored state, [1 x K], and whether it is to
  /// be applied at all. Null without decays per channel, and without deferred
  /// ones.
  mlir::Value channelDecay, channelsDecay;
  /// Factors of other states at the chunk's start.
  ByState others;
};

/// The part of a chunk that all value columns share.
struct ChunkSystem {
  ReadTiles reads;
  /// The key of each write with what its channels lose up to the chunk's end,
  /// tiles [C x K].
  llvm::SmallVector<mlir::Value> writeKeys;
  llvm::SmallVector<ChunkTarget> writes, outputs;
  /// Factor of each write's values in the updates of the states that it
  /// reaches, [C]; 0 for tokens that do not exist.
  llvm::SmallVector<ByState> updateFactors;
  llvm::SmallVector<StateUpdate> states;
  /// Instead of these, where a pass goes token by token: the factors of its
  /// steps, and the key vectors [C x K] of late readings.
  TokenFactors tokens;
  llvm::SmallVector<mlir::Value> lateKeys;
  /// With deferred decays: what they have come to after the chunk's update.
  RunningDecay nextRunning;
  /// Token scalars that token-local value vectors need, as tiles.
  llvm::MapVector<mlir::Value, mlir::Value> scalars;

  /// Calls `visit` for each value that crosses from the shared part to the
  /// columns, in a fixed order. A value may come up more than once.
  void forEachShared(llvm::function_ref<void(mlir::Value &)> visit);
};

/// Creates the system of the chunk whose token-local values are `tiles`.
/// `valid` [C] tells which tokens exist; `running` is null unless decays are
/// deferred. Fails with an error if a token-local op does not apply to tiles.
mlir::FailureOr<ChunkSystem>
createChunkSystem(mlir::OpBuilder &b, mlir::Location loc, const ChunkList &list,
                  TokenTiles &tiles, mlir::Value valid, RunningDecay running);

/// The readings alone, of a state that nothing is deferred of.
mlir::FailureOr<ReadTiles>
createReadTiles(mlir::OpBuilder &b, mlir::Location loc, const ChunkList &list,
                TokenTiles &tiles, mlir::Value valid);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_CHUNKSYSTEM_H

//===- TokenFactors.h - factors of passes that go token by token -*- C++ -*-==//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_TOKENFACTORS_H
#define QDELTA_TRANSFORMS_TOKENFACTORS_H

#include "ChunkDecays.h"

namespace qdelta {

/// What the row steps of a list multiply by where one pass takes a chunk's
/// tokens one after the other, tiles [C]; a null one is 1.
///
/// With deferred decays every state is stored divided by a running decay of its
/// own: a write is divided by it, what is mixed in is multiplied by that of its
/// own state and divided by that of the other, and a reading is multiplied by
/// it. A decay only changes the running one; before that leaves
/// [2^-40, 2^40] the rows are multiplied by it, and it becomes 1.
struct TokenFactors {
  /// Of each coupling step: what a decay multiplies the rows by, mostly 1, or
  /// what a mix does, 0 for tokens that do not exist. Of a decay per key
  /// channel a tile [C x K]; null of one per value channel.
  llvm::SmallVector<mlir::Value> couplings;
  /// Of each write; 0 for tokens that do not exist.
  llvm::SmallVector<mlir::Value> writes;
  /// Of each late reading.
  llvm::SmallVector<mlir::Value> reads;
};

/// Creates the factors of the chunk of which `valid` [C] tells which tokens
/// exist. `running` becomes what it is at the chunk's end. Fails with an error
/// if a token-local op does not apply to tiles.
mlir::FailureOr<TokenFactors>
createTokenFactors(mlir::OpBuilder &b, mlir::Location loc,
                   const ChunkList &list, TokenTiles &tiles, mlir::Value valid,
                   RunningDecay &running);

/// Vectors of a row's width that a pass keeps in registers: the rows of all
/// states, sums of readings, values of writes and factors of mixes.
int64_t countRowsOfTokens(const ChunkList &list);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_TOKENFACTORS_H

//===- ChunkCoupling.h - what states of a chunk become of others -*- C++ -*-==//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_CHUNKCOUPLING_H
#define QDELTA_TRANSFORMS_CHUNKCOUPLING_H

#include "ChunkDecays.h"

namespace qdelta {

/// What the states of a list become, and become of one another, between the
/// places of a chunk. Where mixes carry nothing from one state to another there
/// is nothing to ask for (`ChunkList::reaches`). A null tile is 1.
class ChunkCoupling {
public:
  /// `running` belongs to the only state or has one for each state, or is null.
  ChunkCoupling(mlir::OpBuilder &b, mlir::Location loc, const ChunkList &list,
                mlir::Value valid, RunningDecay running);

  /// Makes the tiles of logs and coefficients. Fails with an error if a
  /// token-local op does not apply to tiles.
  mlir::LogicalResult load(TokenTiles &tiles);
  /// Makes the factors of the whole chunk, which `total` gives.
  void createTotals();

  ChunkDecays &decaysOf(unsigned state) { return decays[state]; }

  /// What `source` at the chunk's start is of the state of `read` at its place
  /// of each token, [C].
  mlir::Value to(const ListEntry &read, unsigned source);
  /// What `write` at its place of each token is of `target` at the chunk's end,
  /// [C]; 0 for tokens that do not exist.
  mlir::Value updateFactor(const ListEntry &write, unsigned target);
  /// What stands between the two, [C x C], 0 where the write does not stand
  /// before the read; null if `ChunkDecays::gram` has seen to all that.
  mlir::Value between(const ListEntry &write, const ListEntry &read);
  /// What `source` at the chunk's start is of `target` at its end, a number.
  mlir::Value total(unsigned source, unsigned target);

private:
  mlir::Value fromStart(const ListEntry &read, unsigned source);
  mlir::Value transfer(unsigned source, unsigned target, mlir::Type type,
                       std::optional<int64_t> from, std::optional<int64_t> to,
                       bool inclusive = false);
  bool isPlain(unsigned source, unsigned target) const {
    return source == target && !list.returns(source);
  }

  mlir::OpBuilder &b;
  mlir::Location loc;
  const ChunkList &list;
  mlir::Value valid;
  mlir::RankedTensorType scalarTile;
  llvm::SmallVector<ChunkDecays, 1> decays; // by state
  RunningDecay running;
  /// Of the list's coupling steps; none without mixes.
  llvm::SmallVector<mlir::Value> steps;
  llvm::SmallVector<int64_t> targets, sources;
};

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_CHUNKCOUPLING_H

//===- ChunkDecays.h - the decays of a chunk ---------------------*- C++
//-*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_CHUNKDECAYS_H
#define QDELTA_TRANSFORMS_CHUNKDECAYS_H

#include "ChunkList.h"
#include "TokenTiles.h"

namespace qdelta {

/// What a deferred decay has come to: the state is `common` times `channels`
/// times what is stored. Each is null unless the list has decays of its kind.
struct RunningDecay {
  mlir::Value common;   // f64
  mlir::Value channels; // [1 x K] in f64
  /// Of each state by itself, f64, where a pass goes token by token; null for a
  /// state without decays. Empty otherwise.
  llvm::SmallVector<mlir::Value, 0> states;

  /// What it is for state number `state`.
  RunningDecay of(unsigned state) const {
    return states.empty() ? *this : RunningDecay{states[state], {}, {}};
  }
  explicit operator bool() const {
    return common || channels ||
           llvm::any_of(states, [](mlir::Value own) { return bool(own); });
  }
};

/// Factors that the decays of one state make between a chunk's places. Decays
/// common to all channels give tiles [C], which scale coefficients; decays per
/// channel give tiles [C x K], which scale key vectors. A null tile is 1.
///
/// A deferred decay divides what is stored by the running decay; before that
/// leaves [2^-40, 2^40] the stored state is brought up to date instead
/// (docs/Decisions/0004). Products that run on from chunk to chunk are f64:
/// their rounding is common to the whole state, or to a row of it, and would
/// add up.
class ChunkDecays {
public:
  ChunkDecays(mlir::OpBuilder &b, mlir::Location loc, mlir::FloatType element,
              const ChunkList::State &state, mlir::Value valid,
              RunningDecay running);

  /// Makes the tiles of the logs. Fails with an error if a token-local op does
  /// not apply to tiles.
  mlir::LogicalResult load(TokenTiles &tiles);
  /// Makes the factors of the whole chunk, the members below.
  void createTotals();

  /// What the state's content at the chunk's start has become at a place of
  /// each token, [C].
  mlir::Value to(int64_t place);
  /// The same for channels, [C x K].
  mlir::Value channelsTo(int64_t channelPlace);
  /// What is left at the chunk's end of a write at `place`, [C]; 0 for tokens
  /// that do not exist.
  mlir::Value updateFactor(int64_t place);
  /// The same for channels, [C x K], but not 0 for tokens that do not exist.
  mlir::Value channelsToEnd(int64_t channelPlace);
  /// For one read and one write with the key vectors `reads` and `writes`:
  /// their products times the decay per channel in between, [C x C].
  mlir::Value gram(mlir::Value reads, mlir::Value writes,
                   const ListEntry &write, const ListEntry &read);
  /// What the common decays in between leave, [C x C], 0 where the write does
  /// not stand before the read; null if `gram` has seen to all that.
  mlir::Value between(const ListEntry &write, const ListEntry &read);

  /// What the common decays between two places of each token leave, [C].
  mlir::Value within(int64_t from, int64_t to);

  /// See ChunkSystem.
  mlir::Value decay, channelDecay, channelsDecay;
  RunningDecay next;

private:
  mlir::Value constant(double value);
  mlir::Value rounded(mlir::Value value);
  void createCommonTotal();
  void createChannelTotal();

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::FloatType element;
  const ChunkList::State &state;
  mlir::Value valid;
  RunningDecay running;
  mlir::RankedTensorType scalarTile;
  llvm::SmallVector<mlir::Value> logs, channelLogs;
  /// 1 / next, in the list's element type; null if nothing is deferred.
  RunningDecay inverse;
  llvm::DenseMap<int64_t, mlir::Value> toPlace, channelsToPlace;
};

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_CHUNKDECAYS_H

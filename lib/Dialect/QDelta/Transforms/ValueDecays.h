//===- ValueDecays.h - decays per value channel in a chunk -------*- C++
//-*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_VALUEDECAYS_H
#define QDELTA_TRANSFORMS_VALUEDECAYS_H

#include "ChunkList.h"
#include "Renewal.h"
#include "TokenTiles.h"

namespace qdelta {

/// Factors that the decays per value channel make between a chunk's places, for
/// the columns of one value block. They scale value tiles [C x W], element by
/// element, where all else of a chunk's system is shared by the columns
/// (docs/Decisions/0022). Every exponent runs from an earlier place to a later
/// one. A null tile is 1.
///
/// Deferred, what is stored of column c of the state is divided by c's running
/// decay, as `ChunkDecays` says of rows.
class ValueDecays {
public:
  /// `running` [1 x W] in f64 is null unless decays are deferred.
  ValueDecays(mlir::OpBuilder &b, mlir::Location loc, const ChunkList &list,
              mlir::Value running)
      : b(b), loc(loc), list(list), running(running) {}

  /// Makes the tiles of the logs; those of tokens that are not `valid` [C] are
  /// 0. Fails with an error if a token-local op does not apply to tiles.
  mlir::LogicalResult load(TokenTiles &tiles, mlir::Value valid);

  /// What stored columns of a state at the chunk's start have become at a value
  /// place of each token, [C x W].
  mlir::Value to(unsigned state, int64_t valuePlace);
  /// What is stored at the chunk's end of what is written at a place of each
  /// token, [C x W].
  mlir::Value toEnd(unsigned state, int64_t valuePlace);
  /// What is left of the state's columns over the whole chunk, [1 x W];
  /// deferred, what stored columns are multiplied by if they are renewed.
  mlir::Value total(unsigned state);
  /// What becomes of deferred decays; its values are null if none are.
  const Renewal &getRenewal() const { return renewal; }
  /// `sum` plus `matrix` times the values that were `written`, with what
  /// columns lose on the way to reads at `valuePlace`.
  mlir::Value apply(mlir::Value matrix, mlir::Value written, mlir::Value sum,
                    const ListEntry &write, int64_t valuePlace, bool inclusive);

private:
  mlir::Value factor(unsigned state, std::optional<int64_t> from,
                     std::optional<int64_t> to);

  mlir::OpBuilder &b;
  mlir::Location loc;
  const ChunkList &list;
  mlir::Value running;
  Renewal renewal;
  /// By state.
  llvm::SmallVector<llvm::SmallVector<mlir::Value>, 1> logs;
};

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_VALUEDECAYS_H

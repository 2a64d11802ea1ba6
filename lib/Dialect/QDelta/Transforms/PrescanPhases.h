//===- PrescanPhases.h - in which order a prescan's ops go ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_PRESCANPHASES_H
#define QDELTA_TRANSFORMS_PRESCANPHASES_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// Cuts a prescan's region into phases that a block of tokens goes through one
/// after the other. In an even phase there are functions of scalars, for all
/// tokens of the block at once: no state is in between. In an odd phase there
/// are states, and all that works on vectors, token by token. Without functions
/// of scalars there is the one phase 1.
class PrescanPhases {
public:
  explicit PrescanPhases(PrescanOp op);
  /// All ops in phase 1.
  static PrescanPhases single(PrescanOp op);

  /// Of an op's result, or of a state before its update. Inputs, parameters and
  /// constants have phase 0: they are there for all.
  int64_t of(mlir::Value value) const { return phases.lookup(value); }
  int64_t of(mlir::Operation *op) const { return of(op->getResult(0)); }
  int64_t last() const { return lastPhase; }
  bool hasFunctions() const { return functions; }
  /// Where the prescan's output `value` is stored.
  int64_t ofStore(mlir::Value value) const { return of(value) | 1; }
  /// Whether an op of `phase`, or an output stored in it, uses `value`.
  bool isUsedIn(mlir::Value value, int64_t phase) const;
  /// Whether an op of a later phase than its own, or a later store, does.
  bool isUsedLater(mlir::Value value) const;

  /// Whether each token's `value` is a value of its own that an op makes.
  static bool isMade(mlir::Value value);

private:
  PrescanPhases() = default;
  bool place();
  void placeAllIn(int64_t phase);
  int64_t phaseFor(mlir::Operation &inner) const;

  PrescanOp op;
  llvm::DenseMap<mlir::Value, int64_t> phases;
  int64_t lastPhase = 1;
  bool functions = false;
};

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_PRESCANPHASES_H

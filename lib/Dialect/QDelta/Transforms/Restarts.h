//===- Restarts.h - both lists of a state, span by span ---------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_RESTARTS_H
#define QDELTA_TRANSFORMS_RESTARTS_H

#include "mlir/IR/Builders.h"

namespace qdelta {

/// Of a state that is read on both sides the second list only adds up what the
/// first one wrote, and so never corrects a rounding error. After every span of
/// tokens it takes the first one's state, transposed
/// (docs/Decisions/0027-restarts-of-the-second-side.md).
struct Restarts {
  /// Final states of which the second becomes the first one's transpose.
  struct Pair {
    mlir::OpResult first, second;
  };
  llvm::SmallVector<Pair> pairs;
  /// Where in the ops of an item the first of these lists is, and where the one
  /// after the last. What stands between them goes span by span with them.
  size_t begin = 0, end = 0;

  explicit operator bool() const { return !pairs.empty(); }
};

/// The restarts among `ops`, the lists, prescans and transposes of an item.
/// Steps have none: a step is no longer than a span.
Restarts findRestarts(llvm::ArrayRef<mlir::Operation *> ops);

/// How many tokens the lists and prescans `ops` take between restarts: chunks
/// of all lists are whole, up to the last one of a sequence.
int64_t restartTokens(llvm::ArrayRef<mlir::Operation *> ops);

/// Writes the transpose of the state of one `batch` entry and `head`, of
/// `states` [B, HV, K, V], to `to`, [1, 1, V, K].
mlir::Value createTranspose(mlir::OpBuilder &b, mlir::Location loc,
                            mlir::Value states, mlir::Value batch,
                            mlir::Value head, mlir::Value to);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_RESTARTS_H

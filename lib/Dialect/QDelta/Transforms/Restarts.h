//===- Restarts.h - both lists of a state, span by span ---------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_RESTARTS_H
#define QDELTA_TRANSFORMS_RESTARTS_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/MapVector.h"

namespace qdelta {

/// Of a state that is read on both sides the second list only adds up what the
/// first one wrote, and so never corrects a rounding error. It starts each span
/// of tokens from the first one's state, transposed
/// (docs/Decisions/0027-restarts-of-the-second-side.md).
struct Restarts {
  /// By the second list's final state the first one's, which is its transpose.
  llvm::MapVector<mlir::OpResult, mlir::OpResult> firsts;
  /// Where in the ops of an item the first of these lists is, and where the one
  /// after the last. What stands between them goes span by span with them.
  size_t begin = 0, end = 0;

  explicit operator bool() const { return !firsts.empty(); }
};

/// The restarts among `ops`, the lists, prescans and transposes of an item.
/// Steps have none: a step is no longer than a span.
Restarts findRestarts(llvm::ArrayRef<mlir::Operation *> ops);

/// How many tokens a span of the lists and prescans `ops` has: chunks of all
/// lists are whole in it.
int64_t restartTokens(llvm::ArrayRef<mlir::Operation *> ops,
                      const Restarts &restarts);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_RESTARTS_H

//===- PrescanLoop.h - a prescan's tokens, one after the other --*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_PRESCANLOOP_H
#define QDELTA_TRANSFORMS_PRESCANLOOP_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// One batch entry and value head of a prescan.
struct PrescanItem {
  PrescanOp op;
  mlir::Value batch, head;
  /// The batch entry and the head of each operand that this item reads.
  llvm::ArrayRef<mlir::Value> batches, heads;
  /// T.
  mlir::Value length;
};

/// Creates the loop over the tokens at `b`, on tiles of one row. `slices` holds
/// the item's slices of the outputs, [1, T, 1, D] or [1, T, 1], and of the
/// final states, [1, 1, D] or [1, 1], which hold the initial states if those
/// are updated in place; they are replaced by their values after the last
/// token. Emits an error at an op that does not apply to rows.
mlir::LogicalResult createPrescan(mlir::OpBuilder &b, const PrescanItem &item,
                                  llvm::SmallVectorImpl<mlir::Value> &slices);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_PRESCANLOOP_H

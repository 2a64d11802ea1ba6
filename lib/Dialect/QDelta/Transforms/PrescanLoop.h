//===- PrescanLoop.h - a prescan's tokens, block by block -------*- C++ -*-===//
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
  llvm::SmallVector<mlir::Value> batches, heads;
};

/// A range of an item's tokens.
struct PrescanRange {
  mlir::Value begin, end;
  /// The token that comes first in the memory of each of the sequences that are
  /// read, and of each of the outputs; null for the item's first one.
  llvm::SmallVector<mlir::Value> tokenBases, outputBases;
};

/// The item's initial states in memory, [1, 1, D] or [1, 1]; in place these are
/// `finals`, where the final ones go.
llvm::SmallVector<mlir::Value>
loadPrescanStates(mlir::OpBuilder &b, const PrescanItem &item,
                  llvm::ArrayRef<mlir::Value> finals);

/// Creates the loops over a range of tokens at `b`: blocks of tokens go through
/// the phases of PrescanPhases.h. `carried` holds the states in memory and the
/// outputs, [1, T, 1, D] or [1, T, 1], and is replaced by their values after
/// the range. Emits an error at an op that does not apply to rows.
mlir::LogicalResult createPrescan(mlir::OpBuilder &b, const PrescanItem &item,
                                  const PrescanRange &range,
                                  llvm::MutableArrayRef<mlir::Value> carried);

/// Puts the states into `finals`.
void storePrescanStates(mlir::OpBuilder &b, const PrescanItem &item,
                        llvm::ArrayRef<mlir::Value> states,
                        llvm::MutableArrayRef<mlir::Value> finals);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_PRESCANLOOP_H

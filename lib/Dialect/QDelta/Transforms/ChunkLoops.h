//===- ChunkLoops.h - the loops of one batch entry and head -----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_CHUNKLOOPS_H
#define QDELTA_TRANSFORMS_CHUNKLOOPS_H

#include "ChunkList.h"
#include "SpanStages.h"

#include "mlir/IR/Builders.h"

namespace qdelta {

/// What the loops of one batch entry and value head start from.
struct HeadContext {
  AffineScanOp op;
  const ChunkList &list;
  mlir::Value batch, head;
  /// The batch entry and the head of each operand that this value head reads.
  llvm::ArrayRef<mlir::Value> batches, heads;
  /// T.
  mlir::Value length;
  /// In place: each of the states, and the batch entry and head of the next
  /// item's.
  llvm::SmallVector<mlir::Value> states;
  mlir::Value nextBatch, nextHead;
  /// Of a list with levels: whether outputs hold other levels already, to which
  /// this one is added.
  mlir::Value adds;
  /// What goes before and after the list on each span, or null.
  SpanStages *stages = nullptr;
};

/// Creates the chunk loops of one head at `b`. `slices` holds the head's slices
/// of the outputs, [1, T, 1, V], and of the final states, [1, 1, K, V]; they
/// are replaced by their values after the last chunk. In place the states'
/// slices hold the initial states.
///
/// for each span of chunks
///   the stages before the list
///   for each chunk of the span, and the one after it: the shared system
///   for each value block
///     for each chunk of the span: readouts, solve, outputs, update
///   the stages after the list
mlir::LogicalResult createHead(mlir::OpBuilder &b, mlir::Location loc,
                               const HeadContext &context,
                               llvm::SmallVectorImpl<mlir::Value> &slices);

/// The program of one value block of a head: the state's columns from `column`
/// on are one value that the chunks carry. `slices` are the block's own columns
/// of the results.
mlir::LogicalResult createKernel(mlir::OpBuilder &b, mlir::Location loc,
                                 const HeadContext &context, mlir::Value column,
                                 llvm::SmallVectorImpl<mlir::Value> &slices);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_CHUNKLOOPS_H

//===- SpanStages.h - prescans around a list, span by span ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_SPANSTAGES_H
#define QDELTA_TRANSFORMS_SPANSTAGES_H

#include "PrescanLoop.h"

namespace qdelta {

/// A prescan among the stages.
struct SpanStage {
  PrescanItem item;
  /// Its states in memory, then its outputs.
  llvm::SmallVector<mlir::Value> carried;
  /// The final states' memory.
  llvm::SmallVector<mlir::Value> finals;
};

/// The prescans before and after one list. They go over one span of the list's
/// tokens at a time, so that what they make for it, or it for them, is still in
/// the cache. A sequence that nothing else uses is a window: it holds the
/// span's tokens, and those that the list looks ahead at. Those before the list
/// are ahead of it by as much.
class SpanStages {
  using Value = mlir::Value;

public:
  /// Tokens of a span, those looked at after it, and the item's number of
  /// tokens.
  int64_t span = 0, ahead = 0;
  Value length;
  AffineScanOp list;
  std::vector<SpanStage> before, after;
  /// By result of a prescan or of the list: the window's memory, [1, R, 1, D]
  /// or [1, R, 1].
  llvm::MapVector<Value, Value> windows;

  int64_t windowTokens() const { return span + ahead; }
  bool isWindow(Value sequence) const { return windows.contains(sequence); }

  /// What crosses spans.
  llvm::SmallVector<Value> carried() const;
  /// The stages before the list for the span from token `first` on, created at
  /// `b`; `values` are what is carried. The list's operands become what they
  /// make.
  mlir::LogicalResult begin(mlir::OpBuilder &b, Value first,
                            mlir::ValueRange values);
  /// The stages after the list; returns what is carried on. `outputs` are the
  /// list's, as far as the span's tokens go.
  mlir::FailureOr<llvm::SmallVector<Value>> end(mlir::OpBuilder &b,
                                                llvm::ArrayRef<Value> outputs);
  /// After the last span.
  void finish(mlir::OpBuilder &b, mlir::ValueRange values);

  /// Sequences in memory that the stages will load and store in the next span,
  /// with the batch entries and heads of those loaded.
  struct Stream {
    Value sequence, batch, head;
    bool isStored;
  };
  llvm::SmallVector<Stream> streams() const;

  /// A window's rows that hold tokens, and the window with them in it.
  Value open(mlir::OpBuilder &b, Value window) const;
  Value close(mlir::OpBuilder &b, Value rows, Value window) const;

private:
  mlir::LogicalResult run(mlir::OpBuilder &b, SpanStage &stage, Value from,
                          Value to);
  Value keepAhead(mlir::OpBuilder &b, Value window) const;
  Value fillRest(mlir::OpBuilder &b, Value window) const;
  /// Whether `op` is a stage before the list.
  bool isEarly(mlir::Operation *op) const;
  void give(mlir::ValueRange values);

  Value first;
  /// The rows of windows in the current span.
  llvm::DenseMap<Value, Value> rows;
};

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_SPANSTAGES_H

//===- ItemLoopBuilder.h - lists and prescans, head by head -----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_ITEMLOOPBUILDER_H
#define QDELTA_TRANSFORMS_ITEMLOOPBUILDER_H

#include "ChunkLoops.h"
#include "Restarts.h"
#include "SpanStages.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace qdelta {

/// Of a list or prescan the initial states, and how many results are sequences;
/// a transpose has none.
mlir::MutableOperandRange initsOf(mlir::Operation *op);
size_t numOutputs(mlir::Operation *op);

/// Whether a result of a list, prescan or transpose is a state.
bool isFinal(mlir::OpResult result);

/// Its schedule, or null.
ScheduleAttr scheduleOf(mlir::Operation *op);

/// Builds what `createItemLoop` says. ItemLoop.cpp has the loop and what an
/// item is, ItemSpans.cpp the spans of an item with both lists of a state,
/// StageSpans.cpp those of an item with a list and prescans around it.
class ItemLoop {
public:
  explicit ItemLoop(llvm::ArrayRef<mlir::Operation *> ops)
      : ops(ops), b(ops.front()), loc(ops.front()->getLoc()) {}

  mlir::LogicalResult build();

private:
  /// The part of a result that an item makes.
  struct Slice {
    llvm::SmallVector<mlir::OpFoldResult> offsets, sizes, strides;
  };
  /// The batch entry and head of each operand that an item reads, and of its
  /// states.
  struct Places {
    llvm::SmallVector<mlir::Value> batches, heads;
    mlir::Value batch, head;
  };
  /// By result of an op, what one span leaves for the next.
  using Carried = llvm::MapVector<mlir::OpResult, mlir::Value>;

  mlir::LogicalResult verify();
  void findSizes();
  void findSequence();
  llvm::SmallVector<mlir::OpResult> sharedResults();
  mlir::Value createEmpty(mlir::OpResult result);
  void createLoop(llvm::ArrayRef<mlir::OpResult> shared);
  Slice sliceOf(mlir::OpResult result);
  mlir::Value stateEntry(mlir::Operation *op, mlir::Value batch);
  void findNext(HeadContext &context);
  mlir::Value createOwn(mlir::OpResult result, Slice slice);
  mlir::Value takeSequence(mlir::Value tokens, mlir::OpFoldResult first);
  Places takeOperands(mlir::Operation *op);
  mlir::Value memoryOf(mlir::OpResult result);
  llvm::SmallVector<mlir::Value> slicesOf(mlir::Operation *op);
  HeadContext contextOf(AffineScanOp list, const Places &places);
  llvm::SmallVector<llvm::ArrayRef<mlir::Operation *>>
  groups(const Restarts &restarts);
  mlir::LogicalResult createItem(mlir::Operation *op);
  mlir::LogicalResult runPrescan(PrescanOp op, const Places &places,
                                 llvm::MutableArrayRef<mlir::Value> slices);
  mlir::LogicalResult create(mlir::Operation *op, const Places &places,
                             llvm::SmallVectorImpl<mlir::Value> &slices);
  void setState(mlir::OpOperand &init, mlir::Value own, Places &places);
  bool goesBySpans();
  bool isWindow(mlir::OpResult result, llvm::ArrayRef<mlir::Operation *> group);
  mlir::Value createWindow(mlir::OpResult result, int64_t tokens);
  SpanStage stageOf(PrescanOp op);
  mlir::LogicalResult createStages(llvm::ArrayRef<mlir::Operation *> group);
  mlir::LogicalResult createRestarts(const Restarts &restarts);
  Carried startRestarts(llvm::ArrayRef<mlir::Operation *> inSpans,
                        const Restarts &restarts);
  mlir::Value startState(mlir::OpResult final, mlir::Value init);
  mlir::LogicalResult createSpan(mlir::Operation *op, Carried &carried,
                                 const Carried &starts);
  void putBack(mlir::OpResult result, mlir::Value &whole);
  mlir::Value transpose(mlir::Value state);
  void transposeItem(TransposeStateOp op);
  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, loc, value);
  }
  mlir::Value dim(mlir::Value tensor, int64_t index) {
    return mlir::tensor::DimOp::create(b, loc, tensor, index);
  }

  llvm::ArrayRef<mlir::Operation *> ops;
  mlir::OpBuilder b;
  mlir::Location loc;
  llvm::DenseMap<mlir::Operation *, ChunkList> lists;
  /// Of packed sequences: where they begin and end, or null.
  mlir::Value cuSeqlens;
  /// B, T and HV; of packed sequences N, and T of all of them.
  mlir::Value batches, total, valueHeads;
  /// L; null without levels.
  mlir::Value levels;
  mlir::scf::ForallOp forall;
  mlir::Value batch, head;
  /// The item's number of tokens and, if sequences are packed, its first one.
  mlir::Value length, firstToken;
  /// In a loop over spans: the span's first token, and which sequences are the
  /// span's own part. `length` is the span's there.
  mlir::Value firstOfSpan;
  llvm::DenseSet<mlir::Value> ofSpan;
  /// Of a kernel: the first column of the item's value block.
  mlir::Value firstColumn;
  mlir::OpFoldResult columns;
  /// Where shared results go, and what the item has made of each result.
  llvm::DenseMap<mlir::Value, mlir::Value> destinations, made;
  /// While a list goes by spans with its prescans, these; else null.
  SpanStages *stages = nullptr;
  /// The entry of its states that the item works on, by result.
  llvm::DenseMap<mlir::Value, mlir::Value> stateEntries;
};

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_ITEMLOOPBUILDER_H

//===- Unroller.h - expand chunk tiles into rows ----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_UNROLLER_H
#define QDELTA_TRANSFORMS_UNROLLER_H

#include "TileParts.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace qdelta {

/// A scalar or row in another element type: wider, or rounded.
mlir::Value convertRow(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value value, mlir::Type element);

/// Expands the tiles of one function, op by op in program order. The file
/// UnrollChunks.cpp has the walk, UnrollTiles.cpp what works on rows one by
/// one, UnrollSystem.cpp decays and a chunk's own system, UnrollState.cpp
/// passes over a state, UnrollPasses.cpp those over several.
class Unroller {
public:
  explicit Unroller(mlir::func::FuncOp func) : func(func), b(func), parts(b) {}

  mlir::LogicalResult run();

private:
  mlir::LogicalResult visitBlock(mlir::Block &block);
  mlir::LogicalResult visit(mlir::Operation *op);

  void unroll(LoadTileOp op);
  void unroll(StoreTileOp op);
  void unroll(ChunkValidOp op);
  void unroll(MaskRowsOp op);
  void unroll(ScaleChannelsOp op);
  void unroll(AnyOutsideOp op);
  void unroll(ChunkDecayOp op);
  void unroll(ChunkTransferOp op);
  void unroll(ChunkGramOp op);
  void unroll(ChunkReadOp op);
  void unroll(ChunkApplyOp op);
  void unroll(ChunkSolveOp op);
  void unroll(ChunkUpdateOp op);
  void unroll(ScaleOp op);
  /// Moves rows and numbers between tiles that are expanded; false if one of
  /// them is memory.
  bool unroll(mlir::tensor::ExtractOp op);
  bool unroll(mlir::tensor::ExtractSliceOp op);
  bool unroll(mlir::tensor::InsertSliceOp op);
  void unrollElementwise(mlir::Operation *op);

  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, loc, value);
  }
  mlir::Value add(mlir::Value lhs, int64_t rhs) {
    if (rhs == 0)
      return lhs;
    return mlir::arith::AddIOp::create(b, loc, lhs, index(rhs));
  }
  mlir::Value timesRow(mlir::Value scalar, mlir::Value row) {
    return mlir::arith::MulFOp::create(b, loc,
                                       parts.broadcast(loc, scalar, row), row);
  }
  mlir::Value fma(mlir::Value scalar, mlir::Value row, mlir::Value sum) {
    return mlir::vector::FMAOp::create(
        b, loc, parts.broadcast(loc, scalar, row), row, sum);
  }
  mlir::Value readTerm(mlir::Value keys, int64_t token, mlir::Value k) {
    return mlir::tensor::ExtractOp::create(b, loc, keys,
                                           mlir::ValueRange{index(token), k});
  }
  /// Gives updates that follow one another, from `op` on, one pass over the
  /// rows of all their states; false if there is none behind `op` that can.
  bool joinUpdates(ChunkUpdateOp op);
  /// The pass, with the updates' decays or without. Returns the states, then
  /// the accumulated readouts.
  llvm::SmallVector<mlir::Value>
  joinedPass(llvm::ArrayRef<ChunkUpdateOp> updates, bool decays);
  void prefetchAhead(ChunkUpdateOp op, mlir::Value k);
  /// One pass over the rows of the state: s <- [decay] s + sum a e, reads of
  /// the new s, and those behind the update of the old one. Returns the state,
  /// then the accumulated readouts. `decayOf` gives the decay of row k, null
  /// for none; `columns` those of columns, or is null.
  llvm::SmallVector<mlir::Value>
  statePass(ChunkUpdateOp op,
            llvm::function_ref<mlir::Value(mlir::Value)> decayOf,
            mlir::Value columns);

  mlir::func::FuncOp func;
  mlir::OpBuilder b;
  TileParts parts;
  mlir::Location loc = mlir::UnknownLoc::get(b.getContext());
  llvm::SetVector<mlir::Operation *> expanded;
  /// Updates that have had their pass.
  llvm::DenseSet<mlir::Operation *> joined;
};

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_UNROLLER_H

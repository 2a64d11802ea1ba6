//===- ChunkOps.cpp - verifiers of the chunk form -------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

using namespace mlir;
using namespace qdelta;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

LogicalResult LoadTileOp::verify() {
  size_t rank = shapeOf(getSource()).size(), indices = getIndices().size();
  size_t tileRank = shapeOf(getResult()).size();
  if ((indices != 1 && indices != 3) || rank != indices + tileRank - 1)
    return emitOpError("expected ")
           << (indices == 1 ? "a parameter" : "a sequence")
           << " whose rank fits the tile and 1 or 3 indices, but got "
           << getSource().getType() << " with " << indices << " indices";
  return success();
}

LogicalResult ChunkDecayOp::verify() {
  int64_t places = getLogs().size();
  for (std::optional<uint64_t> place : {getFrom(), getTo()})
    if (place && static_cast<int64_t>(*place) > places)
      return emitOpError("names place ")
             << *place << " of a list with " << places << " decays";
  size_t rank = getFrom().has_value() + getTo().has_value();
  auto type = dyn_cast<RankedTensorType>(getResult().getType());
  if (rank != (type ? type.getShape().size() : 0))
    return emitOpError("expected a result of rank ")
           << rank << ", but got " << getResult().getType();
  return success();
}

/// Whether `value` is a matrix of `rows` x `columns`.
static bool isMatrix(Value value, int64_t rows, int64_t columns) {
  ArrayRef<int64_t> shape = shapeOf(value);
  return shape.size() == 2 && shape[0] == rows && shape[1] == columns;
}

LogicalResult StoreTileOp::verify() {
  if (shapeOf(getDest()).size() != 4 || shapeOf(getTile()).size() != 2 ||
      getIndices().size() != 3)
    return emitOpError("expected a tile [C, W], a sequence of rank 4 and 3 "
                       "indices, but got ")
           << getTile().getType() << ", " << getDest().getType() << " and "
           << getIndices().size() << " indices";
  return success();
}

LogicalResult PrefetchOp::verify() {
  if (shapeOf(getSource()).size() != 4 || getIndices().size() != 3)
    return emitOpError("expected a sequence of rank 4 and 3 indices, but got ")
           << getSource().getType() << " and " << getIndices().size()
           << " indices";
  return success();
}

LogicalResult ChunkGramOp::verify() {
  ArrayRef<int64_t> reads = shapeOf(getReads()), writes = shapeOf(getWrites());
  if (reads.size() != 2 || writes.size() != 2 || reads[1] != writes[1] ||
      !isMatrix(getResult(), reads[0], writes[0]))
    return emitOpError("expected reads [C, K], writes [C, K] and a result "
                       "[C, C], but got ")
           << getReads().getType() << ", " << getWrites().getType() << " and "
           << getResult().getType();
  return success();
}

LogicalResult ChunkReadOp::verify() {
  ArrayRef<int64_t> keys = shapeOf(getKeys()), state = shapeOf(getState());
  if (keys.size() != 2 || state.size() != 2 || keys[1] != state[0] ||
      !isMatrix(getResult(), keys[0], state[1]))
    return emitOpError("expected keys [C, K], a state [K, W] and a result "
                       "[C, W], but got ")
           << getKeys().getType() << ", " << getState().getType() << " and "
           << getResult().getType();
  return success();
}

LogicalResult ChunkApplyOp::verify() {
  ArrayRef<int64_t> init = shapeOf(getInit());
  if (init.size() != 2 || !isMatrix(getMatrix(), init[0], init[0]))
    return emitOpError("expected a matrix [C, C] for values [C, W], but got ")
           << getMatrix().getType() << " and " << getInit().getType();
  return success();
}

LogicalResult ChunkSolveOp::verify() {
  size_t unknowns = getRhs().size();
  if (unknowns == 0 || getBlocks().size() != unknowns * unknowns)
    return emitOpError("expected ")
           << unknowns * unknowns << " blocks for " << unknowns
           << " right-hand sides, but got " << getBlocks().size()
           << " /*chunk_solve_c1*/";
  int64_t chunk = shapeOf(getRhs()[0])[0];
  for (Value block : getBlocks())
    if (!isMatrix(block, chunk, chunk))
      return emitOpError("expected blocks [C, C] with C = ")
             << chunk << ", but got " << block.getType();
  return success();
}

LogicalResult ChunkUpdateOp::verify() {
  if (getKeys().size() != getValues().size())
    return emitOpError("has ") << getKeys().size() << " keys for "
                               << getValues().size() << " values";
  if (getReads().size() != getReadouts().size())
    return emitOpError("has ") << getReads().size() << " reads for "
                               << getReadouts().size() << " readouts";
  for (auto [key, value] : llvm::zip(getKeys(), getValues()))
    if (shapeOf(key)[0] != shapeOf(value)[0] ||
        shapeOf(key)[1] != shapeOf(getState())[0] ||
        shapeOf(value)[1] != shapeOf(getState())[1])
      return emitOpError("expected keys [C, K] and values [C, W] to fit the "
                         "state [K, W], but got ")
             << key.getType() << ", " << value.getType() << " and "
             << getState().getType();
  return success();
}

LogicalResult TriangularSolveOp::verify() {
  ArrayRef<int64_t> matrix = shapeOf(getMatrix()), rhs = shapeOf(getRhs());
  if (matrix.size() != 2 || rhs.size() != 2 || matrix[0] != matrix[1] ||
      matrix[0] != rhs[0])
    return emitOpError("expected a square matrix [N, N] and a right-hand side "
                       "[N, W], but got ")
           << getMatrix().getType() << " and " << getRhs().getType();
  return success();
}

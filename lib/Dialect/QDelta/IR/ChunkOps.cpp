//===- ChunkOps.cpp - verifiers of the chunk form -------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

/// Whether a tensor's elements are those of a tile as its sequence stores them.
static bool storesElementsOf(Value tensor, Value tile) {
  Type stored = getElementTypeOrSelf(tensor), held = getElementTypeOrSelf(tile);
  return stored == held || (isNarrow(stored) && held.isF32());
}

LogicalResult LoadTileOp::verify() {
  size_t rank = shapeOf(getSource()).size(), indices = getIndices().size();
  size_t tileRank = shapeOf(getResult()).size();
  bool isState = indices == 2 && rank == 4 && tileRank == 2;
  bool isRows = (indices == 1 || indices == 3) &&
                (tileRank == 1 || tileRank == 2) &&
                rank == indices + tileRank - 1;
  if (!isState && !isRows)
    return emitOpError("expected a tile [C] or [C, D] of ")
           << (indices == 1   ? "a parameter"
               : indices == 2 ? "a state"
                              : "a sequence")
           << " whose rank fits the tile, and 1, 2 or 3 indices, but got "
           << getSource().getType() << " with " << indices
           << " indices /*load_tile_c1*/";
  if (getColumn() && tileRank == 1)
    return emitOpError(
        "expected no columns for a tile of scalars /*load_tile_c1*/");
  if (!storesElementsOf(getSource(), getResult()))
    return emitOpError("expected a tile in the source's element type, or in "
                       "f32 of bf16 or f16, but got ")
           << getResult().getType() << " of " << getSource().getType()
           << " /*load_tile_c2*/";
  return success();
}

/// Whether `value` is a matrix of `rows` x `columns`.
static bool isMatrix(Value value, int64_t rows, int64_t columns) {
  ArrayRef<int64_t> shape = shapeOf(value);
  return shape.size() == 2 && shape[0] == rows && shape[1] == columns;
}

LogicalResult MaskRowsOp::verify() {
  if (shapeOf(getTile()).empty() ||
      shapeOf(getTile())[0] != shapeOf(getValid())[0])
    return emitOpError("expected one truth value for each row, but got ")
           << getTile().getType() << " and " << getValid().getType()
           << " /*mask_rows_c1*/";
  return success();
}

LogicalResult ScaleChannelsOp::verify() {
  ArrayRef<int64_t> tile = shapeOf(getTile());
  if (tile.size() != 2 || !isMatrix(getBy(), 1, tile[1]) ||
      getElementTypeOrSelf(getTile()) != getElementTypeOrSelf(getBy()))
    return emitOpError("expected a tile [C, K] and factors [1, K] of one "
                       "element type, but got ")
           << getTile().getType() << " and " << getBy().getType()
           << " /*scale_channels_c1*/";
  return success();
}

/// Places `from` and `to` exist in a list with the decays `logs`.
static LogicalResult verifyPlaces(Operation *op, OperandRange logs,
                                  std::optional<uint64_t> from,
                                  std::optional<uint64_t> to) {
  for (std::optional<uint64_t> place : {from, to})
    if (place && *place > logs.size())
      return op->emitOpError("names place ")
             << *place << " of a list with " << logs.size() << " decays";
  return success();
}

LogicalResult ChunkDecayOp::verify() {
  if (failed(verifyPlaces(*this, getLogs(), getFrom(), getTo())))
    return failure();
  size_t places = getFrom().has_value() + getTo().has_value();
  auto type = dyn_cast<RankedTensorType>(getResult().getType());
  bool perChannel = !getLogs().empty() && shapeOf(getLogs()[0]).size() == 2;
  if (!perChannel) {
    if (places != (type ? type.getShape().size() : 0))
      return emitOpError("expected a result of rank ")
             << places << ", but got " << getResult().getType();
    return success();
  }
  ArrayRef<int64_t> logs = shapeOf(getLogs()[0]);
  bool alike =
      llvm::all_of(getLogs(), [&](Value log) { return shapeOf(log) == logs; });
  if (!alike || places == 2 || !type ||
      !isMatrix(getResult(), places ? logs[0] : 1, logs[1]))
    return emitOpError("expected logs [C, K], one place at most and a result "
                       "[C, K], or [1, K] without a place, but got ")
           << getLogs().getTypes() << " and " << getResult().getType()
           << " /*chunk_decay_c1*/";
  return success();
}

LogicalResult ChunkTransferOp::verify() {
  if (failed(verifyPlaces(*this, getSteps(), getFrom(), getTo())))
    return failure();
  size_t steps = getSteps().size();
  auto type = dyn_cast<RankedTensorType>(getResult().getType());
  size_t places = getFrom().has_value() + getTo().has_value();
  bool fits = steps > 0 && getTargets().size() == steps &&
              getSources().size() == steps &&
              places == (type ? type.getShape().size() : 0);
  for (int64_t size : type ? type.getShape() : ArrayRef<int64_t>())
    fits &= size == shapeOf(getSteps()[0])[0];
  if (!fits || !llvm::all_equal(getSteps().getTypes()))
    return emitOpError("expected steps [C], each with a target and a source, "
                       "and a result of rank ")
           << places << ", but got " << getSteps().getTypes() << " with "
           << getTargets().size() << " targets and " << getSources().size()
           << " sources, and " << getResult().getType()
           << " /*chunk_transfer_c1*/";
  return success();
}

LogicalResult StoreTileOp::verify() {
  size_t indices = getIndices().size();
  if (shapeOf(getDest()).size() != 4 || shapeOf(getTile()).size() != 2 ||
      (indices != 2 && indices != 3))
    return emitOpError("expected a tile [C, W], and a sequence of rank 4 with "
                       "3 indices or a state of rank 4 with 2, but got ")
           << getTile().getType() << ", " << getDest().getType() << " and "
           << indices << " indices /*store_tile_c1*/";
  if (!storesElementsOf(getDest(), getTile()))
    return emitOpError("expected a tile in the element type of what it is "
                       "stored to, or in f32 for bf16 or f16, but got ")
           << getTile().getType() << " into " << getDest().getType()
           << " /*store_tile_c2*/";
  return success();
}

LogicalResult PrefetchOp::verify() {
  if (shapeOf(getSource()).size() != 4 || getIndices().size() != 3)
    return emitOpError("expected a sequence of rank 4 and 3 indices, but got ")
           << getSource().getType() << " and " << getIndices().size()
           << " indices";
  return success();
}

void ChunkGramOp::build(OpBuilder &, OperationState &state, Type type,
                        Value reads, Value writes) {
  state.addOperands({reads, writes});
  state.addTypes(type);
}

LogicalResult ChunkGramOp::verify() {
  ArrayRef<int64_t> reads = shapeOf(getReads()), writes = shapeOf(getWrites());
  if (reads.size() != 2 || writes.size() != 2 || reads[1] != writes[1] ||
      !isMatrix(getResult(), reads[0], writes[0]))
    return emitOpError("expected reads [C, K], writes [C, K] and a result "
                       "[C, C], but got ")
           << getReads().getType() << ", " << getWrites().getType() << " and "
           << getResult().getType();
  bool decays = !getLogs().empty();
  if (decays != getFrom().has_value() || decays != getTo().has_value() ||
      (getInclusive() && !decays) || (decays && reads != writes) ||
      llvm::any_of(getLogs(), [&](Value log) { return shapeOf(log) != reads; }))
    return emitOpError("expected logs, reads and writes [C, K] and two places, "
                       "or neither logs nor places, but got ")
           << getLogs().getTypes() << " with " << getReads().getType()
           << " and " << getWrites().getType() << " /*chunk_gram_c1*/";
  return verifyPlaces(*this, getLogs(), getFrom(), getTo());
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

void ChunkApplyOp::build(OpBuilder &b, OperationState &state, Value matrix,
                         Value values, Value init, bool inclusive) {
  build(b, state, matrix, values, init, ValueRange(), IntegerAttr(),
        IntegerAttr(), inclusive ? b.getUnitAttr() : UnitAttr());
}

LogicalResult ChunkApplyOp::verify() {
  ArrayRef<int64_t> init = shapeOf(getInit());
  if (init.size() != 2 || !isMatrix(getMatrix(), init[0], init[0]))
    return emitOpError("expected a matrix [C, C] for values [C, W], but got ")
           << getMatrix().getType() << " and " << getInit().getType();
  bool decays = !getLogs().empty();
  if (decays != getFrom().has_value() || decays != getTo().has_value() ||
      llvm::any_of(getLogs(), [&](Value log) { return shapeOf(log) != init; }))
    return emitOpError("expected logs and values [C, W] and two places, or "
                       "neither logs nor places, but got ")
           << getLogs().getTypes() << " with " << getInit().getType()
           << " /*chunk_apply_c1*/";
  return verifyPlaces(*this, getLogs(), getFrom(), getTo());
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

LogicalResult ChunkInverseOp::verify() {
  size_t count = getBlocks().size(), unknowns = 1;
  while (unknowns * unknowns < count)
    ++unknowns;
  if (unknowns * unknowns != count || getResults().size() != count)
    return emitOpError("expected W * W blocks for W unknown writes and as many "
                       "results, but got ")
           << count << " and " << getResults().size()
           << " /*chunk_inverse_c1*/";
  Type type = getBlocks()[0].getType();
  ArrayRef<int64_t> shape = shapeOf(getBlocks()[0]);
  if (shape.size() != 2 || shape[0] != shape[1] ||
      !llvm::all_equal(getBlocks().getTypes()) ||
      !llvm::all_of(getResults().getTypes(),
                    [&](Type result) { return result == type; }))
    return emitOpError("expected blocks and results [C, C] of one type, but "
                       "got ")
           << getBlocks().getTypes() << " and " << getResults().getTypes()
           << " /*chunk_inverse_c2*/";
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
  if (getOthers().size() != getFactors().size() ||
      llvm::any_of(getOthers().getTypes(),
                   [&](Type type) { return type != getState().getType(); }))
    return emitOpError("expected a factor for each other state, and states of "
                       "one type, but got ")
           << getFactors().size() << " factors for " << getOthers().getTypes()
           << " with " << getState().getType() << " /*chunk_update_c2*/";
  if (getWhen() && !getChannels() && !getColumns())
    return emitOpError("has a condition, but no factors of rows or columns "
                       "/*chunk_update_c1*/");
  if (getChannels() && !isMatrix(getChannels(), 1, shapeOf(getState())[0]))
    return emitOpError("expected factors [1, K] for the channels of a state "
                       "[K, W], but got ")
           << getChannels().getType() << " and " << getState().getType()
           << " /*chunk_update_c1*/";
  auto isOfState = [&](Value key) {
    return getElementTypeOrSelf(key) == getElementTypeOrSelf(getState());
  };
  if (getColumns() && (!isMatrix(getColumns(), 1, shapeOf(getState())[1]) ||
                       !llvm::all_of(getKeys(), isOfState) ||
                       !llvm::all_of(getReads(), isOfState)))
    return emitOpError("expected factors [1, W] for the columns of a state "
                       "[K, W], and keys and reads in its element type, but "
                       "got ")
           << getColumns().getType() << " and " << getState().getType()
           << " with " << getKeys().getTypes() << " and "
           << getReads().getTypes() << " /*chunk_update_c4*/";
  if (getAheadAt().size() != (getAhead() ? 3 : 0) ||
      (getAhead() &&
       cast<RankedTensorType>(getAhead().getType()).getRank() != 4))
    return emitOpError("expected what is ahead to be a state [B, HV, K, V] at "
                       "[b, h, c] /*chunk_update_c3*/");
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

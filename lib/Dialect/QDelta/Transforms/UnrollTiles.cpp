//===- UnrollTiles.cpp - ops on the rows of tiles, one by one -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "Unroller.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

Value qdelta::convertRow(OpBuilder &b, Location loc, Value value,
                         Type element) {
  Type from = getElementTypeOrSelf(value.getType()), to = element;
  if (from == element)
    return value;
  if (auto row = dyn_cast<VectorType>(value.getType()))
    to = row.clone(element);
  if (from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(b, loc, to, value);
  return arith::TruncFOp::create(b, loc, to, value);
}

void Unroller::unroll(LoadTileOp op) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  SmallVector<Value> indices(op.getIndices()), rows;
  bool isSequence = indices.size() == 3;
  Value first, last;
  if (isSequence) {
    first = indices[1];
    last = arith::SubIOp::create(
        b, loc, tensor::DimOp::create(b, loc, op.getSource(), 1), index(1));
  }
  if (type.getRank() == 2)
    indices.push_back(op.getColumn() ? op.getColumn() : index(0));
  for (int64_t t = 0; t < type.getDimSize(0); ++t) {
    if (isSequence)
      indices[1] = arith::MinUIOp::create(b, loc, add(first, t), last);
    Value row =
        type.getRank() == 2
            ? parts.readRow(loc, op.getSource(), indices, type.getDimSize(1))
            : tensor::ExtractOp::create(b, loc, op.getSource(), indices)
                  .getResult();
    rows.push_back(convertRow(b, loc, row, type.getElementType()));
  }
  parts.set(op.getResult(), std::move(rows));
}

void Unroller::unroll(StoreTileOp op) {
  SmallVector<Value> indices(op.getIndices());
  indices.push_back(op.getColumn());
  Value first = indices[1];
  Value length = tensor::DimOp::create(b, loc, op.getDest(), 1);
  Value dest = op.getDest();
  Type stored = op.getDest().getType().getElementType();
  for (auto [t, row] : llvm::enumerate(parts.rows(op.getTile()))) {
    indices[1] = add(first, t);
    Value exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                         indices[1], length);
    auto guarded = scf::IfOp::create(
        b, loc, exists,
        [&](OpBuilder &, Location) {
          Value elements = convertRow(b, loc, row, stored);
          scf::YieldOp::create(b, loc,
                               parts.writeRow(loc, elements, dest, indices));
        },
        [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, dest); });
    dest = guarded.getResult(0);
  }
  op.getResult().replaceAllUsesWith(dest);
}

void Unroller::unroll(ChunkValidOp op) {
  SmallVector<Value> valid;
  for (int64_t t = 0; t < op.getResult().getType().getShape()[0]; ++t)
    valid.push_back(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                          add(op.getFirst(), t),
                                          op.getLength()));
  parts.set(op.getResult(), std::move(valid));
}

void Unroller::unroll(MaskRowsOp op) {
  SmallVector<Value> masked;
  for (auto [row, valid] :
       llvm::zip(parts.rows(op.getTile()), parts.scalars(op.getValid()))) {
    Value zero =
        arith::ConstantOp::create(b, loc, b.getZeroAttr(row.getType()));
    masked.push_back(arith::SelectOp::create(b, loc, valid, row, zero));
  }
  parts.set(op.getResult(), std::move(masked));
}

void Unroller::unroll(ScaleChannelsOp op) {
  Value by = parts.rows(op.getBy())[0];
  SmallVector<Value> scaled;
  for (Value row : parts.rows(op.getTile()))
    scaled.push_back(parts.multiply(loc, row, by));
  parts.set(op.getResult(), std::move(scaled));
}

void Unroller::unroll(AnyOutsideOp op) {
  using Predicate = arith::CmpFPredicate;
  Value outside;
  for (Value row : parts.rows(op.getTile())) {
    auto isBeyond = [&](vector::CombiningKind kind, Predicate predicate,
                        APFloat limit) {
      Value extreme = vector::ReductionOp::create(b, loc, kind, row);
      Value bound = arith::ConstantOp::create(
          b, loc, b.getFloatAttr(extreme.getType(), limit.convertToDouble()));
      Value beyond = arith::CmpFOp::create(b, loc, predicate, extreme, bound);
      outside =
          outside ? arith::OrIOp::create(b, loc, outside, beyond) : beyond;
    };
    isBeyond(vector::CombiningKind::MINIMUMF, Predicate::ULT, op.getLow());
    isBeyond(vector::CombiningKind::MAXIMUMF, Predicate::UGT, op.getHigh());
  }
  op.getResult().replaceAllUsesWith(outside);
}

void Unroller::unroll(ScaleOp op) {
  auto type = cast<RankedTensorType>(op.getVector().getType());
  SmallVector<Value> scaled;
  if (type.getRank() == 1) {
    for (Value part : parts.scalars(op.getVector()))
      scaled.push_back(parts.multiply(loc, part, op.getBy()));
  } else if (parts.isMatrix(op.getVector())) {
    SmallVector<Value> matrix = parts.matrix(op.getVector());
    SmallVector<Value> by = parts.scalars(op.getBy());
    for (auto [i, entry] : llvm::enumerate(matrix))
      scaled.push_back(entry ? parts.multiply(loc, entry, by[i / by.size()])
                             : Value());
    parts.setMatrix(op.getResult(), std::move(scaled));
    return;
  } else {
    for (auto [row, by] :
         llvm::zip(parts.rows(op.getVector()), parts.scalars(op.getBy())))
      scaled.push_back(timesRow(by, row));
  }
  parts.set(op.getResult(), std::move(scaled));
}

/// The one row of a tile [1 x W] in one [C x W].
static std::optional<int64_t> rowOf(OffsetSizeAndStrideOpInterface slice,
                                    Value row, Value tile) {
  auto whole = dyn_cast<RankedTensorType>(tile.getType());
  auto part = cast<RankedTensorType>(row.getType());
  if (!whole || whole.getRank() != 2 || part.getRank() != 2 ||
      part.getDimSize(0) != 1 || part.getDimSize(1) != whole.getDimSize(1))
    return std::nullopt;
  return getConstantIntValue(slice.getMixedOffsets()[0]);
}

bool Unroller::unroll(tensor::ExtractOp op) {
  if (!expanded.contains(op.getTensor().getDefiningOp()) ||
      op.getIndices().size() != 1)
    return false;
  std::optional<int64_t> at = getConstantIntValue(op.getIndices()[0]);
  if (!at)
    return false;
  op.getResult().replaceAllUsesWith(parts.scalars(op.getTensor())[*at]);
  return true;
}

bool Unroller::unroll(tensor::ExtractSliceOp op) {
  if (!expanded.contains(op.getSource().getDefiningOp()))
    return false;
  std::optional<int64_t> row = rowOf(op, op.getResult(), op.getSource());
  if (!row)
    return false;
  parts.set(op.getResult(), parts.rows(op.getSource())[*row]);
  return true;
}

bool Unroller::unroll(tensor::InsertSliceOp op) {
  if (!parts.isExpanded(op.getSource()))
    return false;
  std::optional<int64_t> row = rowOf(op, op.getSource(), op.getDest());
  if (row && expanded.contains(op.getDest().getDefiningOp())) {
    SmallVector<Value> rows = parts.rows(op.getDest());
    rows[*row] = parts.rows(op.getSource())[0];
    parts.set(op.getResult(), rows);
    return true;
  }
  SmallVector<Value> at;
  for (OpFoldResult offset : op.getMixedOffsets())
    at.push_back(getValueOrCreateConstantIndexOp(b, loc, offset));
  op.getResult().replaceAllUsesWith(
      parts.store(loc, op.getSource(), op.getDest(), at));
  return true;
}

void Unroller::unrollElementwise(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  DenseElementsAttr constant;
  if (matchPattern(op, m_Constant(&constant))) {
    parts.setConstant(loc, op->getResult(0), constant);
    return;
  }
  bool matrix = llvm::any_of(op->getOperands(),
                             [&](Value v) { return parts.isMatrix(v); });
  SmallVector<SmallVector<Value>> operands;
  for (Value operand : op->getOperands()) {
    // The condition of a select may be one for all parts.
    if (!isa<RankedTensorType>(operand.getType()))
      operands.emplace_back(matrix ? type.getNumElements() : type.getDimSize(0),
                            operand);
    else
      operands.push_back(matrix                ? parts.matrix(operand)
                         : type.getRank() == 1 ? parts.scalars(operand)
                                               : parts.rows(operand));
  }
  SmallVector<Value> results;
  for (size_t i = 0; i < operands[0].size(); ++i) {
    SmallVector<Value> at;
    for (SmallVector<Value> &operand : operands)
      at.push_back(operand[i]);
    results.push_back(parts.applyToParts(loc, op, at, type));
  }
  if (matrix)
    parts.setMatrix(op->getResult(0), std::move(results));
  else
    parts.set(op->getResult(0), std::move(results));
}

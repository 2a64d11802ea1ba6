//===- TileParts.cpp - tiles as rows and scalars --------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "TileParts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qdelta;

static RankedTensorType typeOf(Value tile) {
  return cast<RankedTensorType>(tile.getType());
}

void TileParts::set(Value tile, ValueRange values) {
  parts[tile].assign(values.begin(), values.end());
  bool square =
      values.size() != static_cast<size_t>(typeOf(tile).getDimSize(0));
  kinds[tile] = typeOf(tile).getRank() == 1 ? Scalars
                : square                    ? Matrix
                // A [1 x 1] interaction matrix has one scalar part.
                : values[0] && isa<VectorType>(values[0].getType()) ? Rows
                                                                    : Matrix;
}

void TileParts::setMatrix(Value tile, ValueRange values) {
  parts[tile].assign(values.begin(), values.end());
  kinds[tile] = Matrix;
}

void TileParts::setConstant(Location loc, Value tile, DenseElementsAttr value) {
  RankedTensorType type = typeOf(tile);
  Attribute element = value.getSplatValue<Attribute>();
  Value part;
  if (type.getRank() == 1) {
    part = arith::ConstantOp::create(b, loc, cast<TypedAttr>(element));
  } else {
    auto row = VectorType::get({type.getDimSize(1)}, type.getElementType());
    part =
        arith::ConstantOp::create(b, loc, DenseElementsAttr::get(row, element));
  }
  set(tile, SmallVector<Value>(type.getDimSize(0), part));
}

bool TileParts::isExpanded(Value tile) const {
  if (parts.contains(tile))
    return true;
  // One row of a sequence or state, on its way from memory to memory.
  auto slice = tile.getDefiningOp<tensor::ExtractSliceOp>();
  return slice && typeOf(tile).getRank() == 2 &&
         typeOf(tile).getDimSize(0) == 1;
}

SmallVector<Value> TileParts::get(Value tile, Kind kind) {
  auto known = parts.find(tile);
  if (known != parts.end())
    return known->second;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(tile);
  Location loc = tile.getLoc();
  RankedTensorType type = typeOf(tile);
  SmallVector<Value> loaded;
  for (int64_t t = 0; t < type.getDimSize(0); ++t) {
    Value row = arith::ConstantIndexOp::create(b, loc, t);
    if (kind == Rows) {
      Value zero = arith::ConstantIndexOp::create(b, loc, 0);
      loaded.push_back(readRow(loc, tile, {row, zero}, type.getDimSize(1)));
      continue;
    }
    for (int64_t s = 0; s < (kind == Matrix ? type.getDimSize(1) : 1); ++s) {
      SmallVector<Value> at{row};
      if (kind == Matrix)
        at.push_back(arith::ConstantIndexOp::create(b, loc, s));
      loaded.push_back(tensor::ExtractOp::create(b, loc, tile, at));
    }
  }
  kinds[tile] = kind;
  return parts[tile] = std::move(loaded);
}

SmallVector<Value> TileParts::scalars(Value tile) { return get(tile, Scalars); }
SmallVector<Value> TileParts::rows(Value tile) { return get(tile, Rows); }
SmallVector<Value> TileParts::matrix(Value tile) { return get(tile, Matrix); }

Value TileParts::memory(Value tile) {
  auto slice = tile.getDefiningOp<tensor::ExtractSliceOp>();
  if (!parts.contains(tile) || (slice && !parts.contains(slice.getSource())) ||
      isa<BlockArgument>(tile))
    return tile;
  RankedTensorType type = typeOf(tile);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(tile);
  Value dest = tensor::EmptyOp::create(b, tile.getLoc(), type.getShape(),
                                       type.getElementType());
  SmallVector<Value> zeros(type.getRank(),
                           arith::ConstantIndexOp::create(b, tile.getLoc(), 0));
  return store(tile.getLoc(), tile, dest, zeros);
}

Value TileParts::store(Location loc, Value tile, Value dest,
                       ArrayRef<Value> at) {
  Kind kind = kinds.lookup(tile);
  if (kind == None)
    kind = Rows;
  SmallVector<Value> indices(at);
  size_t rowDim = indices.size() - typeOf(tile).getRank();
  int64_t perRow = kind == Matrix ? typeOf(tile).getDimSize(1) : 1;
  Value firstRow = indices[rowDim];
  for (auto [i, part] : llvm::enumerate(get(tile, kind))) {
    // An entry that is no part is 0, and whoever loads the tile reads it.
    Value stored = part;
    if (!stored)
      stored = arith::ConstantOp::create(
          b, loc, b.getZeroAttr(typeOf(tile).getElementType()));
    Value row = arith::ConstantIndexOp::create(b, loc, i / perRow);
    indices[rowDim] = arith::AddIOp::create(b, loc, firstRow, row);
    if (kind == Rows) {
      dest = writeRow(loc, stored, dest, indices);
      continue;
    }
    if (kind == Matrix)
      indices[rowDim + 1] = arith::ConstantIndexOp::create(b, loc, i % perRow);
    dest = tensor::InsertOp::create(b, loc, stored, dest, indices);
  }
  return dest;
}

Value TileParts::readRow(Location loc, Value source, ValueRange at,
                         int64_t width) {
  Type element = typeOf(source).getElementType();
  Value padding = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  bool inBounds = true;
  return vector::TransferReadOp::create(
      b, loc, VectorType::get({width}, element), source, at, padding, inBounds);
}

Value TileParts::writeRow(Location loc, Value row, Value dest, ValueRange at) {
  bool inBounds = true;
  return vector::TransferWriteOp::create(b, loc, row, dest, at,
                                         ArrayRef<bool>{inBounds})
      .getResult();
}

Value TileParts::broadcast(Location loc, Value scalar, Value row) {
  return vector::BroadcastOp::create(b, loc, row.getType(), scalar);
}

Value TileParts::zeroRow(Location loc, RankedTensorType tileType) {
  auto type =
      VectorType::get({tileType.getDimSize(1)}, tileType.getElementType());
  return arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
}

Value TileParts::one(Location loc, Type type) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, 1.0));
}

Value TileParts::multiply(Location loc, Value lhs, Value rhs) {
  if (matchPattern(lhs, m_OneFloat()))
    return rhs;
  if (matchPattern(rhs, m_OneFloat()))
    return lhs;
  return arith::MulFOp::create(b, loc, lhs, rhs);
}

Value TileParts::applyToParts(Location loc, Operation *op,
                              ArrayRef<Value> operands,
                              RankedTensorType tileType) {
  Type element = tileType.getElementType();
  SmallVector<Value> given;
  for (Value operand : operands) {
    if (operand) {
      given.push_back(operand);
    } else if (isa<arith::MulFOp>(op)) {
      return {};
    } else if (!isa<arith::AddFOp>(op)) {
      given.push_back(
          arith::ConstantOp::create(b, loc, b.getZeroAttr(element)));
    }
  }
  if (isa<arith::AddFOp>(op) && given.size() < 2)
    return given.empty() ? Value() : given[0];
  if (isa<arith::MulFOp>(op) && given[0].getType() == given[1].getType())
    return multiply(loc, given[0], given[1]);
  Type type = element;
  for (Value operand : given)
    if (auto vector = dyn_cast<VectorType>(operand.getType()))
      type = VectorType::get(vector.getShape(), element);
  return b
      .create(loc, op->getName().getIdentifier(), given, type, op->getAttrs())
      ->getResult(0);
}

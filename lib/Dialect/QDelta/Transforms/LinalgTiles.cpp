//===- LinalgTiles.cpp - tiles as linalg ops make them --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "LinalgTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

namespace qdelta {

RankedTensorType typeOf(Value tile) {
  return cast<RankedTensorType>(tile.getType());
}

Value index(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value emptyLike(OpBuilder &b, Location loc, RankedTensorType type) {
  return tensor::EmptyOp::create(b, loc, type.getShape(),
                                 type.getElementType());
}

Value filled(OpBuilder &b, Location loc, RankedTensorType type, double value) {
  Value scalar = arith::ConstantOp::create(
      b, loc, b.getFloatAttr(type.getElementType(), value));
  return linalg::FillOp::create(b, loc, scalar, emptyLike(b, loc, type))
      .getResult(0);
}

Value onesOf(OpBuilder &b, Location loc, RankedTensorType type) {
  return arith::ConstantOp::create(
      b, loc,
      SplatElementsAttr::get(type, b.getFloatAttr(type.getElementType(), 1)));
}

Value convert(OpBuilder &b, Location loc, Value value, Type element) {
  Type from = getElementTypeOrSelf(value.getType()), to = element;
  if (from == element)
    return value;
  if (auto tile = dyn_cast<RankedTensorType>(value.getType()))
    to = tile.clone(element);
  if (from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(b, loc, to, value);
  return arith::TruncFOp::create(b, loc, to, value);
}

Value multiply(OpBuilder &b, Location loc, Value lhs, Value rhs, Value init) {
  return linalg::MatmulOp::create(b, loc, init.getType(), ValueRange{lhs, rhs},
                                  ValueRange{init})
      .getResult(0);
}

Value addMultiple(OpBuilder &b, Location loc, Value factor, Value tile,
                  Value init) {
  auto whole = b.getMultiDimIdentityMap(2);
  SmallVector<AffineMap> maps{AffineMap::get(2, 0, {}, b.getContext()), whole,
                              whole};
  return linalg::GenericOp::create(
             b, loc, typeOf(init), ValueRange{factor, tile}, init, maps,
             SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
             [](OpBuilder &b, Location loc, ValueRange args) {
               Value part = arith::MulFOp::create(b, loc, args[0], args[1]);
               Value sum = arith::AddFOp::create(b, loc, args[2], part);
               linalg::YieldOp::create(b, loc, sum);
             })
      .getResult(0);
}

Value transposed(OpBuilder &b, Location loc, Value tile) {
  RankedTensorType type = typeOf(tile);
  auto turned = RankedTensorType::get({type.getDimSize(1), type.getDimSize(0)},
                                      type.getElementType());
  return linalg::TransposeOp::create(b, loc, tile, emptyLike(b, loc, turned),
                                     ArrayRef<int64_t>{1, 0})
      ->getResult(0);
}

namespace {
/// A row or a column of a tile.
struct Line {
  SmallVector<OpFoldResult> offsets, sizes, strides;
  int64_t length;

  Line(OpBuilder &b, Value tile, OpFoldResult at, unsigned along) {
    length = typeOf(tile).getDimSize(along);
    offsets.assign(2, b.getIndexAttr(0));
    offsets[1 - along] = at;
    sizes.assign(2, b.getIndexAttr(1));
    sizes[along] = b.getIndexAttr(length);
    strides.assign(2, b.getIndexAttr(1));
  }
};
} // namespace

Value rowOf(OpBuilder &b, Location loc, Value tile, OpFoldResult at,
            bool keepRank) {
  Line line(b, tile, at, 1);
  SmallVector<int64_t> shape{line.length};
  if (keepRank)
    shape.insert(shape.begin(), 1);
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, typeOf(tile).getElementType()), tile,
      line.offsets, line.sizes, line.strides);
}

Value columnOf(OpBuilder &b, Location loc, Value tile, OpFoldResult at) {
  Line line(b, tile, at, 0);
  return tensor::ExtractSliceOp::create(
      b, loc,
      RankedTensorType::get({line.length}, typeOf(tile).getElementType()), tile,
      line.offsets, line.sizes, line.strides);
}

Value withRow(OpBuilder &b, Location loc, Value row, Value tile,
              OpFoldResult at) {
  Line line(b, tile, at, 1);
  return tensor::InsertSliceOp::create(b, loc, row, tile, line.offsets,
                                       line.sizes, line.strides);
}

Value withColumn(OpBuilder &b, Location loc, Value column, Value tile,
                 OpFoldResult at) {
  Line line(b, tile, at, 0);
  return tensor::InsertSliceOp::create(b, loc, column, tile, line.offsets,
                                       line.sizes, line.strides);
}

Value scaledInPlace(OpBuilder &b, Location loc, Value tile, Value by,
                    unsigned along) {
  AffineMap whole = b.getMultiDimIdentityMap(2);
  SmallVector<AffineMap> maps{
      along == 0 ? whole.getMajorSubMap(1) : whole.getMinorSubMap(1), whole};
  return linalg::GenericOp::create(
             b, loc, tile.getType(), by, tile, maps,
             SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
             [](OpBuilder &b, Location loc, ValueRange args) {
               Value factor = args[0];
               factor = convert(b, loc, factor, args[1].getType());
               Value product = arith::MulFOp::create(b, loc, args[1], factor);
               linalg::YieldOp::create(b, loc, product);
             })
      .getResult(0);
}

} // namespace qdelta

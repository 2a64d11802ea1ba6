//===- TokenTiles.cpp - token-local values as tiles of a chunk ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "TokenTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

RankedTensorType TokenTiles::tileType(Value value) {
  SmallVector<int64_t> shape{chunk};
  if (dims.lookup(value) == TokenDim::Key)
    shape.push_back(keys);
  else if (isa<RankedTensorType>(value.getType()))
    shape.push_back(place.columns);
  return RankedTensorType::get(shape, getElementTypeOrSelf(value.getType()));
}

/// The same row for every token: a splat, or a parameter of one head.
Value TokenTiles::constantTile(OpBuilder &b, Value value, Attribute constant,
                               RankedTensorType type) {
  Location loc = value.getLoc();
  auto vector = dyn_cast<DenseElementsAttr>(constant);
  if (vector && vector.isSplat())
    constant = vector.getSplatValue<Attribute>();
  if (!vector || vector.isSplat())
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(type, constant));
  auto rowType = RankedTensorType::get({1, vector.getNumElements()},
                                       vector.getElementType());
  Value row = arith::ConstantOp::create(b, loc, vector.reshape(rowType));
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value column = dims.lookup(value) == TokenDim::Value ? place.column : Value();
  return LoadTileOp::create(b, loc, type, row, zero, column);
}

Value TokenTiles::get(OpBuilder &b, Value value) {
  if (Value known = tiles.lookup(value))
    return known;
  RankedTensorType type = tileType(value);
  Location loc = value.getLoc();
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    unsigned index = arg.getArgNumber();
    bool isToken = index < list.getTokens().size();
    SmallVector<Value> indices{place.heads[index]};
    if (isToken)
      indices = {place.batches[index], place.first, place.heads[index]};
    if (isToken && index < place.bases.size() && place.bases[index])
      indices[1] =
          arith::SubIOp::create(b, loc, place.first, place.bases[index]);
    Value column =
        dims.lookup(value) == TokenDim::Value ? place.column : Value();
    return tiles[value] = LoadTileOp::create(
               b, loc, type, list.getOperand(index), indices, column);
  }
  Operation *op = value.getDefiningOp();
  Attribute constant;
  if (matchPattern(op, m_Constant(&constant)))
    return tiles[value] = constantTile(b, value, constant, type);

  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(get(b, operand));
    if (!operands.back())
      return {};
  }
  auto sameRank = [&](Value operand) {
    return cast<RankedTensorType>(operand.getType()).getRank() ==
           type.getRank();
  };
  if (op->getNumResults() != 1 || op->getNumRegions() != 0 ||
      !(isa<ScaleOp, SplatOp>(op) || (op->hasTrait<OpTrait::Elementwise>() &&
                                      llvm::all_of(operands, sameRank)))) {
    op->emitError("does not apply to a chunk of tokens: expected an "
                  "elementwise op on scalars or on vectors of one dimension");
    failed = true;
    return {};
  }
  Operation *made = b.create(loc, op->getName().getIdentifier(), operands, type,
                             op->getAttrs());
  return tiles[value] = made->getResult(0);
}

Value TokenTiles::getUnlessOne(OpBuilder &b, Value value) {
  if (matchPattern(value, m_OneFloat()))
    return {};
  return get(b, value);
}

Value TokenTiles::getWhere(OpBuilder &b, Value value, Value valid) {
  Value tile = get(b, value);
  if (!tile)
    return {};
  Location loc = list.getLoc();
  Value zeros =
      arith::ConstantOp::create(b, loc, b.getZeroAttr(tile.getType()));
  return arith::SelectOp::create(b, loc, valid, tile, zeros);
}

//===- PrescanLoop.cpp - a prescan's tokens, one after the other ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "PrescanLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

namespace {
/// Values of the region become tiles of one row: tensor<1> and tensor<1 x D>.
class PrescanLoop {
public:
  PrescanLoop(OpBuilder &b, const PrescanItem &item)
      : b(b), item(item), op(item.op), loc(op.getLoc()) {}

  LogicalResult create(SmallVectorImpl<Value> &slices);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  /// The tile type of a region's value as wide as `like` is; 0 for a scalar.
  RankedTensorType tileType(Value value, int64_t width) {
    SmallVector<int64_t> shape{1};
    if (isa<RankedTensorType>(value.getType()))
      shape.push_back(width);
    return RankedTensorType::get(shape, getElementTypeOrSelf(value.getType()));
  }
  void loadInputs(ArrayRef<BlockArgument> args, Value token);
  SmallVector<Value> loadStates(ArrayRef<Value> finals);
  LogicalResult createToken(Operation &inner);
  LogicalResult createConstant(Operation &inner, Attribute value);
  Value advance(AdvanceOp advance);
  Value product(Value tile, Value factor);
  Value store(Value tile, Value slice, Value token);
  Value put(Value tile, Value dest, ArrayRef<OpFoldResult> at, bool isVector);
  Value putState(Value tile, Value dest);
  Value tileOf(Value memory);

  OpBuilder &b;
  const PrescanItem &item;
  PrescanOp op;
  Location loc;
  IRMapping tiles;
};

void PrescanLoop::loadInputs(ArrayRef<BlockArgument> args, Value token) {
  for (BlockArgument arg : args) {
    unsigned number = arg.getArgNumber();
    Value source = op.getOperand(1 + number);
    auto type = cast<RankedTensorType>(source.getType());
    SmallVector<Value> at{item.heads[number]};
    if (token)
      at = {item.batches[number], token, item.heads[number]};
    tiles.map(arg,
              LoadTileOp::create(b, loc, tileType(arg, type.getShape().back()),
                                 source, at, Value()));
  }
}

/// The initial states in memory, [1, 1, D] or [1, 1]; in place that is where
/// the final ones go.
SmallVector<Value> PrescanLoop::loadStates(ArrayRef<Value> finals) {
  if (op.getInPlace())
    return SmallVector<Value>(finals);
  SmallVector<Value> states;
  for (Value init : op.getInits()) {
    auto type = cast<RankedTensorType>(init.getType());
    SmallVector<OpFoldResult> offsets{item.batch, item.head},
        sizes(2, b.getIndexAttr(1));
    if (type.getRank() == 3) {
      offsets.push_back(b.getIndexAttr(0));
      sizes.push_back(b.getIndexAttr(type.getDimSize(2)));
    }
    SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
    states.push_back(
        tensor::ExtractSliceOp::create(b, loc, init, offsets, sizes, strides));
  }
  return states;
}

/// The tile in a state's memory.
Value PrescanLoop::tileOf(Value memory) {
  auto type = cast<RankedTensorType>(memory.getType());
  SmallVector<OpFoldResult> sizes, zeros(type.getRank(), b.getIndexAttr(0)),
      ones(type.getRank(), b.getIndexAttr(1));
  for (int64_t size : type.getShape())
    sizes.push_back(b.getIndexAttr(size));
  auto tile = RankedTensorType::get(type.getShape().drop_front(),
                                    type.getElementType());
  return tensor::ExtractSliceOp::create(b, loc, tile, memory, zeros, sizes,
                                        ones);
}

LogicalResult PrescanLoop::createConstant(Operation &inner, Attribute value) {
  Value result = inner.getResult(0);
  auto vector = dyn_cast<DenseElementsAttr>(value);
  auto type = tileType(result, vector ? vector.getNumElements() : 0);
  if (!vector)
    tiles.map(result, arith::ConstantOp::create(
                          b, loc, DenseElementsAttr::get(type, value)));
  else if (vector.isSplat())
    tiles.map(result, arith::ConstantOp::create(
                          b, loc,
                          DenseElementsAttr::get(
                              type, vector.getSplatValue<Attribute>())));
  else
    tiles.map(result, LoadTileOp::create(b, loc, type,
                                         arith::ConstantOp::create(
                                             b, loc, vector.reshape(type)),
                                         ValueRange{index(0)}, Value()));
  return success();
}

/// `tile` times a tile of its type, or of one factor for the row.
Value PrescanLoop::product(Value tile, Value factor) {
  if (tile.getType() == factor.getType())
    return arith::MulFOp::create(b, loc, factor, tile);
  return ScaleOp::create(b, loc, tile.getType(), tile, factor);
}

Value PrescanLoop::advance(AdvanceOp advance) {
  Value state = tiles.lookup(advance.getState());
  Value by = tiles.lookupOrNull(advance.getBy());
  Value with = tiles.lookupOrNull(advance.getWith());
  switch (advance.getKind()) {
  case AdvanceKind::Set:
    return with;
  case AdvanceKind::Affine:
    if (by)
      state = product(state, by);
    return with ? arith::AddFOp::create(b, loc, state, with) : state;
  case AdvanceKind::MaxPlus:
    if (by.getType() != state.getType())
      by = SplatOp::create(b, loc, state.getType(), by, state);
    return arith::MaximumFOp::create(
        b, loc, arith::AddFOp::create(b, loc, state, by), with);
  }
  return {};
}

LogicalResult PrescanLoop::createToken(Operation &inner) {
  Attribute constant;
  if (matchPattern(&inner, m_Constant(&constant)))
    return createConstant(inner, constant);
  Value result = inner.getResult(0);
  if (auto advanced = dyn_cast<AdvanceOp>(inner)) {
    tiles.map(result, advance(advanced));
    return success();
  }
  SmallVector<Value> operands;
  int64_t width = 0;
  for (Value operand : inner.getOperands())
    operands.push_back(tiles.lookup(operand));
  // Of a rotation the vector comes first, of all others any vector will do.
  for (Value tile : llvm::reverse(operands))
    if (auto type = cast<RankedTensorType>(tile.getType()); type.getRank() == 2)
      width = type.getDimSize(1);
  RankedTensorType type = tileType(result, width);
  auto sameRank = [&](Value tile) {
    return cast<RankedTensorType>(tile.getType()).getRank() == type.getRank();
  };
  bool isRowOp = isa<ScaleOp, SplatOp, DotOp, MeanOp, RotateOp>(inner);
  bool isElementwise = inner.hasTrait<OpTrait::Elementwise>() &&
                       llvm::all_of(operands, sameRank);
  if (inner.getNumResults() != 1 || inner.getNumRegions() != 0 ||
      !(isRowOp || isElementwise))
    return inner.emitError("does not apply to a token's row: expected an "
                           "elementwise op on scalars or on vectors of one "
                           "dimension");
  tiles.map(result, b.create(inner.getLoc(), inner.getName().getIdentifier(),
                             operands, type, inner.getAttrs())
                        ->getResult(0));
  return success();
}

/// Puts a tile, or a state's memory, into `dest` at `at`.
Value PrescanLoop::put(Value tile, Value dest, ArrayRef<OpFoldResult> at,
                       bool isVector) {
  SmallVector<OpFoldResult> ones(at.size(), b.getIndexAttr(1)), sizes(ones);
  if (isVector)
    sizes.back() = b.getIndexAttr(
        cast<RankedTensorType>(tile.getType()).getShape().back());
  return tensor::InsertSliceOp::create(b, loc, tile, dest, at, sizes, ones);
}

/// Puts a tile, or a state's memory, where a state is held: the whole of
/// `dest`.
Value PrescanLoop::putState(Value tile, Value dest) {
  auto rank = cast<RankedTensorType>(dest.getType()).getRank();
  SmallVector<OpFoldResult> zeros(rank, b.getIndexAttr(0));
  return put(tile, dest, zeros, /*isVector=*/rank == 3);
}

Value PrescanLoop::store(Value tile, Value slice, Value token) {
  Value zero = index(0);
  if (cast<RankedTensorType>(tile.getType()).getRank() == 2)
    return StoreTileOp::create(b, loc, tile, slice,
                               ValueRange{zero, token, zero}, zero);
  OpFoldResult none = b.getIndexAttr(0);
  return put(tile, slice, {none, token, none}, /*isVector=*/false);
}

LogicalResult PrescanLoop::create(SmallVectorImpl<Value> &slices) {
  Block &body = op.getBody().front();
  auto args = body.getArguments();
  size_t tokens = op.getTokens().size(), params = op.getParams().size();
  size_t outputs = op.getOutputs().size();
  loadInputs(args.slice(tokens, params), Value());
  SmallVector<Value> carried =
      loadStates(ArrayRef<Value>(slices).drop_front(outputs));
  size_t states = carried.size();
  llvm::append_range(carried, ArrayRef<Value>(slices).take_front(outputs));

  auto loop =
      scf::ForOp::create(b, loc, index(0), item.length, index(1), carried);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value token = loop.getInductionVar();
    auto values = loop.getRegionIterArgs();
    loadInputs(args.take_front(tokens), token);
    for (auto [state, value] : llvm::zip(op.getStates(), values))
      tiles.map(state, tileOf(value));
    for (Operation &inner : body.without_terminator())
      if (failed(createToken(inner)))
        return failure();
    // Last to first: a state may hold what an earlier one held before.
    SmallVector<Value> next(states);
    SmallVector<AdvanceOp> advances = op.getAdvances();
    for (size_t i = states; i-- > 0;)
      next[i] = putState(tiles.lookup(advances[i].getResult()), values[i]);
    for (auto [value, slice] : llvm::zip(body.getTerminator()->getOperands(),
                                         values.drop_front(states)))
      next.push_back(store(tiles.lookup(value), slice, token));
    scf::YieldOp::create(b, loc, next);
  }
  for (size_t i = 0; i < outputs; ++i)
    slices[i] = loop.getResult(states + i);
  for (size_t i = 0; i < states; ++i) {
    Value &final = slices[outputs + i];
    final = op.getInPlace() ? Value(loop.getResult(i))
                            : putState(loop.getResult(i), final);
  }
  return success();
}
} // namespace

LogicalResult qdelta::createPrescan(OpBuilder &b, const PrescanItem &item,
                                    SmallVectorImpl<Value> &slices) {
  return PrescanLoop(b, item).create(slices);
}

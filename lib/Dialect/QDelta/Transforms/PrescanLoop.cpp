//===- PrescanLoop.cpp - a prescan's tokens, block by block ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Values of a token become tiles of one row: tensor<1> and tensor<1 x D>. In
// the phases of functions of scalars they become tensor<1 x N> with the scalars
// of a block of N tokens. What is made in one phase and used in a later one is
// kept for the block: scalars in tensor<1 x N>, vectors in tensor<N x D>.
//
//===----------------------------------------------------------------------===//

#include "PrescanLoop.h"
#include "PrescanPhases.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

namespace {
bool isVector(Value value) { return isa<RankedTensorType>(value.getType()); }

class PrescanLoop {
public:
  PrescanLoop(OpBuilder &b, const PrescanItem &item, const PrescanRange &range)
      : b(b), item(item), range(range), op(item.op), loc(op.getLoc()),
        body(op.getBody().front()), phases(phasesOf(op)) {}

  LogicalResult create(MutableArrayRef<Value> carried);

private:
  static PrescanPhases phasesOf(PrescanOp op);
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  /// A token's place in memory that holds those from `base` on.
  Value placeIn(Value token, Value base) {
    return base ? arith::SubIOp::create(b, loc, token, base).getResult()
                : token;
  }
  /// The tile type of a region's value as wide as `like` is; 0 for a scalar.
  RankedTensorType tileType(Value value, int64_t width) {
    SmallVector<int64_t> shape{1};
    if (isVector(value))
      shape.push_back(width);
    return RankedTensorType::get(shape, getElementTypeOrSelf(value.getType()));
  }
  /// The type of the scalars of a block of tokens.
  RankedTensorType blockType(Value value) {
    return RankedTensorType::get({1, block},
                                 getElementTypeOrSelf(value.getType()));
  }
  int64_t widthOf(Value value);
  void loadParams();
  Value loadInput(BlockArgument arg, Value token);
  Value loadToken(BlockArgument arg, Value token);
  /// Whether tiles become vectors, rather than matrices.
  bool isInRows() {
    ScheduleAttr schedule = op.getSchedule().value_or(ScheduleAttr());
    return schedule && schedule.getLanes() >= 2;
  }
  LogicalResult createBlock(Value first, Value end,
                            MutableArrayRef<Value> carried);
  void gatherScalars(Value first, Value end);
  LogicalResult createFunctions(int64_t phase);
  LogicalResult createTokens(int64_t phase, Value first, Value end,
                             MutableArrayRef<Value> carried);
  void takeValues(int64_t phase, Value token, Value place);
  LogicalResult createToken(Operation &inner);
  LogicalResult createConstant(Operation &inner, Attribute value);
  Value advance(AdvanceOp advance);
  Value product(Value tile, Value factor);
  Value store(Value tile, Value slice, Value token);
  Value put(Value tile, Value dest, ArrayRef<OpFoldResult> at, bool isVector);
  Value tileOf(Value memory);

  OpBuilder &b;
  const PrescanItem &item;
  const PrescanRange &range;
  PrescanOp op;
  Location loc;
  Block &body;
  PrescanPhases phases;
  /// Tokens of a block; 1 if there is one phase.
  int64_t block = 1;
  /// Parameters, and the token's values in the current phase.
  IRMapping params, tiles;
  /// What is kept of the values of a block.
  llvm::MapVector<Value, Value> kept;
  /// How wide the vectors are that states hold and ops make.
  llvm::DenseMap<Value, int64_t> widths;
};

/// A step in place has too few tokens to take several at once.
PrescanPhases PrescanLoop::phasesOf(PrescanOp op) {
  ScheduleAttr schedule = op.getSchedule().value_or(ScheduleAttr());
  bool isSingle = op.getInPlace() || !schedule || schedule.getLanes() < 2;
  return isSingle ? PrescanPhases::single(op) : PrescanPhases(op);
}

/// Puts a tile, or a state's memory, where a state is held: the whole of
/// `dest`.
Value putState(OpBuilder &b, Location loc, Value tile, Value dest) {
  auto type = cast<RankedTensorType>(dest.getType());
  SmallVector<OpFoldResult> zeros(type.getRank(), b.getIndexAttr(0)),
      ones(type.getRank(), b.getIndexAttr(1)), sizes(ones);
  if (type.getRank() == 3)
    sizes.back() = b.getIndexAttr(
        cast<RankedTensorType>(tile.getType()).getShape().back());
  return tensor::InsertSliceOp::create(b, loc, tile, dest, zeros, sizes, ones);
}

Value PrescanLoop::loadInput(BlockArgument arg, Value token) {
  unsigned number = arg.getArgNumber();
  Value source = op.getOperand(1 + number);
  auto type = cast<RankedTensorType>(source.getType());
  if (token && isInRows())
    return loadToken(arg, token);
  SmallVector<Value> at{item.heads[number]};
  if (token)
    at = {item.batches[number], placeIn(token, range.tokenBases[number]),
          item.heads[number]};
  return LoadTileOp::create(b, loc, tileType(arg, type.getShape().back()),
                            source, at, Value());
}

/// A token's row of a sequence, or its scalar. The loops are over tokens that
/// exist: that question, in an address, would keep it from being a sum.
Value PrescanLoop::loadToken(BlockArgument arg, Value token) {
  unsigned number = arg.getArgNumber();
  Value source = op.getOperand(1 + number);
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<OpFoldResult> offsets{item.batches[number],
                                    placeIn(token, range.tokenBases[number]),
                                    item.heads[number]},
      sizes(type.getRank(), b.getIndexAttr(1)), ones(sizes);
  if (isVector(arg)) {
    offsets.push_back(b.getIndexAttr(0));
    sizes.back() = b.getIndexAttr(type.getShape().back());
  }
  RankedTensorType tile = tileType(arg, type.getShape().back());
  Value loaded = tensor::ExtractSliceOp::create(
      b, loc, tile.clone(type.getElementType()), source, offsets, sizes, ones);
  if (loaded.getType() != tile)
    loaded = arith::ExtFOp::create(b, loc, tile, loaded);
  return loaded;
}

void PrescanLoop::loadParams() {
  size_t tokens = op.getTokens().size();
  for (BlockArgument arg :
       body.getArguments().slice(tokens, op.getParams().size()))
    params.map(arg, loadInput(arg, Value()));
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
    // Which of two zeros it is takes longer to find out than the rest.
    return arith::MaximumFOp::create(b, loc,
                                     arith::AddFOp::create(b, loc, state, by),
                                     with, arith::FastMathFlags::nsz);
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

/// A token's output; without the question whether the token exists, which would
/// keep its row from becoming strips.
Value PrescanLoop::store(Value tile, Value slice, Value token) {
  Type stored = cast<RankedTensorType>(slice.getType()).getElementType();
  auto type = cast<RankedTensorType>(tile.getType());
  if (type.getElementType() != stored)
    tile = arith::TruncFOp::create(b, loc, type.clone(stored), tile);
  OpFoldResult none = b.getIndexAttr(0);
  SmallVector<OpFoldResult> at{none, token, none};
  bool isVector = type.getRank() == 2;
  if (isVector)
    at.push_back(none);
  return put(tile, slice, at, isVector);
}

/// How wide a vector of the region is: that of what it is made of.
int64_t PrescanLoop::widthOf(Value value) {
  if (!isVector(value))
    return 0;
  if (int64_t known = widths.lookup(value))
    return known;
  int64_t width = 0;
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    Value source = op.getOperand(1 + arg.getArgNumber());
    width = cast<RankedTensorType>(source.getType()).getShape().back();
  } else {
    DenseElementsAttr constant;
    Operation *def = value.getDefiningOp();
    if (matchPattern(def, m_Constant(&constant)))
      width = constant.getNumElements();
    // Of a rotation the vector comes first, of all others any vector will do.
    for (Value operand : llvm::reverse(def->getOperands()))
      if (isVector(operand))
        width = widthOf(operand);
  }
  return widths[value] = width;
}

/// The inputs that functions of scalars use, of all tokens of the block.
void PrescanLoop::gatherScalars(Value first, Value end) {
  SmallVector<BlockArgument> used;
  for (BlockArgument arg :
       body.getArguments().take_front(op.getTokens().size()))
    for (int64_t phase = 0; phase <= phases.last(); phase += 2)
      if (!isVector(arg) && phases.isUsedIn(arg, phase)) {
        used.push_back(arg);
        break;
      }
  SmallVector<Value> inits;
  for (BlockArgument arg : used)
    inits.push_back(tensor::EmptyOp::create(b, loc, blockType(arg).getShape(),
                                            blockType(arg).getElementType()));
  auto loop = scf::ForOp::create(
      b, loc, first, end, index(1), inits,
      [&](OpBuilder &, Location, Value token, ValueRange args) {
        OpFoldResult place = placeIn(token, first);
        SmallVector<Value> next;
        for (auto [arg, scalars] : llvm::zip(used, args))
          next.push_back(put(loadInput(arg, token), scalars,
                             {b.getIndexAttr(0), place}, /*isVector=*/false));
        scf::YieldOp::create(b, loc, next);
      });
  for (auto [arg, scalars] : llvm::zip(used, loop.getResults()))
    kept[arg] = scalars;
}

/// Functions of scalars, for all tokens of the block.
LogicalResult PrescanLoop::createFunctions(int64_t phase) {
  tiles = IRMapping();
  auto take = [&](Value value) {
    if (tiles.contains(value))
      return;
    RankedTensorType type = blockType(value);
    Attribute constant;
    if (matchPattern(value, m_Constant(&constant)))
      tiles.map(value, arith::ConstantOp::create(
                           b, loc, DenseElementsAttr::get(type, constant)));
    else if (Value param = params.lookupOrNull(value))
      tiles.map(value, SplatOp::create(b, loc, type, param,
                                       arith::ConstantOp::create(
                                           b, loc, b.getZeroAttr(type))));
    else
      tiles.map(value, kept.lookup(value));
  };
  for (Operation &inner : body.without_terminator()) {
    if (inner.getNumResults() != 1 ||
        !PrescanPhases::isMade(inner.getResult(0)) ||
        phases.of(&inner) != phase)
      continue;
    llvm::for_each(inner.getOperands(), take);
    if (!inner.hasTrait<OpTrait::Elementwise>())
      return inner.emitError("does not apply to the scalars of several tokens: "
                             "expected an elementwise op");
    SmallVector<Value> operands;
    for (Value operand : inner.getOperands())
      operands.push_back(tiles.lookup(operand));
    Value result = inner.getResult(0);
    Operation *made = b.create(inner.getLoc(), inner.getName().getIdentifier(),
                               operands, blockType(result), inner.getAttrs());
    tiles.map(result, made->getResult(0));
    kept[result] = made->getResult(0);
  }
  return success();
}

/// What the ops of `phase` use of one token, unless they make it.
void PrescanLoop::takeValues(int64_t phase, Value token, Value place) {
  tiles = IRMapping(params);
  size_t tokens = op.getTokens().size();
  for (BlockArgument arg : body.getArguments().take_front(tokens))
    if (phases.isUsedIn(arg, phase))
      tiles.map(arg, loadInput(arg, token));
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  for (auto [value, memory] : kept) {
    if (!phases.isUsedIn(value, phase) || tiles.contains(value))
      continue;
    RankedTensorType type = tileType(value, widthOf(value));
    if (isVector(value))
      tiles.map(value, LoadTileOp::create(b, loc, type, memory,
                                          ValueRange{place}, Value()));
    else
      tiles.map(value,
                tensor::ExtractSliceOp::create(
                    b, loc, type, memory, ArrayRef<OpFoldResult>{zero, place},
                    ArrayRef<OpFoldResult>{one, one},
                    ArrayRef<OpFoldResult>{one, one}));
  }
}

/// The ops of one phase, token by token.
LogicalResult PrescanLoop::createTokens(int64_t phase, Value first, Value end,
                                        MutableArrayRef<Value> carried) {
  // The states that advance, the outputs that are stored, and what is kept.
  SmallVector<AdvanceOp> advances = op.getAdvances();
  SmallVector<size_t> places;
  for (auto [i, state] : llvm::enumerate(op.getStates()))
    if (phases.of(state) == phase)
      places.push_back(i);
  size_t states = places.size();
  for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands()))
    if (phases.ofStore(value) == phase)
      places.push_back(advances.size() + i);
  SmallVector<Value> inits, keeps;
  for (size_t place : places)
    inits.push_back(carried[place]);
  auto keep = [&](Value value) {
    if (phases.of(value) != phase || !phases.isUsedLater(value))
      return;
    RankedTensorType type = blockType(value);
    if (isVector(value))
      type = type.clone({block, widthOf(value)});
    keeps.push_back(value);
    inits.push_back(tensor::EmptyOp::create(b, loc, type.getShape(),
                                            type.getElementType()));
  };
  for (Value state : op.getStates())
    keep(state);
  for (Operation &inner : body.without_terminator())
    for (Value result : inner.getResults())
      keep(result);

  auto loop = scf::ForOp::create(b, loc, first, end, index(1), inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value token = loop.getInductionVar();
    Value place = block > 1 ? placeIn(token, first) : Value();
    auto values = loop.getRegionIterArgs();
    takeValues(phase, token, place);
    for (size_t i = 0; i < states; ++i)
      tiles.map(advances[places[i]].getState(), tileOf(values[i]));
    for (Operation &inner : body.without_terminator()) {
      bool isHere = inner.getNumResults() != 1 ||
                    !PrescanPhases::isMade(inner.getResult(0)) ||
                    phases.of(&inner) == phase;
      if (isHere && failed(createToken(inner)))
        return failure();
    }
    SmallVector<Value> next(values);
    // Before the states' memory is written: a kept one is what was in it.
    for (auto [i, value] : llvm::enumerate(keeps)) {
      Value &memory = next[places.size() + i];
      SmallVector<OpFoldResult> at{b.getIndexAttr(0), place};
      if (isVector(value))
        std::swap(at[0], at[1]);
      memory = put(tiles.lookup(value), memory, at, isVector(value));
    }
    // Last to first: a state may hold what an earlier one held before.
    for (size_t i = states; i-- > 0;)
      next[i] = putState(b, loc, tiles.lookup(advances[places[i]].getResult()),
                         values[i]);
    for (size_t i = states; i < places.size(); ++i) {
      size_t output = places[i] - advances.size();
      next[i] = store(tiles.lookup(body.getTerminator()->getOperand(output)),
                      values[i], placeIn(token, range.outputBases[output]));
    }
    scf::YieldOp::create(b, loc, next);
  }
  for (auto [place, result] : llvm::zip(places, loop.getResults()))
    carried[place] = result;
  for (auto [value, result] :
       llvm::zip(keeps, loop.getResults().drop_front(places.size())))
    kept[value] = result;
  return success();
}

/// Tokens `first` to `end`, at most a block of them.
LogicalResult PrescanLoop::createBlock(Value first, Value end,
                                       MutableArrayRef<Value> carried) {
  kept.clear();
  if (block > 1)
    gatherScalars(first, end);
  for (int64_t phase = block > 1 ? 0 : 1; phase <= phases.last(); ++phase)
    if (failed(phase % 2 ? createTokens(phase, first, end, carried)
                         : createFunctions(phase)))
      return failure();
  return success();
}

LogicalResult PrescanLoop::create(MutableArrayRef<Value> carried) {
  loadParams();
  if (phases.last() == 1 && !phases.hasFunctions())
    return createBlock(range.begin, range.end, carried);
  block = 2 * op.getSchedule()->getLanes();
  auto loop =
      scf::ForOp::create(b, loc, range.begin, range.end, index(block), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value first = loop.getInductionVar();
  Value end = arith::MinUIOp::create(
      b, loc, arith::AddIOp::create(b, loc, first, index(block)), range.end);
  SmallVector<Value> values(loop.getRegionIterArgs());
  if (failed(createBlock(first, end, values)))
    return failure();
  scf::YieldOp::create(b, loc, values);
  llvm::copy(loop.getResults(), carried.begin());
  return success();
}
} // namespace

SmallVector<Value> qdelta::loadPrescanStates(OpBuilder &b,
                                             const PrescanItem &item,
                                             ArrayRef<Value> finals) {
  PrescanOp op = item.op;
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
    states.push_back(tensor::ExtractSliceOp::create(b, op.getLoc(), init,
                                                    offsets, sizes, strides));
  }
  return states;
}

LogicalResult qdelta::createPrescan(OpBuilder &b, const PrescanItem &item,
                                    const PrescanRange &range,
                                    MutableArrayRef<Value> carried) {
  return PrescanLoop(b, item, range).create(carried);
}

void qdelta::storePrescanStates(OpBuilder &b, const PrescanItem &item,
                                ArrayRef<Value> states,
                                MutableArrayRef<Value> finals) {
  PrescanOp op = item.op;
  for (auto [state, final] : llvm::zip(states, finals))
    final = op.getInPlace() ? state : putState(b, op.getLoc(), state, final);
}

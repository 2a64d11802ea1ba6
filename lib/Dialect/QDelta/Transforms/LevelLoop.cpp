//===- LevelLoop.cpp - a head's list, level by level ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "LevelLoop.h"
#include "TokenSlices.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

#include <limits>

using namespace mlir;
using namespace qdelta;

FenwickOp qdelta::fenwickOf(AffineScanOp list) {
  for (Value token : list.getTokens())
    if (auto fenwick = token.getDefiningOp<FenwickOp>())
      return fenwick;
  return nullptr;
}

SmallVector<Operation *>
qdelta::definitionsOfLevels(ArrayRef<Operation *> ops) {
  llvm::SetVector<Operation *> found;
  for (Operation *op : ops) {
    auto list = dyn_cast<AffineScanOp>(op);
    if (list && list.getLevels())
      found.insert(fenwickOf(list));
  }
  return found.takeVector();
}

/// Sequences that say where a level's blocks begin, what they hold and who
/// reads them.
static constexpr int64_t kMasks = 3;

namespace {
class LevelLoop {
public:
  LevelLoop(OpBuilder &b, Location loc, HeadContext &context, Value total)
      : b(b), loc(loc), context(context), op(context.op), total(total) {}

  LogicalResult create(SmallVectorImpl<Value> &slices);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value is(arith::CmpIPredicate predicate, Value lhs, Value rhs) {
    return arith::CmpIOp::create(b, loc, predicate, lhs, rhs);
  }
  Value select(Value condition, double yes, double no) {
    auto number = [&](double value) -> Value {
      return arith::ConstantOp::create(
          b, loc, b.getFloatAttr(context.list.element, value));
    };
    return arith::SelectOp::create(b, loc, condition, number(yes), number(no));
  }
  Value createSum(Value output);
  void store(Value sum, Value &output);
  LogicalResult createLevel(scf::ForOp loop, size_t numSlices);
  SmallVector<Value> createMasks(Value size, Value half, Value length,
                                 ValueRange masks);
  void takeLevel(Value level, ValueRange masks);
  void takeStates(HeadContext &own, Value level);
  Value ownTokens(Value mask);
  void findPosition(FenwickOp fenwick);
  Value levelOf(Value states, Value entry, Value level);

  OpBuilder &b;
  Location loc;
  HeadContext &context;
  AffineScanOp op;
  Value total;
  /// L, and how many tokens of the sequence came before.
  Value levels, position;
  /// The token inputs with a number for each level, and the levels' results of
  /// `qdelta.fenwick` by their number, or -1.
  SmallVector<std::pair<unsigned, int64_t>> perLevel;
};
} // namespace

/// A token's row of a sequence of vectors.
static RankedTensorType rowOf(Value sequence, Type element) {
  int64_t width = cast<RankedTensorType>(sequence.getType()).getDimSize(3);
  return RankedTensorType::get({1, width}, element);
}

/// Where levels add up to `output`, [1, T, 1, V]: in its place, or where that
/// would round each sum in memory of the head's own.
Value LevelLoop::createSum(Value output) {
  if (!isNarrow(output.getType()))
    return output;
  auto row = rowOf(output, context.list.element);
  SmallVector<OpFoldResult> shape{b.getIndexAttr(1), total, b.getIndexAttr(1),
                                  b.getIndexAttr(row.getDimSize(1))};
  return tensor::EmptyOp::create(b, loc, shape, row.getElementType());
}

/// Rounds a sum that is not where its output is.
void LevelLoop::store(Value sum, Value &output) {
  if (!isNarrow(output.getType())) {
    output = sum;
    return;
  }
  Value zero = index(0);
  auto loop = scf::ForOp::create(
      b, loc, zero, context.length, index(1), output,
      [&](OpBuilder &, Location, Value token, ValueRange args) {
        SmallVector<Value> at{zero, token, zero};
        Value row = LoadTileOp::create(
            b, loc, rowOf(output, context.list.element), sum, at, zero);
        scf::YieldOp::create(
            b, loc,
            StoreTileOp::create(b, loc, row, args[0], at, zero).getResult());
      });
  output = loop.getResult(0);
}

/// What `qdelta.fenwick` says of a level whose blocks have `size` tokens, as
/// sequences [1, T, 1] in `masks`: resets, sources, readers.
SmallVector<Value> LevelLoop::createMasks(Value size, Value half, Value length,
                                          ValueRange masks) {
  using Predicate = arith::CmpIPredicate;
  Value zero = index(0);
  // A block of one token is all source and all reader.
  Value sources = arith::MaxUIOp::create(b, loc, half, index(1));
  auto loop = scf::ForOp::create(
      b, loc, zero, length, index(1), masks,
      [&](OpBuilder &, Location, Value token, ValueRange args) {
        Value number = arith::AddIOp::create(b, loc, token, position);
        Value at = arith::RemUIOp::create(b, loc, number, size);
        constexpr double infinity = std::numeric_limits<double>::infinity();
        Value made[] = {select(is(Predicate::eq, at, zero), -infinity, 0),
                        select(is(Predicate::ult, at, sources), 1, 0),
                        select(is(Predicate::uge, at, half), 1, 0)};
        SmallVector<Value> next;
        for (auto [value, mask] : llvm::zip(made, args))
          next.push_back(tensor::InsertOp::create(
              b, loc, value, mask, ValueRange{zero, token, zero}));
        scf::YieldOp::create(b, loc, next);
      });
  return SmallVector<Value>(loop.getResults());
}

/// What the head's tokens are of numbers that may be for more, so that a chunk
/// ends with the last one.
Value LevelLoop::ownTokens(Value mask) {
  if (!op.getCuSeqlens())
    return mask;
  return takeTokens(b, loc, mask, b.getIndexAttr(0), context.length);
}

/// Makes `op` the plain list of one level.
void LevelLoop::takeLevel(Value level, ValueRange masks) {
  for (auto [number, result] : perLevel) {
    OpOperand &token = op.getTokensMutable()[number];
    if (result >= 0) {
      token.set(ownTokens(masks[result]));
      continue;
    }
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(b, loc, token.get());
    SmallVector<OpFoldResult> offsets(3, b.getIndexAttr(0)),
        strides(4, b.getIndexAttr(1));
    offsets.push_back(level);
    sizes.back() = b.getIndexAttr(1);
    auto type = cast<RankedTensorType>(token.get().getType());
    type = RankedTensorType::get(type.getShape().drop_back(),
                                 type.getElementType());
    token.set(tensor::ExtractSliceOp::create(b, loc, type, token.get(), offsets,
                                             sizes, strides));
  }
}

/// One matrix [1, 1, K, V] of states.
Value LevelLoop::levelOf(Value states, Value entry, Value level) {
  auto type = cast<RankedTensorType>(states.getType());
  SmallVector<OpFoldResult> offsets(4, b.getIndexAttr(0)),
      sizes(4, b.getIndexAttr(1)), strides(4, b.getIndexAttr(1));
  offsets[0] = entry, offsets[1] = level;
  sizes[2] = b.getIndexAttr(type.getDimSize(2));
  sizes[3] = b.getIndexAttr(type.getDimSize(3));
  return tensor::ExtractSliceOp::create(
      b, loc,
      RankedTensorType::get({1, 1, type.getDimSize(2), type.getDimSize(3)},
                            type.getElementType()),
      states, offsets, sizes, strides);
}

/// The level's state among those of all heads: what it starts from, and in
/// place the one after it, which is the next head's first one at last.
void LevelLoop::takeStates(HeadContext &own, Value level) {
  Value first = arith::MulIOp::create(b, loc, context.head, levels);
  Value number = arith::AddIOp::create(b, loc, first, level);
  if (!op.getInPlace())
    for (OpOperand &init : op.getInitsMutable())
      init.set(levelOf(init.get(), context.batch, number));
  own.batch = own.head = index(0);
  if (own.states.empty())
    return;
  Value last = arith::SubIOp::create(
      b, loc, tensor::DimOp::create(b, loc, own.states[0], 1), index(1));
  own.nextHead = arith::MinUIOp::create(
      b, loc, arith::AddIOp::create(b, loc, number, index(1)), last);
}

void LevelLoop::findPosition(FenwickOp fenwick) {
  Value before =
      tensor::ExtractOp::create(b, loc, fenwick.getPosition(), context.batch);
  position = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), before);
  levels = tensor::DimOp::create(b, loc, fenwick.getLike(), 3);
}

LogicalResult LevelLoop::create(SmallVectorImpl<Value> &slices) {
  FenwickOp fenwick = fenwickOf(op);
  for (auto [number, token] : llvm::enumerate(op.getTokens()))
    if (op.isPerLevel(number)) {
      bool isMask = token.getDefiningOp() == fenwick;
      perLevel.push_back(
          {number, isMask ? cast<OpResult>(token).getResultNumber() : -1LL});
    }
  size_t outputs = slices.size() - op.getInits().size();
  SmallVector<Value> carried(slices.begin(), slices.end());
  for (Value &output : MutableArrayRef(carried).take_front(outputs))
    output = createSum(output);
  SmallVector<OpFoldResult> shape{b.getIndexAttr(1), total, b.getIndexAttr(1)};
  for (int64_t i = 0; i < kMasks; ++i)
    carried.push_back(
        tensor::EmptyOp::create(b, loc, shape, context.list.element));
  carried.push_back(index(1));
  findPosition(fenwick);
  auto loop = scf::ForOp::create(b, loc, index(0), levels, index(1), carried);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    if (failed(createLevel(loop, slices.size())))
      return failure();
  }
  for (auto [number, slice] : llvm::enumerate(slices))
    if (number < outputs)
      store(loop.getResult(number), slice);
    else
      slice = loop.getResult(number);
  return success();
}

/// One level: what `loop` carries are sums, states, masks and the blocks' size.
LogicalResult LevelLoop::createLevel(scf::ForOp loop, size_t numSlices) {
  ValueRange args = loop.getRegionIterArgs();
  Value size = args.back();
  Value half = arith::DivUIOp::create(b, loc, size, index(2));
  HeadContext own = context;
  Value level = loop.getInductionVar();
  own.adds = is(arith::CmpIPredicate::ne, level, index(0));
  SmallVector<Value> masks = createMasks(size, half, context.length,
                                         args.drop_back().take_back(kMasks));
  takeLevel(level, masks);
  takeStates(own, level);
  SmallVector<Value> next(args.take_front(numSlices));
  size_t outputs = numSlices - op.getInits().size();
  auto states = MutableArrayRef(next).drop_front(outputs);
  for (Value &state : states)
    state = levelOf(state, index(0), level);
  if (failed(createHead(b, loc, own, next)))
    return failure();
  for (auto [state, all] : llvm::zip(states, args.drop_front(outputs)))
    state = tensor::InsertSliceOp::create(
        b, loc, state, all,
        SmallVector<OpFoldResult>{b.getIndexAttr(0), level, b.getIndexAttr(0),
                                  b.getIndexAttr(0)},
        tensor::getMixedSizes(b, loc, state),
        SmallVector<OpFoldResult>(4, b.getIndexAttr(1)));
  llvm::append_range(next, masks);
  // Larger blocks have more tokens than there can be.
  next.push_back(arith::MinUIOp::create(
      b, loc, arith::MulIOp::create(b, loc, size, index(2)),
      index(int64_t(1) << 62)));
  scf::YieldOp::create(b, loc, next);
  return success();
}

LogicalResult qdelta::createLevels(OpBuilder &b, Location loc,
                                   HeadContext context, Value total,
                                   SmallVectorImpl<Value> &slices) {
  return LevelLoop(b, loc, context, total).create(slices);
}

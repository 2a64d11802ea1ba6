//===- ColumnValues.cpp - values with columns, in fragments ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "StateRole.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

ColumnValues::ColumnValues(Kernel &kernel, Products &products, Num first,
                           Num stage, Num slot, Fragment state)
    : kernel(kernel), e(kernel.e), plan(kernel.plan), products(products),
      first(first), stage(stage), slot(slot) {
  values[plan.loop.getRegionIterArgs()[0]] = std::move(state);
}

FailureOr<Fragment> ColumnValues::run() {
  SmallVector<StoreTileOp> stores;
  for (Operation &op : plan.loop.getBody()->without_terminator()) {
    if (op.getNumResults() == 0)
      continue;
    Kind kind = plan.kindOf(op.getResult(0));
    if (kind != Kind::Column && kind != Kind::State)
      continue;
    if (auto store = dyn_cast<StoreTileOp>(op))
      stores.push_back(store);
    else if (failed(create(op)))
      return failure();
  }
  // While the update is in flight.
  for (StoreTileOp store : stores) {
    FailureOr<Fragment> tile = get(store.getTile());
    if (failed(tile))
      return failure();
    storeTile(store, *tile);
  }
  return get(plan.loop.getBody()->getTerminator()->getOperand(0));
}

FailureOr<Fragment> ColumnValues::get(Value value) {
  auto known = values.find(value);
  if (known != values.end()) {
    products.finish(known->second);
    return known->second;
  }
  DenseElementsAttr splat;
  if (matchPattern(value, m_Constant(&splat)) && splat.isSplat())
    return Fragment(static_cast<size_t>(plan.chunk / 2),
                    e.f32(splat.getSplatValue<APFloat>().convertToDouble()));
  emitError(value.getLoc(), "is not lowered for GPUs yet in a tile of values");
  return failure();
}

/// A value as the first operand of a product, made once.
ArrayRef<Num> ColumnValues::packed(Value value) {
  Fragment &operand = operands[value];
  if (operand.empty()) {
    Fragment &whole = values[value];
    products.finish(whole);
    operand = products.pack(whole);
  }
  return operand;
}

/// The operands of this product over tokens and of later ones that are there
/// already: a branch comes before each product, over which packed ones are half
/// as many registers. One question is for all.
void ColumnValues::makeTokenOperands(Value needed) {
  llvm::SmallSetVector<Value, 4> made;
  for (auto apply : plan.loop.getBody()->getOps<ChunkApplyOp>()) {
    Value value = apply.getValues();
    bool isReady =
        values.contains(value) && !value.getDefiningOp<ChunkApplyOp>();
    if (!tokenOperands.contains(value) && (value == needed || isReady))
      made.insert(value);
  }
  if (made.empty())
    return;
  Fragment all;
  for (Value value : made) {
    ArrayRef<Num> words = packed(value);
    // Rounding to TF32 can make an infinity of a number.
    if (plan.format == Format::TF32)
      for (Num word : words)
        all.push_back(kernel.e.bitcast(word, kernel.e.f32Type()));
    else
      all.append(values[value]);
  }
  Num hasNonFinite = anyNonFinite(kernel, all);
  for (Value value : made)
    tokenOperands[value] = TokenOperand(packed(value), hasNonFinite);
}

/// All reads of the state at once, for one pass over it.
void ColumnValues::readAll(Value state) {
  SmallVector<ChunkReadOp> reads;
  SmallVector<Num> tiles;
  for (auto read : plan.loop.getBody()->getOps<ChunkReadOp>())
    if (read.getState() == state) {
      reads.push_back(read);
      tiles.push_back(keyTile(read.getKeys()));
    }
  auto results = products.read(values[state], tiles);
  for (auto [read, result] : llvm::zip(reads, results))
    values[read] = result;
}

Num ColumnValues::keyTile(Value keys) {
  auto handedOver = plan.handedOver.find(keys);
  return handedOver == plan.handedOver.end() ? stage + plan.tileOf(keys).offset
                                             : slot + handedOver->second;
}

/// The factors of key channels 8 j + 2 q + i.
void ColumnValues::decayChannels(Fragment &state, Value channels) {
  Lane x = kernel.lane(/*gramRole=*/false);
  Num factors = slot + plan.handedOver.lookup(channels) + x.quad * 8;
  for (int64_t j = 0; j < plan.keys / 8; ++j) {
    Fragment pair = e.loadSharedMany(factors + 32 * j, 2);
    for (int64_t n = 0; n < 4; ++n)
      state[4 * j + n] = state[4 * j + n] * pair[n & 1];
  }
}

void ColumnValues::decay(ChunkUpdateOp update) {
  if (!decayed.insert(update).second)
    return;
  if (Value channels = update.getChannels())
    decayChannels(values[update.getState()], channels);
  Value by = update.getDecay();
  if (matchPattern(by, m_OneFloat()))
    return;
  Num factor = e.loadShared(slot + plan.handedOver.lookup(by));
  for (Num &value : values[update.getState()])
    value = value * factor;
}

Fragment ColumnValues::loadTile(LoadTileOp op) {
  Lane x = kernel.lane(/*gramRole=*/false);
  Num tile = stage + plan.tileOf(op).offset;
  int64_t rows = plan.chunk;
  Fragment result;
  if (plan.format == Format::TF32) {
    for (int64_t j = 0; j < rows / 8; ++j)
      for (int64_t h = 0; h < 2; ++h)
        for (int64_t i = 0; i < 2; ++i)
          result.push_back(e.loadShared(
              kernel.elementAddress(tile, rows, x.quad * 2 + (8 * j + i),
                                    x.warp * 16 + x.group + 8 * h)));
    return result;
  }
  Num row = (x.matrix >> 1) * 8 + x.row;
  Num start = kernel.tileAddress(tile, rows, row, x.warp * 2 + (x.matrix & 1));
  for (int64_t j = 0; j < rows / 16; ++j)
    for (Num pair : e.loadMatrices(start + 16 * 128 * j, /*transposed=*/true)) {
      result.push_back(e.unpackLow(plan.format, pair));
      result.push_back(e.unpackHigh(plan.format, pair));
    }
  return result;
}

Fragment ColumnValues::scale(ArrayRef<Num> tile, Value by) {
  Fragment result(tile.begin(), tile.end());
  if (plan.kindOf(by) == Kind::Scalar) {
    Num factor = e.loadShared(slot + plan.handedOver.lookup(by));
    for (Num &value : result)
      value = value * factor;
    return result;
  }
  Lane x = kernel.lane(/*gramRole=*/false);
  Num factors = slot + plan.handedOver.lookup(by) + x.quad * 8;
  for (int64_t j = 0; j < plan.chunk / 8; ++j) {
    Fragment pair = e.loadSharedMany(factors + 32 * j, 2);
    for (int64_t n = 0; n < 4; ++n)
      result[4 * j + n] = result[4 * j + n] * pair[n & 1];
  }
  return result;
}

LogicalResult ColumnValues::create(Operation &op) {
  if (matchPattern(&op, m_Constant()))
    return success();
  Value result = op.getResult(0);
  if (auto read = dyn_cast<ChunkReadOp>(op)) {
    if (!values.contains(result))
      readAll(read.getState());
    return success();
  }
  if (auto load = dyn_cast<LoadTileOp>(op)) {
    values[result] = loadTile(load);
    return success();
  }
  if (auto update = dyn_cast<ChunkUpdateOp>(op)) {
    decay(update);
    Fragment state = values[update.getState()];
    for (auto [key, value] : llvm::zip(update.getKeys(), update.getValues()))
      products.update(state, packed(value), keyTile(key));
    values[result] = state;
    return success();
  }
  SmallVector<Fragment> operands;
  for (Value operand : op.getOperands()) {
    Kind kind = plan.kindOf(operand);
    if (kind != Kind::Column && !matchPattern(operand, m_Constant()))
      continue;
    auto value = get(operand);
    if (failed(value))
      return failure();
    operands.push_back(*value);
  }
  if (auto apply = dyn_cast<ChunkApplyOp>(op)) {
    auto sum = get(apply.getInit());
    if (failed(sum))
      return failure();
    makeTokenOperands(apply.getValues());
    ArrayRef<Num> operand = tokenOperands[apply.getValues()].prepare(
        kernel, *sum, apply.getInclusive());
    products.apply(*sum, operand,
                   slot + plan.handedOver.lookup(apply.getMatrix()));
    // The reads are done: the state decays while this product runs.
    for (auto update : plan.loop.getBody()->getOps<ChunkUpdateOp>())
      decay(update);
    values[result] = *sum;
    return success();
  }
  if (isa<ScaleOp>(op)) {
    values[result] = scale(operands[0], op.getOperand(1));
    return success();
  }
  if (op.getName().getDialectNamespace() != "arith")
    return op.emitOpError("is not lowered for GPUs yet in a tile of values");
  bool isTruth = getElementTypeOrSelf(result.getType()).isInteger(1);
  Type type = isTruth ? Type(e.b.getI1Type()) : e.f32Type();
  Fragment made;
  for (size_t i = 0; i < operands[0].size(); ++i) {
    SmallVector<Value> parts;
    for (Fragment &operand : operands)
      parts.push_back(operand[i]);
    Operation *each = e.b.create(op.getLoc(), op.getName().getIdentifier(),
                                 parts, type, op.getAttrs());
    made.push_back(e.num(each->getResult(0)));
  }
  values[result] = made;
  return success();
}

void ColumnValues::storeTile(StoreTileOp op, ArrayRef<Num> tile) {
  unsigned output = 0;
  for (auto [i, arg] : llvm::enumerate(plan.loop.getRegionIterArgs()))
    if (arg == op.getDest())
      output = static_cast<unsigned>(i) - 1;
  storeRows(kernel, kernel.inputs() + output, first, tile);
}

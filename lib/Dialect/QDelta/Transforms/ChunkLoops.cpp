//===- ChunkLoops.cpp - the loops of one batch entry and head -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ChunkLoops.h"
#include "ChunkStep.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

namespace {

/// Value blocks of one width. The state is kept block by block.
struct BlockGroup {
  int64_t count, width, firstColumn, firstBlock;
};

class HeadBuilder {
public:
  HeadBuilder(OpBuilder &b, Location loc, const HeadContext &context)
      : b(b), rewriter(b.getContext()), loc(loc), context(context),
        op(context.op), schedule(*op.getSchedule()),
        dims(inferTokenDims(op.getBody().front())) {
    auto state = cast<RankedTensorType>(op.getInits()[0].getType());
    keys = state.getDimSize(2);
    chunk = schedule.getChunk();
    int64_t values = state.getDimSize(3), width = schedule.getColumns();
    if (values / width)
      groups.push_back({values / width, width, 0, 0});
    if (values % width)
      groups.push_back(
          {1, values % width, values - values % width, values / width});
    blocks = (values + width - 1) / width;
  }

  LogicalResult create(SmallVectorImpl<Value> &slices);

private:
  // Small constructors.
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value add(Value lhs, Value rhs) {
    return arith::AddIOp::create(b, loc, lhs, rhs);
  }
  Value mul(Value lhs, int64_t rhs) {
    return arith::MulIOp::create(b, loc, lhs, index(rhs));
  }
  RankedTensorType tensorOf(ArrayRef<int64_t> shape) {
    return RankedTensorType::get(shape, context.list.element);
  }
  Value empty(ArrayRef<int64_t> shape) {
    return tensor::EmptyOp::create(b, loc, shape, context.list.element);
  }
  /// The slice of `type` at leading indices `lead` of `source`.
  Value slice(Value source, ValueRange lead, RankedTensorType type);
  Value insert(Value tile, Value dest, ValueRange lead);
  void sliceGeometry(Value whole, ValueRange lead, RankedTensorType part,
                     SmallVector<OpFoldResult> &offsets,
                     SmallVector<OpFoldResult> &sizes,
                     SmallVector<OpFoldResult> &strides);

  TokenTiles tilesAt(Value first, Value column = {}, int64_t columns = 0) {
    return TokenTiles(op, chunk, keys, dims,
                      {context.batch, first, context.heads, column, columns});
  }
  FailureOr<ChunkSystem> systemAt(Value first, Value runningDecay);
  Value blockColumn(const BlockGroup &group, Value block) {
    return add(mul(block, group.width), index(group.firstColumn));
  }

  Value loadState(const BlockGroup &group);
  Value firstReadouts(const BlockGroup &group, Value state, Value base);
  void roundKeys();
  LogicalResult createSpan(Value firstChunk, Value runningDecay);
  void createBlocks(unsigned groupIndex, Value firstChunk, Value count);
  LogicalResult createChunk(const BlockGroup &group, Value block, Value first,
                            Value slot, SmallVectorImpl<Value> &carried);
  void createPrefetches(const BlockGroup &group, Value block, Value first,
                        ValueRange outputs);
  Value storeState(const BlockGroup &group, Value state, Value scale,
                   Value final);

  OpBuilder &b;
  IRRewriter rewriter;
  Location loc;
  const HeadContext &context;
  AffineScanOp op;
  ScheduleAttr schedule;
  llvm::DenseMap<Value, TokenDim> dims;
  int64_t keys, chunk, blocks;
  SmallVector<BlockGroup, 2> groups;

  /// The system of the span's chunks: its values stand for slot 0's, the rings
  /// hold all slots', in the order of `forEachShared`.
  ChunkSystem system;
  SmallVector<Value> rings;
  /// What crosses spans: per group the state, then one readout tensor per base
  /// if passes are fused; then the outputs.
  SmallVector<Value> carried;
  bool failed = false;
};

void HeadBuilder::sliceGeometry(Value whole, ValueRange lead,
                                RankedTensorType part,
                                SmallVector<OpFoldResult> &offsets,
                                SmallVector<OpFoldResult> &sizes,
                                SmallVector<OpFoldResult> &strides) {
  int64_t rank = cast<RankedTensorType>(whole.getType()).getRank();
  offsets.assign(lead.begin(), lead.end());
  offsets.resize(rank, b.getIndexAttr(0));
  sizes.assign(rank - part.getRank(), b.getIndexAttr(1));
  for (int64_t size : part.getShape())
    sizes.push_back(b.getIndexAttr(size));
  strides.assign(rank, b.getIndexAttr(1));
}

Value HeadBuilder::slice(Value source, ValueRange lead, RankedTensorType type) {
  SmallVector<OpFoldResult> offsets, sizes, strides;
  sliceGeometry(source, lead, type, offsets, sizes, strides);
  return tensor::ExtractSliceOp::create(b, loc, type, source, offsets, sizes,
                                        strides);
}

Value HeadBuilder::insert(Value tile, Value dest, ValueRange lead) {
  SmallVector<OpFoldResult> offsets, sizes, strides;
  sliceGeometry(dest, lead, cast<RankedTensorType>(tile.getType()), offsets,
                sizes, strides);
  return tensor::InsertSliceOp::create(b, loc, tile, dest, offsets, sizes,
                                       strides);
}

FailureOr<ChunkSystem> HeadBuilder::systemAt(Value first, Value runningDecay) {
  TokenTiles tiles = tilesAt(first);
  Value valid = ChunkValidOp::create(
      b, loc, RankedTensorType::get({chunk}, b.getI1Type()), first,
      context.length);
  return createChunkSystem(b, loc, context.list, tiles, valid, runningDecay);
}

/// The initial state's columns of `group`, block by block: [count, K, width].
Value HeadBuilder::loadState(const BlockGroup &group) {
  Value state = empty({group.count, keys, group.width});
  Value init = op.getInits()[0];
  auto row = tensorOf({1, group.width});
  auto overBlocks = scf::ForOp::create(
      b, loc, index(0), index(group.count), index(1), state,
      [&](OpBuilder &, Location, Value block, ValueRange outer) {
        Value column = blockColumn(group, block);
        auto overRows = scf::ForOp::create(
            b, loc, index(0), index(keys), index(1), outer,
            [&](OpBuilder &, Location, Value k, ValueRange inner) {
              Value part =
                  slice(init, {context.batch, context.head, k, column}, row);
              scf::YieldOp::create(b, loc, insert(part, inner[0], {block, k}));
            });
        scf::YieldOp::create(b, loc, overRows.getResults());
      });
  return overBlocks.getResult(0);
}

/// The inverse of `loadState` into the final state's slice, times `scale`.
Value HeadBuilder::storeState(const BlockGroup &group, Value state, Value scale,
                              Value final) {
  auto row = tensorOf({1, group.width});
  auto overBlocks = scf::ForOp::create(
      b, loc, index(0), index(group.count), index(1), final,
      [&](OpBuilder &, Location, Value block, ValueRange outer) {
        Value column = blockColumn(group, block);
        auto overRows = scf::ForOp::create(
            b, loc, index(0), index(keys), index(1), outer,
            [&](OpBuilder &, Location, Value k, ValueRange inner) {
              Value part = slice(state, {block, k}, row);
              if (scale) {
                Value factor = tensor::FromElementsOp::create(
                    b, loc, tensorOf({1}), scale);
                part = ScaleOp::create(b, loc, part, factor);
              }
              Value zero = index(0);
              scf::YieldOp::create(
                  b, loc, insert(part, inner[0], {zero, zero, k, column}));
            });
        scf::YieldOp::create(b, loc, overRows.getResults());
      });
  return overBlocks.getResult(0);
}

/// With fused passes: X S of the first chunk for each block, [count, C, width].
/// Without tokens there is nothing to read at.
Value HeadBuilder::firstReadouts(const BlockGroup &group, Value state,
                                 Value base) {
  Value readouts = empty({group.count, chunk, group.width});
  Value anyToken = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ugt,
                                         context.length, index(0));
  auto readBlock = [&](OpBuilder &, Location, Value block, ValueRange args) {
    TokenTiles tiles = tilesAt(index(0));
    Value key = tiles.get(b, base);
    failed |= tiles.hasFailed();
    if (!key)
      key = empty({chunk, keys});
    Value part = slice(state, block, tensorOf({keys, group.width}));
    Value read =
        ChunkReadOp::create(b, loc, tensorOf({chunk, group.width}), key, part);
    scf::YieldOp::create(b, loc, insert(read, args[0], block));
  };
  auto guarded = scf::IfOp::create(
      b, loc, anyToken,
      [&](OpBuilder &, Location) {
        auto loop = scf::ForOp::create(b, loc, index(0), index(group.count),
                                       index(1), readouts, readBlock);
        scf::YieldOp::create(b, loc, loop.getResults());
      },
      [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, readouts); });
  return guarded.getResult(0);
}

/// Hints for what this block's share of the next span will load and store.
void HeadBuilder::createPrefetches(const BlockGroup &group, Value block,
                                   Value first, ValueRange outputs) {
  Value ahead = add(first, index(chunk * schedule.getSpan()));
  int64_t share = (keys + blocks - 1) / blocks;
  Value keyColumn = mul(add(block, index(group.firstBlock)), share);
  Value valueColumn = blockColumn(group, block);
  for (auto [index_, token] : llvm::enumerate(op.getTokens())) {
    TokenDim dim = dims.lookup(op.getBody().getArgument(index_));
    if (dim == TokenDim::Scalar)
      continue;
    bool isKey = dim == TokenDim::Key;
    PrefetchOp::create(b, loc, token,
                       ValueRange{context.batch, ahead, context.heads[index_]},
                       isKey ? keyColumn : valueColumn, chunk,
                       isKey ? share : group.width, /*for_write=*/false);
  }
  Value zero = index(0);
  for (Value output : outputs)
    PrefetchOp::create(b, loc, output, ValueRange{zero, ahead, zero},
                       valueColumn, chunk, group.width, /*for_write=*/true);
}

/// One chunk of one block. `values` holds the block's state [K, width], the
/// readouts of this chunk if passes are fused, and the outputs.
LogicalResult HeadBuilder::createChunk(const BlockGroup &group, Value block,
                                       Value first, Value slot,
                                       SmallVectorImpl<Value> &values) {
  bool fuse = schedule.getFuse();
  size_t numBases = context.list.bases.size();
  auto tileType = tensorOf({chunk, group.width});
  MutableArrayRef<Value> outputs =
      MutableArrayRef(values).drop_front(fuse ? 1 + numBases : 1);
  if (schedule.getPrefetch())
    createPrefetches(group, block, first, outputs);

  // This chunk's shared values, from the rings.
  ChunkSystem here = system;
  unsigned ring = 0;
  llvm::DenseMap<Value, Value> keyRings;
  for (auto &key : system.keys)
    keyRings[key.first] = rings[keyRings.size()];
  Value zero = index(0);
  here.forEachShared([&](Value &shared) {
    auto type = dyn_cast<RankedTensorType>(shared.getType());
    Value source = rings[ring++];
    shared = type ? slice(source, slot, type)
                  : tensor::ExtractOp::create(b, loc, source,
                                              ValueRange{slot, zero});
  });

  Value column = blockColumn(group, block);
  TokenTiles tiles = tilesAt(first, column, group.width);
  for (auto &scalar : here.scalars)
    tiles.set(scalar.first, scalar.second);
  llvm::DenseMap<Value, Value> readouts;
  for (auto [i, base] : llvm::enumerate(context.list.bases))
    readouts[base] = fuse ? values[1 + i]
                          : ChunkReadOp::create(b, loc, tileType,
                                                here.keys[base], values[0]);

  ChunkStep step = createChunkStep(b, loc, context.list, here, tiles, readouts,
                                   tileType, StepSolver::Substitution);
  for (auto [output, sum] : llvm::zip(outputs, step.outputs))
    output = StoreTileOp::create(b, loc, sum, output,
                                 ValueRange{zero, first, zero}, column);

  SmallVector<Value> writeKeys, nextReads;
  for (const ChunkList::Write &write : context.list.writes)
    writeKeys.push_back(here.keys[write.key]);
  if (fuse) {
    Value next = add(slot, index(1));
    for (Value base : context.list.bases)
      nextReads.push_back(
          slice(keyRings[base], next,
                cast<RankedTensorType>(here.keys[base].getType())));
  }
  auto update = ChunkUpdateOp::create(
      b, loc, values[0].getType(),
      SmallVector<Type>(nextReads.size(), tileType), values[0], here.decay,
      writeKeys, step.updates, nextReads);
  values[0] = update.getResult();
  for (auto [i, readout] : llvm::enumerate(update.getReadouts()))
    values[1 + i] = insert(readout, values[1 + i], {});
  return success(!tiles.hasFailed());
}

/// All blocks of one group over the `count` chunks of a span.
void HeadBuilder::createBlocks(unsigned groupIndex, Value firstChunk,
                               Value count) {
  const BlockGroup &group = groups[groupIndex];
  size_t perGroup = 1 + (schedule.getFuse() ? context.list.bases.size() : 0);
  MutableArrayRef<Value> own =
      MutableArrayRef(carried).slice(groupIndex * perGroup, perGroup);
  MutableArrayRef<Value> outputs =
      MutableArrayRef(carried).drop_front(groups.size() * perGroup);
  SmallVector<Value> inits(own);
  llvm::append_range(inits, outputs);
  auto overBlocks = scf::ForOp::create(
      b, loc, index(0), index(group.count), index(1), inits,
      [&](OpBuilder &, Location, Value block, ValueRange outer) {
        SmallVector<Value> values;
        for (auto [i, value] : llvm::enumerate(outer))
          values.push_back(
              i == 0 ? slice(value, block, tensorOf({keys, group.width}))
              : i < perGroup
                  ? slice(value, block, tensorOf({chunk, group.width}))
                  : value);
        auto overChunks = scf::ForOp::create(
            b, loc, index(0), count, index(1), values,
            [&](OpBuilder &, Location, Value slot, ValueRange inner) {
              Value first = mul(add(firstChunk, slot), chunk);
              SmallVector<Value> next(inner);
              if (mlir::failed(createChunk(group, block, first, slot, next)))
                failed = true;
              scf::YieldOp::create(b, loc, next);
            });
        SmallVector<Value> results(overChunks.getResults());
        for (size_t i = 0; i < perGroup; ++i)
          results[i] = insert(results[i], outer[i], block);
        scf::YieldOp::create(b, loc, results);
      });
  for (size_t i = 0; i < perGroup; ++i)
    own[i] = overBlocks.getResult(i);
  for (size_t i = 0; i < outputs.size(); ++i)
    outputs[i] = overBlocks.getResult(perGroup + i);
}

/// Keys in the number format that the schedule multiplies.
void HeadBuilder::roundKeys() {
  if (schedule.getOperands() != "bf16")
    return;
  for (auto &key : system.keys) {
    auto type = cast<RankedTensorType>(key.second.getType());
    key.second = arith::TruncFOp::create(b, loc, type.clone(b.getBF16Type()),
                                         key.second);
  }
}

/// The shared systems of a span's chunks and of the one after it, in rings.
LogicalResult HeadBuilder::createSpan(Value firstChunk, Value runningDecay) {
  // Fused passes and a deferred decay look one chunk ahead.
  bool looksAhead = schedule.getFuse() || schedule.getDefer();
  int64_t slots = schedule.getSpan() + looksAhead;
  SmallVector<Value> inits;
  if (runningDecay)
    inits.push_back(runningDecay);
  auto loop =
      scf::ForOp::create(b, loc, index(0), index(slots), index(1), inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    if (runningDecay)
      runningDecay = loop.getRegionIterArgs()[0];
    Value first = mul(add(firstChunk, loop.getInductionVar()), chunk);
    FailureOr<ChunkSystem> made = systemAt(first, runningDecay);
    if (mlir::failed(made))
      return failure();
    system = std::move(*made);
    roundKeys();
    if (runningDecay)
      scf::YieldOp::create(b, loc, system.nextRunningDecay);
  }
  SmallVector<Value> shared, empties;
  system.forEachShared([&](Value &value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> shape{slots};
    if (type)
      llvm::append_range(shape, type.getShape());
    else
      shape.push_back(1);
    shared.push_back(value);
    empties.push_back(tensor::EmptyOp::create(
        b, loc, shape, getElementTypeOrSelf(value.getType())));
  });
  rewriter.setInsertionPoint(loop);
  // Called while the body still is the old loop's.
  auto storeShared = [&](OpBuilder &, Location, ArrayRef<BlockArgument> args) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    Value slot = loop.getInductionVar(), zero = index(0);
    SmallVector<Value> stored;
    for (auto [value, ring] : llvm::zip(shared, args))
      stored.push_back(isa<RankedTensorType>(value.getType())
                           ? insert(value, ring, slot)
                           : tensor::InsertOp::create(b, loc, value, ring,
                                                      ValueRange{slot, zero}));
    return stored;
  };
  for (Value ring : empties)
    ring.getDefiningOp()->moveBefore(loop);
  auto widened = cast<scf::ForOp>(*loop.replaceWithAdditionalYields(
      rewriter, empties, /*replaceInitOperandUsesInLoop=*/false, storeShared));
  b.setInsertionPointAfter(widened);
  if (system.runningDecay)
    system.runningDecay = widened.getRegionIterArgs()[0];
  rings.clear();
  llvm::append_range(rings, widened.getResults().take_back(shared.size()));
  return success();
}

LogicalResult HeadBuilder::create(SmallVectorImpl<Value> &slices) {
  Value zero = index(0);
  for (const BlockGroup &group : groups) {
    carried.push_back(loadState(group));
    if (!schedule.getFuse())
      continue;
    Value state = carried.back();
    for (Value base : context.list.bases)
      carried.push_back(firstReadouts(group, state, base));
  }
  size_t numStates = carried.size();
  llvm::append_range(carried, ArrayRef<Value>(slices).drop_back());
  Value runningDecay;
  if (schedule.getDefer()) {
    runningDecay = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(1.0));
    carried.push_back(runningDecay);
  }

  int64_t span = schedule.getSpan();
  Value chunks =
      arith::CeilDivUIOp::create(b, loc, context.length, index(chunk));
  auto overSpans =
      scf::ForOp::create(b, loc, zero, chunks, index(span), carried);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(overSpans.getBody());
    Value firstChunk = overSpans.getInductionVar();
    carried.assign(overSpans.getRegionIterArgs().begin(),
                   overSpans.getRegionIterArgs().end());
    if (runningDecay)
      runningDecay = carried.pop_back_val();
    if (mlir::failed(createSpan(firstChunk, runningDecay)))
      return failure();
    Value left = arith::SubIOp::create(b, loc, chunks, firstChunk);
    Value count = arith::MinUIOp::create(b, loc, left, index(span));
    for (unsigned group = 0; group < groups.size(); ++group)
      createBlocks(group, firstChunk, count);
    if (runningDecay) {
      // The slot after the span starts with the decay that the span leaves.
      Value ring = rings.back();
      carried.push_back(tensor::ExtractOp::create(
          b, loc, ring, ValueRange{index(span), index(0)}));
    }
    scf::YieldOp::create(b, loc, carried);
  }
  if (failed)
    return failure();

  carried.assign(overSpans.getResults().begin(), overSpans.getResults().end());
  if (runningDecay)
    runningDecay = carried.pop_back_val();
  if (runningDecay && runningDecay.getType() != context.list.element)
    runningDecay =
        arith::TruncFOp::create(b, loc, context.list.element, runningDecay);
  size_t perGroup = numStates / std::max<size_t>(groups.size(), 1);
  Value final = slices.back();
  for (auto [i, group] : llvm::enumerate(groups))
    final = storeState(group, carried[i * perGroup], runningDecay, final);
  llvm::copy(ArrayRef<Value>(carried).drop_front(numStates), slices.begin());
  slices.back() = final;
  return success();
}
} // namespace

LogicalResult qdelta::createHead(OpBuilder &b, Location loc,
                                 const HeadContext &context,
                                 SmallVectorImpl<Value> &slices) {
  return HeadBuilder(b, loc, context).create(slices);
}

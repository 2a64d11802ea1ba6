//===- ChunkLoops.cpp - the loops of one batch entry and head -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "HeadBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

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

Value HeadBuilder::validAt(Value first) {
  return ChunkValidOp::create(b, loc,
                              RankedTensorType::get({chunk}, b.getI1Type()),
                              first, context.length);
}

static void append(SmallVectorImpl<Value> &values, RunningDecay running) {
  for (Value value : {running.common, running.channels})
    if (value)
      values.push_back(value);
  llvm::copy_if(running.states, std::back_inserter(values),
                [](Value own) { return bool(own); });
}

RunningDecay HeadBuilder::startRunning() {
  RunningDecay running;
  if (!schedule.getDefer())
    return running;
  if (context.list.byTokens) {
    Value one = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(1.0));
    for (const ChunkList::State &state : context.list.states)
      running.states.push_back(state.logs.empty() ? Value() : one);
    return running;
  }
  if (!context.list.states[0].logs.empty())
    running.common = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(1.0));
  if (!context.list.states[0].channelLogs.empty())
    running.channels = arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(RankedTensorType::get({1, keys}, b.getF64Type()),
                               1.0));
  return running;
}

/// What `append` put at the end of `values`.
RunningDecay HeadBuilder::takeRunning(SmallVectorImpl<Value> &values) {
  RunningDecay running;
  if (context.list.byTokens && schedule.getDefer()) {
    running.states.resize(numStates());
    for (unsigned state = numStates(); state-- > 0;)
      if (!context.list.states[state].logs.empty())
        running.states[state] = values.pop_back_val();
    return running;
  }
  const ChunkList::State &state = context.list.states[0];
  if (schedule.getDefer() && !state.channelLogs.empty())
    running.channels = values.pop_back_val();
  if (schedule.getDefer() && !state.logs.empty())
    running.common = values.pop_back_val();
  return running;
}

void HeadBuilder::roundKeys() {
  if (schedule.getOperands() != "bf16")
    return;
  // A tile that is both read at and written with stays one.
  llvm::DenseMap<Value, Value> rounded;
  auto round = [&](Value &tile) {
    Value &made = rounded[tile];
    if (!made)
      made = arith::TruncFOp::create(
          b, loc, cast<RankedTensorType>(tile.getType()).clone(b.getBF16Type()),
          tile);
    tile = made;
  };
  for (auto &read : system.reads)
    round(read.second);
  for (Value &key : system.writeKeys)
    round(key);
}

/// The window that a chunk's tile is as it stands in; none for other tiles.
Value HeadBuilder::windowOf(Value tile) {
  auto load = tile.getDefiningOp<LoadTileOp>();
  if (!load || load.getColumn() || !context.stages)
    return {};
  auto type = cast<RankedTensorType>(tile.getType());
  auto source = cast<RankedTensorType>(load.getSource().getType());
  for (auto [token, base] : llvm::zip(op.getTokens(), bases))
    if (base && token == load.getSource() && type.getRank() == 2 &&
        type.getElementType() == source.getElementType())
      return token;
  return {};
}

/// A shared tile of the chunk at `slot` of the span.
Value HeadBuilder::sharedAt(Value tile, Value slot) {
  Value ring = rings[tile];
  auto type = cast<RankedTensorType>(tile.getType());
  if (windowOf(tile) != ring)
    return slice(ring, slot, type);
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  SmallVector<OpFoldResult> offsets{zero, mul(slot, chunk), zero, zero},
      sizes{one, b.getIndexAttr(chunk), one,
            b.getIndexAttr(type.getDimSize(1))},
      strides(4, one);
  return tensor::ExtractSliceOp::create(b, loc, type, ring, offsets, sizes,
                                        strides);
}

/// `made` by the chunk at `slot`, unless the span only looks at it: `before`.
Value HeadBuilder::ownChunk(Value slot, Value made, Value before) {
  if (!schedule.getFuse())
    return made;
  Value isOwn = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, slot,
                                      index(schedule.getSpan()));
  return arith::SelectOp::create(b, loc, isOwn, made, before);
}

/// The shared systems of a span's chunks and of the one after it, in rings.
LogicalResult HeadBuilder::createSpan(Value firstChunk, RunningDecay &running) {
  int64_t span = schedule.getSpan();
  // Fused passes look one chunk ahead.
  int64_t slots = span + schedule.getFuse();
  SmallVector<Value> inits;
  append(inits, running);
  auto loop =
      scf::ForOp::create(b, loc, index(0), index(slots), index(1), inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> args(loop.getRegionIterArgs());
    RunningDecay before = takeRunning(args);
    Value first = mul(add(firstChunk, loop.getInductionVar()), chunk);
    TokenTiles tiles = tilesAt(first);
    FailureOr<ChunkSystem> made =
        createChunkSystem(b, loc, context.list, tiles, validAt(first), before);
    if (mlir::failed(made))
      return failure();
    system = std::move(*made);
    roundKeys();
    if (before) {
      RunningDecay after = system.nextRunning;
      if (after.channels) {
        after.channels = insert(
            ownChunk(loop.getInductionVar(), after.channels, before.channels),
            before.channels, {});
        system.nextRunning.channels = Value();
      }
      SmallVector<Value> yielded;
      append(yielded, after);
      scf::YieldOp::create(b, loc, yielded);
    }
  }
  rings.clear();
  SmallVector<Value> shared, empties;
  system.forEachShared([&](Value &value) {
    if (!rings.insert({value, windowOf(value)}).second || rings[value])
      return;
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
  for (auto [value, ring] :
       llvm::zip(shared, widened.getResults().take_back(shared.size())))
    rings[value] = ring;

  // The span ends with its last chunk, not with the one that it looks at.
  SmallVector<Value> results(widened.getResults().drop_back(shared.size()));
  running = takeRunning(results);
  Value last = index(span - 1);
  for (auto [own, next] : llvm::zip(running.states, system.nextRunning.states))
    if (own)
      own = tensor::ExtractOp::create(b, loc, rings[next],
                                      ValueRange{last, index(0)});
  if (running.common)
    running.common = tensor::ExtractOp::create(
        b, loc, rings[system.nextRunning.common], ValueRange{last, index(0)});
  return success();
}

LogicalResult HeadBuilder::beginStages(Value firstChunk) {
  SpanStages *stages = context.stages;
  if (!stages)
    return success();
  size_t own = ofGroups + op.getOutputs().size();
  SmallVector<Value> theirs(ArrayRef<Value>(carried).drop_front(own));
  carried.truncate(own);
  Value first = mul(firstChunk, chunk);
  bases.clear(), outputBases.clear();
  for (Value token : op.getTokens())
    bases.push_back(stages->isWindow(token) ? first : Value());
  for (Value output : op.getOutputs())
    outputBases.push_back(stages->isWindow(output) ? first : Value());
  if (mlir::failed(stages->begin(b, first, theirs)))
    return failure();
  auto outputs = MutableArrayRef(carried).drop_front(ofGroups);
  outputWindows.assign(outputs.begin(), outputs.end());
  for (auto [base, output] : llvm::zip(outputBases, outputs))
    if (base)
      output = stages->open(b, output);
  if (!schedule.getFuse())
    return success();
  Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                        firstChunk, index(0));
  size_t perGroup = numPerGroup();
  for (auto [i, group] : llvm::enumerate(groups))
    for (auto [j, reading] : llvm::enumerate(context.list.readings)) {
      Value &readouts = carried[i * perGroup + numStates() + j];
      readouts =
          firstReadouts(group, carried[i * perGroup + std::get<2>(reading)],
                        reading, readouts, isFirst);
    }
  return success();
}

LogicalResult HeadBuilder::endStages() {
  SpanStages *stages = context.stages;
  if (!stages)
    return success();
  auto outputs = MutableArrayRef(carried).drop_front(ofGroups);
  FailureOr<SmallVector<Value>> theirs = stages->end(b, outputs);
  if (mlir::failed(theirs))
    return failure();
  for (auto [base, output, window] :
       llvm::zip(outputBases, outputs, outputWindows))
    if (base)
      output = stages->close(b, output, window);
  llvm::append_range(carried, *theirs);
  return success();
}

void HeadBuilder::startReadouts(const BlockGroup &group,
                                ArrayRef<Value> states) {
  Value none = index(0);
  Value anyToken = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ugt,
                                         context.length, none);
  for (Reading reading : context.list.readings) {
    Value readouts = empty({group.count, chunk, group.width});
    // Stages make in the first span what is read at.
    carried.push_back(context.stages
                          ? readouts
                          : firstReadouts(group, states[std::get<2>(reading)],
                                          reading, readouts, anyToken));
  }
}

LogicalResult HeadBuilder::create(SmallVectorImpl<Value> &slices) {
  Value zero = index(0);
  if (op.getInPlace())
    llvm::append_range(carried, ArrayRef(slices).take_back(numStates()));
  for (const BlockGroup &group : groups) {
    if (op.getInPlace())
      break;
    SmallVector<Value> states;
    for (unsigned state = 0; state < numStates(); ++state)
      states.push_back(loadState(group, state));
    llvm::append_range(carried, states);
    if (schedule.getFuse())
      startReadouts(group, states);
    if (defersColumns())
      carried.push_back(arith::ConstantOp::create(
          b, loc,
          DenseElementsAttr::get(
              RankedTensorType::get({group.count, group.width}, b.getF64Type()),
              1.0)));
  }
  ofGroups = carried.size();
  llvm::append_range(carried, ArrayRef<Value>(slices).drop_back(numStates()));
  if (context.stages)
    llvm::append_range(carried, context.stages->carried());
  append(carried, startRunning());

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
    RunningDecay running = takeRunning(carried);
    if (mlir::failed(beginStages(firstChunk)) ||
        mlir::failed(createSpan(firstChunk, running)))
      return failure();
    Value left = arith::SubIOp::create(b, loc, chunks, firstChunk);
    Value count = arith::MinUIOp::create(b, loc, left, index(span));
    for (unsigned group = 0; group < groups.size(); ++group)
      createBlocks(group, firstChunk, count);
    if (mlir::failed(endStages()))
      return failure();
    append(carried, running);
    scf::YieldOp::create(b, loc, carried);
  }
  if (failed)
    return failure();

  carried.assign(overSpans.getResults().begin(), overSpans.getResults().end());
  RunningDecay running = takeRunning(carried);
  if (context.stages) {
    size_t own = ofGroups + op.getOutputs().size();
    context.stages->finish(b, ArrayRef<Value>(carried).drop_front(own));
    carried.truncate(own);
  }
  auto finals = MutableArrayRef(slices).take_back(numStates());
  if (op.getInPlace()) {
    llvm::copy(ArrayRef<Value>(carried).take_front(numStates()),
               finals.begin());
  } else {
    size_t perGroup = numPerGroup();
    for (auto [i, group] : llvm::enumerate(groups)) {
      Value columns =
          defersColumns() ? carried[(i + 1) * perGroup - 1] : Value();
      for (auto [state, final] : llvm::enumerate(finals))
        final = storeState(group, carried[i * perGroup + state],
                           running.of(state), columns, final);
    }
  }
  llvm::copy(ArrayRef<Value>(carried).drop_front(ofGroups), slices.begin());
  return success();
}

LogicalResult qdelta::createHead(OpBuilder &b, Location loc,
                                 const HeadContext &context,
                                 SmallVectorImpl<Value> &slices) {
  return HeadBuilder(b, loc, context).create(slices);
}

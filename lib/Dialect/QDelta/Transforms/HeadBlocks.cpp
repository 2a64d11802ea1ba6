//===- HeadBlocks.cpp - the value blocks of a span of chunks --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "HeadBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qdelta;

/// Of a block's own columns no more tokens need to be on their way. Rows of one
/// head lie in a few of the cache's sets, which all of a span's would fill.
static constexpr int64_t kValuesAhead = 16;

/// What a run of tokens is taken from, and where `token` is there: hints reach
/// beyond the run.
std::pair<Value, Value> HeadBuilder::wholeOf(Value sequence, Value token) {
  auto run = sequence.getDefiningOp<tensor::ExtractSliceOp>();
  if (!run || run.getSourceType().getRank() != run.getType().getRank())
    return {sequence, token};
  Value first =
      getValueOrCreateConstantIndexOp(b, loc, run.getMixedOffsets()[1]);
  return {run.getSource(), add(first, token)};
}

/// Hints for what this block's share of the next span will load and store; what
/// this span looks ahead at has been hinted at before.
void HeadBuilder::createPrefetches(const BlockGroup &group, Value block,
                                   Value first, ValueRange outputs) {
  int64_t slots = schedule.getSpan() + schedule.getFuse();
  Value ahead = add(first, index(chunk * slots));
  Value soon = add(first, index(std::min(kValuesAhead, chunk * slots)));
  int64_t share = (keys + blocks - 1) / blocks;
  Value keyColumn = mul(add(block, index(group.firstBlock)), share);
  Value valueColumn = blockColumn(group, block);
  for (auto [index_, token] : llvm::enumerate(op.getTokens())) {
    TokenDim dim = dims.lookup(op.getBody().getArgument(index_));
    if (dim == TokenDim::Scalar || (!bases.empty() && bases[index_]))
      continue;
    bool isKey = dim == TokenDim::Key;
    auto [sequence, at] = wholeOf(token, isKey ? ahead : soon);
    PrefetchOp::create(
        b, loc, sequence,
        ValueRange{context.batches[index_], at, context.heads[index_]},
        isKey ? keyColumn : valueColumn, chunk, isKey ? share : group.width,
        /*for_write=*/false);
  }
  Value zero = index(0);
  for (auto [i, output] : llvm::enumerate(outputs))
    if (outputBases.empty() || !outputBases[i])
      PrefetchOp::create(b, loc, output, ValueRange{zero, soon, zero},
                         valueColumn, chunk, group.width, /*for_write=*/true);
  if (!context.stages)
    return;
  for (const SpanStages::Stream &stream : context.stages->streams()) {
    int64_t width =
        cast<RankedTensorType>(stream.sequence.getType()).getDimSize(3);
    int64_t part = (width + blocks - 1) / blocks;
    Value column = mul(add(block, index(group.firstBlock)), part);
    SmallVector<Value> at{zero, ahead, zero};
    if (stream.batch)
      at = {stream.batch, ahead, stream.head};
    PrefetchOp::create(b, loc, stream.sequence, at, column, chunk, part,
                       stream.isStored);
  }
}

/// A copy of a state's block [K, width].
Value HeadBuilder::copyState(Value state) {
  auto type = cast<RankedTensorType>(state.getType());
  auto row = tensorOf({1, type.getDimSize(1)});
  return scf::ForOp::create(
             b, loc, index(0), index(keys), index(1), empty(type.getShape()),
             [&](OpBuilder &, Location, Value k, ValueRange args) {
               scf::YieldOp::create(b, loc,
                                    insert(slice(state, k, row), args[0], k));
             })
      .getResult(0);
}

/// One chunk of one block. `values` holds the block's states [K, width], the
/// readouts of this chunk if passes are fused, the running decays of its
/// columns if those are deferred, and the outputs.
LogicalResult HeadBuilder::createChunk(const BlockGroup &group, Value block,
                                       Value first, Value slot,
                                       SmallVectorImpl<Value> &values) {
  bool fuse = schedule.getFuse();
  auto tileType = tensorOf({chunk, group.width});
  SmallVector<Value> states(ArrayRef<Value>(values).take_front(numStates()));
  MutableArrayRef<Value> outputs =
      MutableArrayRef(values).drop_front(numPerGroup());
  if (schedule.getPrefetch() && !op.getInPlace())
    createPrefetches(group, block, first, outputs);

  // This chunk's shared values, from the rings.
  ChunkSystem here = system;
  Value zero = index(0);
  here.forEachShared([&](Value &shared) {
    auto type = dyn_cast<RankedTensorType>(shared.getType());
    shared = type ? sharedAt(shared, slot)
                  : tensor::ExtractOp::create(b, loc, rings[shared],
                                              ValueRange{slot, zero});
  });

  Value column = blockColumn(group, block);
  TokenTiles tiles = tilesAt(first, column, group.width);
  for (auto &scalar : here.scalars)
    tiles.set(scalar.first, scalar.second);
  llvm::DenseMap<Reading, Value> readouts;
  for (auto [i, reading] : llvm::enumerate(context.list.readings))
    readouts[reading] =
        fuse ? values[numStates() + i]
             : ChunkReadOp::create(b, loc, tileType, here.reads[reading],
                                   states[std::get<2>(reading)]);

  Value valid = context.list.hasValueDecays() ? validAt(first) : Value();
  Value running =
      defersColumns() ? values[numStates() + numReadings()] : Value();
  auto updateByTokens = [&](const ChunkStep &step, ValueOfWrite valueOf) {
    return this->updateByTokens(here, step, valueOf, slot, tileType, values);
  };
  FailureOr<ChunkStep> step = createChunkStep(
      b, loc, context.list, here, tiles, valid, running, readouts, tileType,
      StepSolver::Substitution, updateByTokens);
  if (mlir::failed(step))
    return failure();
  if (running)
    values[numStates() + numReadings()] =
        insert(step->nextRunning, running, {});
  for (auto [i, output] : llvm::enumerate(outputs)) {
    Value sum = step->outputs[i];
    SmallVector<Value> at{zero, first, zero};
    if (!outputBases.empty() && outputBases[i])
      at[1] = arith::SubIOp::create(b, loc, first, outputBases[i]);
    if (context.adds) {
      Value others = LoadTileOp::create(b, loc, tileType, output, at, column);
      Value all = arith::AddFOp::create(b, loc, others, sum);
      sum = arith::SelectOp::create(b, loc, context.adds, all, sum);
    }
    output = StoreTileOp::create(b, loc, sum, output, at, column);
  }

  if (context.list.byTokens)
    return success(!tiles.hasFailed());
  SmallVector<unsigned> order = context.list.updateOrder();
  for (auto [at, state] : llvm::enumerate(order)) {
    // With mixes in a cycle a later update takes this state as it was.
    Value previous;
    for (unsigned later : ArrayRef(order).drop_front(at + 1))
      if (!previous && here.states[later].others.contains(state))
        previous = copyState(states[state]);
    SmallVector<Value> nextReads;
    SmallVector<size_t> places;
    for (auto [i, read] : llvm::enumerate(system.reads)) {
      if (!fuse || std::get<2>(read.first) != state)
        continue;
      Value next = add(slot, index(1));
      nextReads.push_back(sharedAt(read.second, next));
      places.push_back(numStates() + i);
    }
    ChunkUpdateOp update = createStateUpdate(b, loc, here, *step, state, states,
                                             tileType, nextReads);
    if (schedule.getPrefetch() && op.getInPlace()) {
      update.getAheadMutable().assign(context.states[state]);
      update.getAheadAtMutable().assign(
          ValueRange{context.nextBatch, context.nextHead, column});
    }
    values[state] = update.getResult();
    if (previous)
      states[state] = previous;
    for (auto [place, readout] : llvm::zip(places, update.getReadouts()))
      values[place] = insert(readout, values[place], {});
  }
  return success(!tiles.hasFailed());
}

/// All blocks of one group over the `count` chunks of a span.
void HeadBuilder::createBlocks(unsigned groupIndex, Value firstChunk,
                               Value count) {
  const BlockGroup &group = groups[groupIndex];
  size_t perGroup = numPerGroup();
  auto typeOf = [&](size_t i) {
    if (i < numStates())
      return tensorOf({keys, group.width});
    return i < numStates() + numReadings() ? tensorOf({chunk, group.width})
                                           : runningColumns(group);
  };
  MutableArrayRef<Value> own = MutableArrayRef(carried).slice(
      op.getInPlace() ? 0 : groupIndex * perGroup, perGroup);
  MutableArrayRef<Value> outputs =
      MutableArrayRef(carried).drop_front(ofGroups);
  SmallVector<Value> inits(own);
  llvm::append_range(inits, outputs);
  auto overBlocks = scf::ForOp::create(
      b, loc, index(0), index(group.count), index(1), inits,
      [&](OpBuilder &, Location, Value block, ValueRange outer) {
        SmallVector<Value> values;
        for (auto [i, value] : llvm::enumerate(outer))
          values.push_back(i < numStates()
                               ? slice(value, stateAt(group, block), typeOf(i))
                           : i < perGroup ? slice(value, block, typeOf(i))
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
          results[i] = insert(results[i], outer[i],
                              i < numStates() ? stateAt(group, block)
                                              : SmallVector<Value>{block});
        scf::YieldOp::create(b, loc, results);
      });
  for (size_t i = 0; i < perGroup; ++i)
    own[i] = overBlocks.getResult(i);
  for (size_t i = 0; i < outputs.size(); ++i)
    outputs[i] = overBlocks.getResult(perGroup + i);
}

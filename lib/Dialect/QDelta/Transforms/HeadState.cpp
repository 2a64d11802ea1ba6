//===- HeadState.cpp - the state of one head, block by block --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "HeadBuilder.h"
#include "LinalgTiles.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qdelta;

/// The columns of an initial state of `group`, block by block: [count, K,
/// width].
Value HeadBuilder::loadState(const BlockGroup &group, unsigned number) {
  Value state = empty({group.count, keys, group.width});
  Value init = op.getInits()[number];
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

Value HeadBuilder::storeState(const BlockGroup &group, Value state,
                              RunningDecay running, Value columns,
                              Value final) {
  auto row = tensorOf({1, group.width});
  Value zero = index(0);
  auto narrow = [&](Value wide) {
    return convert(b, loc, wide, context.list.element);
  };
  auto scale = [&](Value part, Value factor) -> Value {
    factor = tensor::FromElementsOp::create(b, loc, tensorOf({1}), factor);
    return ScaleOp::create(b, loc, part, factor);
  };
  Value common = running.common ? narrow(running.common) : Value();
  auto overBlocks = scf::ForOp::create(
      b, loc, zero, index(group.count), index(1), final,
      [&](OpBuilder &, Location, Value block, ValueRange outer) {
        Value column = blockColumn(group, block);
        Value own = columns
                        ? narrow(slice(columns, block, runningColumns(group)))
                        : Value();
        auto overRows = scf::ForOp::create(
            b, loc, index(0), index(keys), index(1), outer,
            [&](OpBuilder &, Location, Value k, ValueRange inner) {
              Value part = slice(state, {block, k}, row);
              if (own)
                part = ScaleChannelsOp::create(b, loc, part, own);
              if (common)
                part = scale(part, common);
              if (running.channels)
                part = scale(
                    part, narrow(tensor::ExtractOp::create(
                              b, loc, running.channels, ValueRange{zero, k})));
              scf::YieldOp::create(
                  b, loc, insert(part, inner[0], {zero, zero, k, column}));
            });
        scf::YieldOp::create(b, loc, overRows.getResults());
      });
  return overBlocks.getResult(0);
}

/// With fused passes: X S of the first chunk for each block, [count, C, width].
/// `when` there is one to read at.
Value HeadBuilder::firstReadouts(const BlockGroup &group, Value state,
                                 Reading reading, Value readouts, Value when) {
  auto readBlock = [&](OpBuilder &, Location, Value block, ValueRange args) {
    TokenTiles tiles = tilesAt(index(0));
    FailureOr<ReadTiles> reads =
        createReadTiles(b, loc, context.list, tiles, validAt(index(0)));
    failed |= mlir::failed(reads);
    Value key = failed ? empty({chunk, keys}) : (*reads)[reading];
    Value part = slice(state, block, tensorOf({keys, group.width}));
    Value read =
        ChunkReadOp::create(b, loc, tensorOf({chunk, group.width}), key, part);
    scf::YieldOp::create(b, loc, insert(read, args[0], block));
  };
  auto guarded = scf::IfOp::create(
      b, loc, when,
      [&](OpBuilder &, Location) {
        auto loop = scf::ForOp::create(b, loc, index(0), index(group.count),
                                       index(1), readouts, readBlock);
        scf::YieldOp::create(b, loc, loop.getResults());
      },
      [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, readouts); });
  return guarded.getResult(0);
}

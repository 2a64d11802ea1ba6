//===- ChunkKernel.cpp - one value block of a head as a program -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ChunkLoops.h"
#include "ChunkStep.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace qdelta;

/// Products work on 16 key channels at a time.
static constexpr int64_t kKeyGranule = 16;

LogicalResult qdelta::createKernel(OpBuilder &b, Location loc,
                                   const HeadContext &context, Value column,
                                   SmallVectorImpl<Value> &slices) {
  AffineScanOp op = context.op;
  ScheduleAttr schedule = *op.getSchedule();
  auto dims = inferTokenDims(op.getBody().front());
  int64_t keys =
      cast<RankedTensorType>(op.getInits()[0].getType()).getDimSize(2);
  keys = llvm::alignTo(keys, kKeyGranule);
  int64_t chunk = schedule.getChunk(), columns = schedule.getColumns();
  auto stateType = RankedTensorType::get({keys, columns}, context.list.element);
  auto tileType = RankedTensorType::get({chunk, columns}, context.list.element);
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  Value zero = index(0);

  SmallVector<Value> inits{
      LoadTileOp::create(b, loc, stateType, op.getInits()[0],
                         ValueRange{context.batch, context.head}, column)};
  llvm::append_range(inits, ArrayRef<Value>(slices).drop_back());
  Value chunks =
      arith::CeilDivUIOp::create(b, loc, context.length, index(chunk));
  bool failed = false;
  auto loop = scf::ForOp::create(
      b, loc, zero, chunks, index(1), inits,
      [&](OpBuilder &, Location, Value iv, ValueRange args) {
        SmallVector<Value> values(args);
        Value first = arith::MulIOp::create(b, loc, iv, index(chunk));
        TokenTiles tiles(
            op, chunk, keys, dims,
            {context.batches, first, context.heads, column, columns});
        Value valid = ChunkValidOp::create(
            b, loc, RankedTensorType::get({chunk}, b.getI1Type()), first,
            context.length);
        FailureOr<ChunkSystem> system = createChunkSystem(
            b, loc, context.list, tiles, valid, RunningDecay());
        if (succeeded(system)) {
          llvm::DenseMap<Reading, Value> readouts;
          for (auto [reading, tile] : system->reads)
            readouts[reading] =
                ChunkReadOp::create(b, loc, tileType, tile, args[0]);
          FailureOr<ChunkStep> step = createChunkStep(
              b, loc, context.list, *system, tiles, valid, /*running=*/Value(),
              readouts, tileType,
              op.getFacts().getBounded() ? StepSolver::BoundedInverse
                                         : StepSolver::Inverse);
          failed |= mlir::failed(step);
          if (failed) {
            scf::YieldOp::create(b, loc, args);
            return;
          }
          for (auto [i, output] : llvm::enumerate(step->outputs))
            values[1 + i] =
                StoreTileOp::create(b, loc, output, values[1 + i],
                                    ValueRange{zero, first, zero}, zero);
          values[0] = createStateUpdate(b, loc, *system, *step, /*state=*/0,
                                        args[0], tileType, ValueRange())
                          .getResult();
        }
        failed |= mlir::failed(system) || tiles.hasFailed();
        scf::YieldOp::create(b, loc, values);
      });
  if (failed)
    return failure();
  for (auto [slice, result] : llvm::zip(slices, loop.getResults().drop_front()))
    slice = result;
  slices.back() = StoreTileOp::create(b, loc, loop.getResult(0), slices.back(),
                                      ValueRange{zero, zero}, zero);
  return success();
}

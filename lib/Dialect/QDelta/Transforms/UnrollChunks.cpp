//===- UnrollChunks.cpp - expand chunk tiles into rows --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "JoinPasses.h"
#include "PlainTiles.h"
#include "RowOps.h"
#include "TransposeRows.h"
#include "Unroller.h"

#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

namespace qdelta {
#define GEN_PASS_DEF_UNROLLCHUNKS
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

/// A constant tile. Constants that are no splat are memory that tiles load
/// from.
static bool isSplatConstant(Operation *op) {
  DenseElementsAttr constant;
  return matchPattern(op, m_Constant(&constant)) && constant.isSplat();
}

LogicalResult Unroller::visit(Operation *op) {
  b.setInsertionPoint(op);
  loc = op->getLoc();
  bool handled =
      TypeSwitch<Operation *, bool>(op)
          .Case<LoadTileOp, StoreTileOp, ChunkValidOp, MaskRowsOp,
                ScaleChannelsOp, AnyOutsideOp, ChunkDecayOp, ChunkTransferOp,
                ChunkGramOp, ChunkReadOp, ChunkApplyOp, ChunkSolveOp, ScaleOp>(
              [&](auto tileOp) {
                unroll(tileOp);
                return true;
              })
          .Case([&](ChunkUpdateOp update) {
            if (multipliesPairs(update))
              return false;
            unroll(update);
            return true;
          })
          .Case<tensor::ExtractOp, tensor::ExtractSliceOp,
                tensor::InsertSliceOp>([&](auto move) { return unroll(move); })
          .Case([&](tensor::FromElementsOp elements) {
            parts.set(elements, SmallVector<Value>(elements.getElements()));
            return true;
          })
          .Default([&](Operation *other) {
            if (expandRowOp(b, parts, other))
              return true;
            // A tensor with dynamic sizes is no tile.
            if (other->getNumResults() != 1 ||
                !isa<RankedTensorType>(other->getResult(0).getType()) ||
                !cast<RankedTensorType>(other->getResult(0).getType())
                     .hasStaticShape() ||
                !(other->hasTrait<OpTrait::Elementwise>() ||
                  isSplatConstant(other)))
              return false;
            unrollElementwise(other);
            return true;
          });
  if (handled) {
    expanded.insert(op);
    return success();
  }
  // Anything else works on memory.
  for (OpOperand &operand : op->getOpOperands())
    if (parts.isExpanded(operand.get()))
      operand.set(parts.memory(operand.get()));
  // What it reads crosses to the next chunk as rows.
  if (auto update = dyn_cast<ChunkUpdateOp>(op))
    for (Value readout : update.getReadouts())
      parts.rows(readout);
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (failed(visitBlock(block)))
        return failure();
  return success();
}

LogicalResult Unroller::visitBlock(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block))
    if (failed(visit(&op)))
      return failure();
  return success();
}

LogicalResult Unroller::run() {
  moveReadsBehindUpdates(
      func, [](ChunkUpdateOp update) { return !multipliesPairs(update); });
  if (failed(visitBlock(func.getBody().front())))
    return failure();
  for (Operation *op : llvm::reverse(expanded))
    op->erase();
  return success();
}

namespace {
struct UnrollChunksPass : qdelta::impl::UnrollChunksBase<UnrollChunksPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      auto schedule = func->getAttrOfType<ScheduleAttr>("qdelta.schedule");
      if (!schedule || !schedule.getUnroll())
        continue;
      lowerTransposes(func, schedule.getLanes());
      if (failed(verifyPlainTiles(func)) || failed(Unroller(func).run()))
        return signalPassFailure();
    }
  }
};
} // namespace

//===- PlainTiles.cpp - the tiles that engines cpu and scalar lower -------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "PlainTiles.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace qdelta;

static LogicalResult fail(Operation *op, const Twine &what) {
  return op->emitError(what) << " not supported by engines cpu and scalar yet";
}

/// `column` may be null.
static LogicalResult verifyTile(Operation *op, Value tensor, Value tile,
                                size_t indices, Value column) {
  auto whole = cast<RankedTensorType>(tensor.getType());
  auto part = cast<RankedTensorType>(tile.getType());
  if (indices == 2)
    return fail(op, "tiles of a state are");
  if (part.getRank() != 2 || whole.isDynamicDim(whole.getRank() - 1))
    return success();
  std::optional<int64_t> first =
      column ? getConstantIntValue(column) : std::nullopt;
  if (first.value_or(0) + part.getDimSize(1) > whole.getShape().back())
    return fail(op, "tiles that end past their sequence are");
  return success();
}

LogicalResult qdelta::verifyPlainTiles(func::FuncOp func) {
  WalkResult result = func.walk([](Operation *op) -> WalkResult {
    if (auto load = dyn_cast<LoadTileOp>(op))
      return verifyTile(op, load.getSource(), load.getResult(),
                        load.getIndices().size(), load.getColumn());
    if (auto store = dyn_cast<StoreTileOp>(op))
      return verifyTile(op, store.getDest(), store.getTile(),
                        store.getIndices().size(), store.getColumn());
    if (isa<ChunkInverseOp>(op))
      return fail(op, "qdelta.chunk_inverse is");
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

bool qdelta::multipliesPairs(ChunkUpdateOp op) {
  auto isNarrowTile = [](Value tile) { return isNarrow(tile.getType()); };
  return llvm::any_of(op.getKeys(), isNarrowTile) ||
         llvm::any_of(op.getReads(), isNarrowTile);
}

//===- SecondaryChunks.cpp - decayed Gram matrices in blocks --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace qdelta {
#define GEN_PASS_DEF_SECONDARYCHUNKS
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

/// Tokens of a block.
constexpr int64_t kBlock = 16;

/// One Gram matrix, block by block.
class BlockedGram {
public:
  explicit BlockedGram(ChunkGramOp op)
      : op(op), b(op), loc(op.getLoc()),
        type(cast<RankedTensorType>(op.getReads().getType())) {}

  Value build();

private:
  /// Rows `first` to `first + count - 1` of a tile.
  Value rows(Value tile, int64_t first, int64_t count);
  SmallVector<Value> rowsOfLogs(int64_t first, int64_t count);
  Value insert(Value block, Value matrix, int64_t row, int64_t column);
  /// Rows of `tile` times their decays between their own place and one end of
  /// the rows: their start with `to`, their end with `from`.
  Value decayed(Value tile, int64_t first, int64_t count, IntegerAttr from,
                IntegerAttr to);
  RankedTensorType matrixType(int64_t rows, int64_t columns) {
    return RankedTensorType::get({rows, columns}, type.getElementType());
  }

  ChunkGramOp op;
  OpBuilder b;
  Location loc;
  RankedTensorType type;
};

Value BlockedGram::rows(Value tile, int64_t first, int64_t count) {
  int64_t keys = type.getDimSize(1);
  SmallVector<OpFoldResult> offsets{b.getIndexAttr(first), b.getIndexAttr(0)},
      sizes{b.getIndexAttr(count), b.getIndexAttr(keys)},
      strides(2, b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(b, loc, matrixType(count, keys), tile,
                                        offsets, sizes, strides);
}

SmallVector<Value> BlockedGram::rowsOfLogs(int64_t first, int64_t count) {
  SmallVector<Value> parts;
  for (Value log : op.getLogs())
    parts.push_back(rows(log, first, count));
  return parts;
}

Value BlockedGram::insert(Value block, Value matrix, int64_t row,
                          int64_t column) {
  auto shape = cast<RankedTensorType>(block.getType()).getShape();
  SmallVector<OpFoldResult> offsets{b.getIndexAttr(row),
                                    b.getIndexAttr(column)},
      sizes{b.getIndexAttr(shape[0]), b.getIndexAttr(shape[1])},
      strides(2, b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(b, loc, block, matrix, offsets, sizes,
                                       strides);
}

Value BlockedGram::decayed(Value tile, int64_t first, int64_t count,
                           IntegerAttr from, IntegerAttr to) {
  Value part = rows(tile, first, count);
  Value decay = ChunkDecayOp::create(
      b, loc, part.getType(), rowsOfLogs(first, count), from, to, UnitAttr());
  return arith::MulFOp::create(b, loc, part, decay);
}

Value BlockedGram::build() {
  int64_t chunk = type.getDimSize(0);
  auto whole = cast<RankedTensorType>(op.getResult().getType());
  Value matrix = arith::ConstantOp::create(b, loc, b.getZeroAttr(whole));
  for (int64_t first = 0; first < chunk; first += kBlock) {
    int64_t count = std::min(kBlock, chunk - first);
    Value own = ChunkGramOp::create(
        b, loc, matrixType(count, count), rows(op.getReads(), first, count),
        rows(op.getWrites(), first, count), rowsOfLogs(first, count),
        op.getFromAttr(), op.getToAttr(), op.getInclusiveAttr());
    matrix = insert(own, matrix, first, first);
    if (first == 0)
      continue;
    Value reads =
        decayed(op.getReads(), first, count, IntegerAttr(), op.getToAttr());
    Value writes =
        decayed(op.getWrites(), 0, first, op.getFromAttr(), IntegerAttr());
    Value below =
        ChunkGramOp::create(b, loc, matrixType(count, first), reads, writes);
    matrix = insert(below, matrix, first, 0);
  }
  return matrix;
}

struct SecondaryChunksPass
    : qdelta::impl::SecondaryChunksBase<SecondaryChunksPass> {
  void runOnOperation() override {
    SmallVector<ChunkGramOp> grams;
    getOperation().walk([&](ChunkGramOp op) {
      auto type = cast<RankedTensorType>(op.getReads().getType());
      if (!op.getLogs().empty() && type.getDimSize(0) > kBlock)
        grams.push_back(op);
    });
    for (ChunkGramOp op : grams) {
      op.replaceAllUsesWith(BlockedGram(op).build());
      op.erase();
    }
  }
};
} // namespace

//===- ApplyToLinalg.cpp - earlier writes as linalg on tiles --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "LinalgTiles.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qdelta;

namespace {

/// A product. With decays per value channel, reads come first to last: a tile
/// [C x W] holds what is left of the earlier writes, 0 for later ones, and a
/// read's row is its row of the matrix times the tile. All of it decays by a
/// token more when the next read has its turn; no exponent is subtracted.
struct LowerApply : OpRewritePattern<ChunkApplyOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ChunkApplyOp op,
                                PatternRewriter &b) const override {
    if (op.getLogs().empty())
      b.replaceOp(op, multiply(b, op.getLoc(), op.getMatrix(), op.getValues(),
                               op.getInit()));
    else
      b.replaceOp(op, decayed(b, op));
    return success();
  }

private:
  static Value decayed(OpBuilder &b, ChunkApplyOp op) {
    Location loc = op.getLoc();
    RankedTensorType type = typeOf(op.getValues());
    int64_t chunk = type.getDimSize(0);
    size_t from = *op.getFrom(), to = *op.getTo(), all = op.getLogs().size();
    SmallVector<Value> factors;
    for (Value log : op.getLogs())
      factors.push_back(math::ExpOp::create(b, loc, log));
    // A tile or row by decays begin .. end-1 of token t.
    auto decay = [&](OpBuilder &b, Value what, Value t, size_t begin,
                     size_t end) {
      for (size_t d = begin; d < end; ++d)
        what = scaledInPlace(b, loc, what, rowOf(b, loc, factors[d], t), 1);
      return what;
    };
    auto rowType =
        RankedTensorType::get({1, type.getDimSize(1)}, type.getElementType());
    // The token's own write, as far as `end`.
    auto ownRow = [&](OpBuilder &b, Value t, size_t end) {
      Value row = rowOf(b, loc, op.getValues(), t, /*keepRank=*/true);
      Value copy =
          linalg::CopyOp::create(b, loc, row, emptyLike(b, loc, rowType))
              .getResult(0);
      return decay(b, copy, t, from, end);
    };
    auto loop = scf::ForOp::create(
        b, loc, index(b, loc, 0), index(b, loc, chunk), index(b, loc, 1),
        ValueRange{filled(b, loc, type, 0.0), emptyLike(b, loc, type)},
        [&](OpBuilder &b, Location loc, Value t, ValueRange args) {
          Value earlier = decay(b, args[0], t, 0, to);
          if (op.getInclusive())
            earlier = withRow(b, loc, ownRow(b, t, to), earlier, t);
          Value matrix = rowOf(b, loc, op.getMatrix(), t, /*keepRank=*/true);
          Value init = rowOf(b, loc, op.getInit(), t, /*keepRank=*/true);
          Value row = multiply(b, loc, matrix, earlier, init);
          earlier = decay(b, earlier, t, to, all);
          if (!op.getInclusive())
            earlier = withRow(b, loc, ownRow(b, t, all), earlier, t);
          scf::YieldOp::create(
              b, loc, ValueRange{earlier, withRow(b, loc, row, args[1], t)});
        });
    return loop.getResult(1);
  }
};
} // namespace

void qdelta::populateApplyToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerApply>(patterns.getContext());
}

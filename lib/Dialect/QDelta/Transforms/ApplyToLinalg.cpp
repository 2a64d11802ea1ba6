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

/// The part of a tile that starts at an entry and has a shape.
struct Part {
  SmallVector<OpFoldResult> offsets, sizes, strides;
  RankedTensorType type;

  Part(OpBuilder &b, Value tile, OpFoldResult row, OpFoldResult column,
       ArrayRef<int64_t> shape)
      : offsets{row, column},
        sizes(getAsIndexOpFoldResult(b.getContext(), shape)),
        strides(2, b.getIndexAttr(1)), type(typeOf(tile).clone(shape)) {}

  Value of(OpBuilder &b, Location loc, Value tile) const {
    return tensor::ExtractSliceOp::create(b, loc, type, tile, offsets, sizes,
                                          strides);
  }
  Value replace(OpBuilder &b, Location loc, Value part, Value tile) const {
    return tensor::InsertSliceOp::create(b, loc, part, tile, offsets, sizes,
                                         strides);
  }
};

/// Tokens only meet the values of earlier ones. The matrix is 0 for later ones,
/// but not where these hold a NaN, nor would 0 times a NaN be 0.
///
/// With decays per value channel a tile [C x W] holds what is left of the
/// earlier writes, 0 for later ones, and a read's row is its row of the matrix
/// times the tile. All of it decays by a token more when the next read has its
/// turn; no exponent is subtracted.
struct LowerApply : OpRewritePattern<ChunkApplyOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ChunkApplyOp op,
                                PatternRewriter &b) const override {
    if (op.getLogs().empty())
      b.replaceOp(op, multiplied(b, op));
    else
      b.replaceOp(op, decayed(b, op));
    return success();
  }

private:
  /// Four rows (or what divides their number) at a time: the product with the
  /// values before the block, then what its own tokens add to one another.
  static Value multiplied(OpBuilder &b, ChunkApplyOp op) {
    Location loc = op.getLoc();
    int64_t chunk = typeOf(op.getValues()).getDimSize(0), block = 4;
    while (chunk % block != 0)
      --block;
    int64_t width = typeOf(op.getValues()).getDimSize(1);
    Value zero = index(b, loc, 0), step = index(b, loc, block);
    OpFoldResult left = b.getIndexAttr(0);
    auto loop = scf::ForOp::create(
        b, loc, zero, index(b, loc, chunk), step, op.getInit(),
        [&](OpBuilder &b, Location loc, Value first, ValueRange args) {
          Part rows(b, args[0], first, left, {block, width});
          auto earlier = scf::ForOp::create(
              b, loc, zero, first, step, rows.of(b, loc, args[0]),
              [&](OpBuilder &b, Location loc, Value s, ValueRange sums) {
                Part square(b, op.getMatrix(), first, s, {block, block});
                Part values(b, op.getValues(), s, left, {block, width});
                Value sum =
                    multiply(b, loc, square.of(b, loc, op.getMatrix()),
                             values.of(b, loc, op.getValues()), sums[0]);
                scf::YieldOp::create(b, loc, sum);
              });
          Value sums = addOwn(b, op, first, earlier.getResult(0));
          scf::YieldOp::create(b, loc, rows.replace(b, loc, sums, args[0]));
        });
    return loop.getResult(0);
  }

  /// sum + entry (t, s) of the matrix times row s of `values`.
  static Value addRow(OpBuilder &b, ChunkApplyOp op, Value t, Value s,
                      Value values, Value sum) {
    Location loc = op.getLoc();
    Value factor =
        tensor::ExtractOp::create(b, loc, op.getMatrix(), ValueRange{t, s});
    Value row = rowOf(b, loc, values, s, /*keepRank=*/true);
    return addMultiple(b, loc, factor, row, sum);
  }

  /// What the tokens of a block, from `first` on, add to one another's rows.
  static Value addOwn(OpBuilder &b, ChunkApplyOp op, Value first, Value rows) {
    Location loc = op.getLoc();
    int64_t block = typeOf(rows).getDimSize(0);
    for (int64_t t = 0; t < block; ++t) {
      Value token = arith::AddIOp::create(b, loc, first, index(b, loc, t));
      Value row = rowOf(b, loc, rows, b.getIndexAttr(t), /*keepRank=*/true);
      for (int64_t s = 0; s < t + op.getInclusive(); ++s) {
        Value from = arith::AddIOp::create(b, loc, first, index(b, loc, s));
        row = addRow(b, op, token, from, op.getValues(), row);
      }
      rows = withRow(b, loc, row, rows, b.getIndexAttr(t));
    }
    return rows;
  }

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
          Value end = t;
          if (op.getInclusive())
            end = arith::AddIOp::create(b, loc, t, index(b, loc, 1));
          auto sum = scf::ForOp::create(
              b, loc, index(b, loc, 0), end, index(b, loc, 1),
              rowOf(b, loc, op.getInit(), t, /*keepRank=*/true),
              [&](OpBuilder &b, Location loc, Value s, ValueRange sums) {
                Value row = addRow(b, op, t, s, earlier, sums[0]);
                scf::YieldOp::create(b, loc, row);
              });
          Value row = sum.getResult(0);
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

//===- RowOps.cpp - lowering of ops that work row by row ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "RowOps.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qdelta;

static RankedTensorType typeOf(Value tile) {
  return cast<RankedTensorType>(tile.getType());
}

/// The number that a sum over `rows` is divided by for a mean; an empty sum
/// stays 0.
static TypedAttr countOf(OpBuilder &b, RankedTensorType rows) {
  int64_t width = std::max<int64_t>(rows.getShape().back(), 1);
  return b.getFloatAttr(rows.getElementType(), static_cast<double>(width));
}

//===----------------------------------------------------------------------===//
// Rows as vectors
//===----------------------------------------------------------------------===//

static Value sum(OpBuilder &b, Location loc, Value row) {
  return vector::ReductionOp::create(b, loc, vector::CombiningKind::ADD, row);
}

/// The rotated row: halves are taken apart and put together by shuffles.
static Value rotateRow(OpBuilder &b, Location loc, Value row, Value cos,
                       Value sin) {
  int64_t width = cast<VectorType>(row.getType()).getDimSize(0);
  int64_t half = width / 2;
  auto lanesFrom = [&](int64_t first, int64_t count) {
    return llvm::to_vector(llvm::seq<int64_t>(first, first + count));
  };
  auto halfFrom = [&](int64_t first) -> Value {
    return vector::ShuffleOp::create(b, loc, row, row, lanesFrom(first, half));
  };
  auto product = [&](Value lhs, Value rhs) -> Value {
    return arith::MulFOp::create(b, loc, lhs, rhs);
  };
  Value first = halfFrom(0), second = halfFrom(half);
  Value top =
      arith::SubFOp::create(b, loc, product(first, cos), product(second, sin));
  Value bottom =
      arith::AddFOp::create(b, loc, product(first, sin), product(second, cos));
  return vector::ShuffleOp::create(b, loc, top, bottom, lanesFrom(0, width));
}

bool qdelta::expandRowOp(OpBuilder &b, TileParts &parts, Operation *op) {
  Location loc = op->getLoc();
  SmallVector<Value> results;
  if (auto splat = dyn_cast<SplatOp>(op)) {
    RankedTensorType type = typeOf(splat.getResult());
    auto row = VectorType::get(type.getShape().back(), type.getElementType());
    for (Value scalar : parts.scalars(splat.getValue()))
      results.push_back(vector::BroadcastOp::create(b, loc, row, scalar));
  } else if (auto dot = dyn_cast<DotOp>(op)) {
    for (auto [lhs, rhs] :
         llvm::zip(parts.rows(dot.getLhs()), parts.rows(dot.getRhs())))
      results.push_back(sum(b, loc, arith::MulFOp::create(b, loc, lhs, rhs)));
  } else if (auto mean = dyn_cast<MeanOp>(op)) {
    Value count =
        arith::ConstantOp::create(b, loc, countOf(b, typeOf(mean.getVector())));
    for (Value row : parts.rows(mean.getVector()))
      results.push_back(arith::DivFOp::create(b, loc, sum(b, loc, row), count));
  } else if (auto rotate = dyn_cast<RotateOp>(op)) {
    for (auto [row, cos, sin] :
         llvm::zip(parts.rows(rotate.getVector()), parts.rows(rotate.getCos()),
                   parts.rows(rotate.getSin())))
      results.push_back(rotateRow(b, loc, row, cos, sin));
  } else {
    return false;
  }
  parts.set(op->getResult(0), results);
  return true;
}

//===----------------------------------------------------------------------===//
// Tiles as matrices
//===----------------------------------------------------------------------===//

static Value emptyLike(OpBuilder &b, Location loc, RankedTensorType type) {
  return tensor::EmptyOp::create(b, loc, type.getShape(),
                                 type.getElementType());
}

/// The maps of tiles [C, D] and of what lacks D, [C].
static std::pair<AffineMap, AffineMap> tileMaps(OpBuilder &b) {
  AffineMap whole = b.getMultiDimIdentityMap(2);
  return {whole, whole.getMajorSubMap(1)};
}

/// [C] with the sums over D of what `entry` makes of tiles [C, D].
static Value sumRows(OpBuilder &b, Location loc, ValueRange tiles, Type type,
                     llvm::function_ref<Value(OpBuilder &, ValueRange)> entry) {
  auto result = cast<RankedTensorType>(type);
  auto [whole, lead] = tileMaps(b);
  Value zero =
      arith::ConstantOp::create(b, loc, b.getZeroAttr(result.getElementType()));
  Value init = linalg::FillOp::create(b, loc, zero, emptyLike(b, loc, result))
                   .getResult(0);
  SmallVector<AffineMap> maps(tiles.size(), whole);
  maps.push_back(lead);
  return linalg::GenericOp::create(
             b, loc, result, tiles, init, maps,
             SmallVector<utils::IteratorType>{utils::IteratorType::parallel,
                                              utils::IteratorType::reduction},
             [&](OpBuilder &b, Location loc, ValueRange args) {
               Value next = arith::AddFOp::create(b, loc, args.back(),
                                                  entry(b, args.drop_back()));
               linalg::YieldOp::create(b, loc, next);
             })
      .getResult(0);
}

namespace {
struct LowerSplat : OpRewritePattern<SplatOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SplatOp op, PatternRewriter &b) const override {
    RankedTensorType type = typeOf(op.getResult());
    auto [whole, lead] = tileMaps(b);
    b.replaceOpWithNewOp<linalg::GenericOp>(
        op, type, ValueRange{op.getValue()},
        ValueRange{emptyLike(b, op.getLoc(), type)},
        SmallVector<AffineMap>{lead, whole},
        SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
        [](OpBuilder &b, Location loc, ValueRange args) {
          linalg::YieldOp::create(b, loc, args[0]);
        });
    return success();
  }
};

struct LowerDot : OpRewritePattern<DotOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DotOp op, PatternRewriter &b) const override {
    b.replaceOp(op, sumRows(b, op.getLoc(), op->getOperands(),
                            op.getResult().getType(),
                            [&](OpBuilder &b, ValueRange args) -> Value {
                              return arith::MulFOp::create(b, op.getLoc(),
                                                           args[0], args[1]);
                            }));
    return success();
  }
};

struct LowerMean : OpRewritePattern<MeanOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MeanOp op, PatternRewriter &b) const override {
    Value sums =
        sumRows(b, op.getLoc(), op->getOperands(), op.getResult().getType(),
                [](OpBuilder &, ValueRange args) { return args[0]; });
    Value count = arith::ConstantOp::create(
        b, op.getLoc(),
        DenseElementsAttr::get(typeOf(sums),
                               countOf(b, typeOf(op.getVector()))));
    b.replaceOpWithNewOp<arith::DivFOp>(op, sums, count);
    return success();
  }
};

struct LowerRotate : OpRewritePattern<RotateOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(RotateOp op,
                                PatternRewriter &b) const override {
    Location loc = op.getLoc();
    RankedTensorType part = typeOf(op.getCos());
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
    int64_t width = part.getDimSize(1);
    SmallVector<OpFoldResult> sizes{b.getIndexAttr(part.getDimSize(0)),
                                    b.getIndexAttr(width)};
    SmallVector<OpFoldResult> top{zero, zero},
        bottom{zero, b.getIndexAttr(width)}, strides{one, one};
    auto half = [&](ArrayRef<OpFoldResult> at) -> Value {
      return tensor::ExtractSliceOp::create(b, loc, part, op.getVector(), at,
                                            sizes, strides);
    };
    auto product = [&](Value lhs, Value rhs) -> Value {
      return arith::MulFOp::create(b, loc, lhs, rhs);
    };
    Value first = half(top), second = half(bottom);
    Value cos = op.getCos(), sin = op.getSin();
    Value result = emptyLike(b, loc, typeOf(op.getResult()));
    Value upper = arith::SubFOp::create(b, loc, product(first, cos),
                                        product(second, sin));
    Value lower = arith::AddFOp::create(b, loc, product(first, sin),
                                        product(second, cos));
    result = tensor::InsertSliceOp::create(b, loc, upper, result, top, sizes,
                                           strides);
    b.replaceOpWithNewOp<tensor::InsertSliceOp>(op, lower, result, bottom,
                                                sizes, strides);
    return success();
  }
};
} // namespace

void qdelta::populateRowOpPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerSplat, LowerDot, LowerMean, LowerRotate>(
      patterns.getContext());
}

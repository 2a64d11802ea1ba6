//===- ChunkToLinalg.cpp - lower chunk ops to linalg on tiles -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "LinalgTiles.h"
#include "PlainTiles.h"
#include "RowOps.h"
#include "TransposeRows.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/DialectConversion.h"

namespace qdelta {
#define GEN_PASS_DEF_CHUNKTOLINALG
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

/// init + lhs^T * rhs.
Value multiplyTransposed(OpBuilder &b, Location loc, Value lhs, Value rhs,
                         Value init) {
  return linalg::MatmulTransposeAOp::create(
             b, loc, init.getType(), ValueRange{lhs, rhs}, ValueRange{init})
      .getResult(0);
}

SmallVector<OpFoldResult> indices(OpBuilder &b, ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(b.getContext(), values);
}

/// Several tiles with a row for each token as one, by token and then by tile.
Value byTokens(OpBuilder &b, Location loc, ValueRange tiles) {
  auto number = static_cast<int64_t>(tiles.size());
  if (number == 1)
    return tiles[0];
  RankedTensorType type = typeOf(tiles[0]);
  int64_t tokens = type.getDimSize(0), width = type.getDimSize(1);
  Value result = emptyLike(b, loc, type.clone({number * tokens, width}));
  for (auto [at, tile] : llvm::enumerate(tiles))
    result = tensor::InsertSliceOp::create(
        b, loc, tile, result, indices(b, {static_cast<int64_t>(at), 0}),
        indices(b, {tokens, width}), indices(b, {number, 1}));
  return result;
}

/// A row-wise product: tile [.., D] times a factor without the last dimension.
struct LowerScale : OpRewritePattern<ScaleOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ScaleOp op, PatternRewriter &b) const override {
    RankedTensorType type = typeOf(op.getVector());
    int64_t rank = type.getRank();
    auto whole = b.getMultiDimIdentityMap(rank);
    auto lead = whole.getMajorSubMap(rank - 1);
    if (rank == 1)
      lead = AffineMap::get(1, 0, {}, b.getContext());
    SmallVector<AffineMap> maps{whole, lead, whole};
    b.replaceOpWithNewOp<linalg::GenericOp>(
        op, type, ValueRange{op.getVector(), op.getBy()},
        ValueRange{emptyLike(b, op.getLoc(), type)}, maps,
        SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
        [](OpBuilder &b, Location loc, ValueRange args) {
          Value product = arith::MulFOp::create(b, loc, args[0], args[1]);
          linalg::YieldOp::create(b, loc, product);
        });
    return success();
  }
};

/// Rows are copied one by one, so that those past the end repeat the last.
struct LowerLoadTile : OpRewritePattern<LoadTileOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LoadTileOp op,
                                PatternRewriter &b) const override {
    Location loc = op.getLoc();
    RankedTensorType type = typeOf(op.getResult());
    bool isSequence = op.getIndices().size() == 3;
    bool isVector = type.getRank() == 2;
    Value one = index(b, loc, 1), last;
    if (isSequence)
      last = arith::SubIOp::create(
          b, loc, tensor::DimOp::create(b, loc, op.getSource(), 1), one);
    auto loop = scf::ForOp::create(
        b, loc, index(b, loc, 0), index(b, loc, type.getDimSize(0)), one,
        emptyLike(b, loc, type),
        [&](OpBuilder &b, Location loc, Value t, ValueRange args) {
          SmallVector<Value> at(op.getIndices());
          if (isSequence)
            at[1] = arith::MinUIOp::create(
                b, loc, arith::AddIOp::create(b, loc, at[1], t), last);
          Value next;
          if (isVector) {
            at.push_back(op.getColumn() ? op.getColumn() : index(b, loc, 0));
            next = copyRow(b, loc, op.getSource(), at, args[0], t, type);
          } else {
            Value scalar = convert(
                b, loc, tensor::ExtractOp::create(b, loc, op.getSource(), at),
                type.getElementType());
            next = tensor::InsertOp::create(b, loc, scalar, args[0], t);
          }
          scf::YieldOp::create(b, loc, next);
        });
    b.replaceOp(op, loop);
    return success();
  }

  static Value copyRow(OpBuilder &b, Location loc, Value source,
                       ArrayRef<Value> at, Value dest, Value row,
                       RankedTensorType tile) {
    int64_t width = tile.getDimSize(1);
    OpFoldResult one = b.getIndexAttr(1), size = b.getIndexAttr(width);
    SmallVector<OpFoldResult> offsets(at), sizes(at.size(), one),
        strides(at.size(), one);
    sizes.back() = size;
    auto rowType =
        RankedTensorType::get({1, width}, typeOf(source).getElementType());
    Value slice = tensor::ExtractSliceOp::create(b, loc, rowType, source,
                                                 offsets, sizes, strides);
    slice = convert(b, loc, slice, tile.getElementType());
    return tensor::InsertSliceOp::create(
        b, loc, slice, dest, SmallVector<OpFoldResult>{row, b.getIndexAttr(0)},
        SmallVector<OpFoldResult>{one, size},
        SmallVector<OpFoldResult>{one, one});
  }
};

struct LowerStoreTile : OpRewritePattern<StoreTileOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(StoreTileOp op,
                                PatternRewriter &b) const override {
    Location loc = op.getLoc();
    RankedTensorType type = typeOf(op.getTile());
    Value length = tensor::DimOp::create(b, loc, op.getDest(), 1);
    Value left = arith::SubIOp::create(b, loc, length, op.getIndices()[1]);
    Value rows =
        arith::MinUIOp::create(b, loc, left, index(b, loc, type.getDimSize(0)));
    auto loop = scf::ForOp::create(
        b, loc, index(b, loc, 0), rows, index(b, loc, 1), op.getDest(),
        [&](OpBuilder &b, Location loc, Value t, ValueRange args) {
          OpFoldResult one = b.getIndexAttr(1);
          OpFoldResult width = b.getIndexAttr(type.getDimSize(1));
          auto rowType = RankedTensorType::get({1, type.getDimSize(1)},
                                               type.getElementType());
          Value row = tensor::ExtractSliceOp::create(
              b, loc, rowType, op.getTile(),
              SmallVector<OpFoldResult>{t, b.getIndexAttr(0)},
              SmallVector<OpFoldResult>{one, width},
              SmallVector<OpFoldResult>{one, one});
          row = convert(b, loc, row, typeOf(op.getDest()).getElementType());
          SmallVector<OpFoldResult> offsets(op.getIndices()), sizes(3, one);
          offsets[1] =
              arith::AddIOp::create(b, loc, op.getIndices()[1], t).getResult();
          offsets.push_back(op.getColumn());
          sizes.push_back(width);
          Value next = tensor::InsertSliceOp::create(
              b, loc, row, args[0], offsets, sizes,
              SmallVector<OpFoldResult>(4, one));
          scf::YieldOp::create(b, loc, next);
        });
    b.replaceOp(op, loop);
    return success();
  }
};

/// A generic over [C] or [C, C] whose body sees the loop indices.
Value fromIndices(OpBuilder &b, Location loc, RankedTensorType type,
                  function_ref<Value(OpBuilder &, ValueRange)> body) {
  int64_t rank = type.getRank();
  return linalg::GenericOp::create(
             b, loc, type, ValueRange(), ValueRange{emptyLike(b, loc, type)},
             SmallVector<AffineMap>{b.getMultiDimIdentityMap(rank)},
             SmallVector<utils::IteratorType>(rank,
                                              utils::IteratorType::parallel),
             [&](OpBuilder &b, Location loc, ValueRange) {
               SmallVector<Value> at;
               for (int64_t dim = 0; dim < rank; ++dim)
                 at.push_back(linalg::IndexOp::create(b, loc, dim));
               linalg::YieldOp::create(b, loc, body(b, at));
             })
      .getResult(0);
}

struct LowerValid : OpRewritePattern<ChunkValidOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ChunkValidOp op,
                                PatternRewriter &b) const override {
    Location loc = op.getLoc();
    b.replaceOp(op, fromIndices(b, loc, typeOf(op.getResult()),
                                [&](OpBuilder &b, ValueRange at) -> Value {
                                  Value token = arith::AddIOp::create(
                                      b, loc, op.getFirst(), at[0]);
                                  return arith::CmpIOp::create(
                                      b, loc, arith::CmpIPredicate::ult, token,
                                      op.getLength());
                                }));
    return success();
  }
};

struct LowerRead : OpRewritePattern<ChunkReadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ChunkReadOp op,
                                PatternRewriter &b) const override {
    Value zero = filled(b, op.getLoc(), typeOf(op.getResult()), 0.0);
    b.replaceOp(op,
                multiply(b, op.getLoc(), op.getKeys(), op.getState(), zero));
    return success();
  }
};

/// Several unknown writes a token interleave into one system of C * W rows.
struct LowerSolve : OpRewritePattern<ChunkSolveOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ChunkSolveOp op,
                                PatternRewriter &b) const override {
    Location loc = op.getLoc();
    int64_t unknowns = op.getRhs().size();
    RankedTensorType tile = typeOf(op.getRhs()[0]);
    if (unknowns == 1) {
      b.replaceOpWithNewOp<TriangularSolveOp>(op, op.getBlocks()[0],
                                              op.getRhs()[0]);
      return success();
    }
    int64_t chunk = tile.getDimSize(0), width = tile.getDimSize(1);
    int64_t rows = chunk * unknowns;
    Value matrix = emptyLike(
        b, loc, RankedTensorType::get({rows, rows}, tile.getElementType()));
    for (int64_t j = 0; j < unknowns; ++j)
      for (int64_t w = 0; w < unknowns; ++w)
        matrix = tensor::InsertSliceOp::create(
            b, loc, op.getBlocks()[j * unknowns + w], matrix,
            indices(b, {j, w}), indices(b, {chunk, chunk}),
            indices(b, {unknowns, unknowns}));
    Value rhs = byTokens(b, loc, op.getRhs());
    Value solved = TriangularSolveOp::create(b, loc, matrix, rhs);
    SmallVector<Value> results;
    for (int64_t j = 0; j < unknowns; ++j)
      results.push_back(tensor::ExtractSliceOp::create(
          b, loc, tile, solved, indices(b, {j, 0}), indices(b, {chunk, width}),
          indices(b, {unknowns, 1})));
    b.replaceOp(op, results);
    return success();
  }
};

struct LowerUpdate : OpRewritePattern<ChunkUpdateOp> {
  using OpRewritePattern::OpRewritePattern;

  /// The state's rows (`along` = 0) or columns (1) times their `factors`, or
  /// times 1 if they are not to decay.
  static Value decayAlong(ChunkUpdateOp op, Value state, Value factors,
                          unsigned along, OpBuilder &b) {
    Location loc = op.getLoc();
    auto whole = b.getMultiDimIdentityMap(2);
    SmallVector<Value> inputs{rowOf(b, loc, factors, b.getIndexAttr(0))};
    SmallVector<AffineMap> maps{whole.getSubMap({along}), whole};
    if (op.getWhen()) {
      inputs.push_back(op.getWhen());
      maps.insert(maps.begin() + 1, AffineMap::get(2, 0, {}, b.getContext()));
    }
    return linalg::GenericOp::create(
               b, loc, typeOf(state), inputs, state, maps,
               SmallVector<utils::IteratorType>(2,
                                                utils::IteratorType::parallel),
               [](OpBuilder &b, Location loc, ValueRange args) {
                 Value factor = args[0];
                 if (args.size() == 3) {
                   Value one = arith::ConstantOp::create(
                       b, loc, b.getFloatAttr(factor.getType(), 1.0));
                   factor =
                       arith::SelectOp::create(b, loc, args[1], factor, one);
                 }
                 Value product =
                     arith::MulFOp::create(b, loc, args.back(), factor);
                 linalg::YieldOp::create(b, loc, product);
               })
        .getResult(0);
  }

  LogicalResult matchAndRewrite(ChunkUpdateOp op,
                                PatternRewriter &b) const override {
    Location loc = op.getLoc();
    RankedTensorType type = typeOf(op.getState());
    SmallVector<AffineMap> maps{AffineMap::get(2, 0, {}, b.getContext()),
                                b.getMultiDimIdentityMap(2)};
    Value state =
        linalg::GenericOp::create(
            b, loc, type, ValueRange{op.getDecay()}, ValueRange{op.getState()},
            maps,
            SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
            [](OpBuilder &b, Location loc, ValueRange args) {
              Value product = arith::MulFOp::create(b, loc, args[1], args[0]);
              linalg::YieldOp::create(b, loc, product);
            })
            .getResult(0);
    if (op.getChannels())
      state = decayAlong(op, state, op.getChannels(), 0, b);
    if (op.getColumns())
      state = decayAlong(op, state, op.getColumns(), 1, b);
    for (auto [other, factor] : llvm::zip(op.getOthers(), op.getFactors()))
      state = addMultiple(b, loc, factor, other, state);
    // In the order of the token loop: what later writes take back is not added
    // up first.
    if (!op.getKeys().empty())
      state = multiplyTransposed(b, loc, byTokens(b, loc, op.getKeys()),
                                 byTokens(b, loc, op.getValues()), state);
    SmallVector<Value> results{state};
    for (auto [read, readout] : llvm::zip(op.getReads(), op.getReadouts()))
      results.push_back(
          multiply(b, loc, read, state, filled(b, loc, typeOf(readout), 0.0)));
    b.replaceOp(op, results);
    return success();
  }
};

struct LowerMaskRows : OpRewritePattern<MaskRowsOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MaskRowsOp op,
                                PatternRewriter &b) const override {
    RankedTensorType type = typeOf(op.getTile());
    auto whole = b.getMultiDimIdentityMap(type.getRank());
    SmallVector<AffineMap> maps{whole.getMajorSubMap(1), whole, whole};
    b.replaceOpWithNewOp<linalg::GenericOp>(
        op, type, ValueRange{op.getValid(), op.getTile()},
        ValueRange{emptyLike(b, op.getLoc(), type)}, maps,
        SmallVector<utils::IteratorType>(type.getRank(),
                                         utils::IteratorType::parallel),
        [](OpBuilder &b, Location loc, ValueRange args) {
          Value zero = arith::ConstantOp::create(
              b, loc, b.getZeroAttr(args[1].getType()));
          Value kept = arith::SelectOp::create(b, loc, args[0], args[1], zero);
          linalg::YieldOp::create(b, loc, kept);
        });
    return success();
  }
};

struct LowerScaleChannels : OpRewritePattern<ScaleChannelsOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ScaleChannelsOp op,
                                PatternRewriter &b) const override {
    RankedTensorType type = typeOf(op.getTile());
    auto whole = b.getMultiDimIdentityMap(2);
    Value by = rowOf(b, op.getLoc(), op.getBy(), b.getIndexAttr(0));
    auto row = whole.getMinorSubMap(1);
    b.replaceOpWithNewOp<linalg::GenericOp>(
        op, type, ValueRange{op.getTile(), by},
        ValueRange{emptyLike(b, op.getLoc(), type)},
        SmallVector<AffineMap>{whole, row, whole},
        SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
        [](OpBuilder &b, Location loc, ValueRange args) {
          Value product = arith::MulFOp::create(b, loc, args[0], args[1]);
          linalg::YieldOp::create(b, loc, product);
        });
    return success();
  }
};

struct LowerAnyOutside : OpRewritePattern<AnyOutsideOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AnyOutsideOp op,
                                PatternRewriter &b) const override {
    Location loc = op.getLoc();
    RankedTensorType type = typeOf(op.getTile());
    auto number = RankedTensorType::get({}, type.getElementType());
    // The smallest or the largest element, against its limit.
    auto isBeyond = [&](bool smallest, double limit) -> Value {
      double worst = smallest ? INFINITY : -INFINITY;
      Value extreme =
          linalg::GenericOp::create(
              b, loc, number, ValueRange{op.getTile()},
              ValueRange{filled(b, loc, number, worst)},
              SmallVector<AffineMap>{
                  b.getMultiDimIdentityMap(type.getRank()),
                  AffineMap::get(type.getRank(), 0, {}, b.getContext())},
              SmallVector<utils::IteratorType>(type.getRank(),
                                               utils::IteratorType::reduction),
              [&](OpBuilder &b, Location loc, ValueRange args) {
                Value next =
                    smallest
                        ? arith::MinimumFOp::create(b, loc, args[0], args[1])
                              .getResult()
                        : arith::MaximumFOp::create(b, loc, args[0], args[1]);
                linalg::YieldOp::create(b, loc, next);
              })
              .getResult(0);
      extreme = tensor::ExtractOp::create(b, loc, extreme, ValueRange());
      Value bound = arith::ConstantOp::create(
          b, loc, b.getFloatAttr(type.getElementType(), limit));
      return arith::CmpFOp::create(b, loc,
                                   smallest ? arith::CmpFPredicate::ULT
                                            : arith::CmpFPredicate::UGT,
                                   extreme, bound);
    };
    Value low = isBeyond(true, op.getLow().convertToDouble());
    Value high = isBeyond(false, op.getHigh().convertToDouble());
    b.replaceOpWithNewOp<arith::OrIOp>(op, low, high);
    return success();
  }
};

struct ChunkToLinalgPass : qdelta::impl::ChunkToLinalgBase<ChunkToLinalgPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateApplyToLinalgPatterns(patterns);
    populateDecayToLinalgPatterns(patterns);
    populateTransferToLinalgPatterns(patterns);
    patterns.add<LowerScale, LowerScaleChannels, LowerMaskRows, LowerAnyOutside,
                 LowerLoadTile, LowerStoreTile, LowerValid, LowerRead,
                 LowerSolve, LowerUpdate>(&getContext());
    populateRowOpPatterns(patterns);
    FrozenRewritePatternSet frozen(std::move(patterns));
    ConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    target.addIllegalDialect<QDeltaDialect>();
    target.addLegalOp<TriangularSolveOp, PrefetchOp>();
    target.addDynamicallyLegalOp<ChunkUpdateOp>(multipliesPairs);
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      auto schedule = func->getAttrOfType<ScheduleAttr>("qdelta.schedule");
      lowerTransposes(func, schedule ? schedule.getLanes() : 1);
      if (failed(verifyPlainTiles(func)) ||
          failed(applyPartialConversion(func, target, frozen)))
        return signalPassFailure();
    }
  }
};
} // namespace

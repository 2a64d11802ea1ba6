//===- ChunkToLinalg.cpp - lower chunk ops to linalg on tiles -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "PlainTiles.h"

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

RankedTensorType typeOf(Value tile) {
  return cast<RankedTensorType>(tile.getType());
}

Value index(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value emptyLike(OpBuilder &b, Location loc, RankedTensorType type) {
  return tensor::EmptyOp::create(b, loc, type.getShape(),
                                 type.getElementType());
}

Value filled(OpBuilder &b, Location loc, RankedTensorType type, double value) {
  Value scalar = arith::ConstantOp::create(
      b, loc, b.getFloatAttr(type.getElementType(), value));
  return linalg::FillOp::create(b, loc, scalar, emptyLike(b, loc, type))
      .getResult(0);
}

/// init + lhs * rhs.
Value multiply(OpBuilder &b, Location loc, Value lhs, Value rhs, Value init) {
  return linalg::MatmulOp::create(b, loc, init.getType(), ValueRange{lhs, rhs},
                                  ValueRange{init})
      .getResult(0);
}

/// init + lhs^T * rhs.
Value multiplyTransposed(OpBuilder &b, Location loc, Value lhs, Value rhs,
                         Value init) {
  return linalg::MatmulTransposeAOp::create(
             b, loc, init.getType(), ValueRange{lhs, rhs}, ValueRange{init})
      .getResult(0);
}

/// A scalar or tile in another element type: wider, or rounded.
Value convert(OpBuilder &b, Location loc, Value value, Type element) {
  Type from = getElementTypeOrSelf(value.getType()), to = element;
  if (from == element)
    return value;
  if (auto tile = dyn_cast<RankedTensorType>(value.getType()))
    to = tile.clone(element);
  if (from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(b, loc, to, value);
  return arith::TruncFOp::create(b, loc, to, value);
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

/// Running products of e^log, token by token and in f64: exponents are never
/// subtracted, and a long product is rounded once.
struct LowerDecay : OpRewritePattern<ChunkDecayOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ChunkDecayOp op,
                                PatternRewriter &b) const override {
    Location loc = op.getLoc();
    auto type = dyn_cast<RankedTensorType>(op.getResult().getType());
    std::optional<uint64_t> from = op.getFrom(), to = op.getTo();
    if (from && to) {
      b.replaceOp(op, between(b, op, type));
      return success();
    }
    Value one = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(1.0));
    if (op.getLogs().empty()) {
      b.replaceOp(op, type ? filled(b, loc, type, 1.0) : rounded(b, op, one));
      return success();
    }
    int64_t chunk = typeOf(op.getLogs()[0]).getDimSize(0);
    SmallVector<Value> factors = factorsOf(b, op);
    Value start = index(b, loc, 0), end = index(b, loc, chunk),
          step = index(b, loc, 1);
    SmallVector<Value> inits{one};
    if (type)
      inits.push_back(emptyLike(b, loc, type));
    auto loop = scf::ForOp::create(
        b, loc, start, end, step, inits,
        [&](OpBuilder &b, Location loc, Value i, ValueRange args) {
          // Towards the end of the chunk, tokens come last first.
          Value t =
              from ? arith::SubIOp::create(b, loc, index(b, loc, chunk - 1), i)
                         .getResult()
                   : i;
          Value before =
              token(b, op, factors, t, args[0], to ? 0 : from.value_or(0),
                    to ? *to : op.getLogs().size());
          SmallVector<Value> next{before};
          if (type) {
            next.push_back(tensor::InsertOp::create(
                b, loc, rounded(b, op, before), args[1], t));
            next[0] = token(b, op, factors, t, before, to ? *to : 0,
                            to ? op.getLogs().size() : from.value_or(0));
          }
          scf::YieldOp::create(b, loc, next);
        });
    b.replaceOp(op,
                type ? loop.getResult(1) : rounded(b, op, loop.getResult(0)));
    return success();
  }

private:
  /// product times the decays begin .. end-1 of token t.
  static Value token(OpBuilder &b, ChunkDecayOp op, ArrayRef<Value> factors,
                     Value t, Value product, size_t begin, size_t end) {
    for (size_t d = begin; d < end; ++d) {
      Value factor = tensor::ExtractOp::create(b, op.getLoc(), factors[d], t);
      factor = convert(b, op.getLoc(), factor, b.getF64Type());
      product = arith::MulFOp::create(b, op.getLoc(), product, factor);
    }
    return product;
  }

  /// An f64 product in the element type of the op's result.
  static Value rounded(OpBuilder &b, ChunkDecayOp op, Value product) {
    return convert(b, op.getLoc(), product,
                   getElementTypeOrSelf(op.getResult().getType()));
  }

  /// e^log of every decay, tiles [C]; equal ones of other ops are one by CSE.
  static SmallVector<Value> factorsOf(OpBuilder &b, ChunkDecayOp op) {
    SmallVector<Value> factors;
    for (Value log : op.getLogs())
      factors.push_back(math::ExpOp::create(b, op.getLoc(), log));
    return factors;
  }

  /// Column s of the matrix runs down from its own token.
  static Value between(OpBuilder &b, ChunkDecayOp op, RankedTensorType type) {
    Location loc = op.getLoc();
    int64_t chunk = type.getDimSize(0);
    size_t from = *op.getFrom(), to = *op.getTo(), all = op.getLogs().size();
    SmallVector<Value> factors = factorsOf(b, op);
    Value zero = filled(b, loc, type, 0.0);
    Value one = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(1.0));
    Value step = index(b, loc, 1), end = index(b, loc, chunk);
    auto columns = scf::ForOp::create(
        b, loc, index(b, loc, 0), end, step, zero,
        [&](OpBuilder &b, Location loc, Value s, ValueRange outer) {
          Value matrix = outer[0];
          if (op.getInclusive())
            matrix = tensor::InsertOp::create(
                b, loc, rounded(b, op, token(b, op, factors, s, one, from, to)),
                matrix, ValueRange{s, s});
          Value own = token(b, op, factors, s, one, from, all);
          Value second = arith::AddIOp::create(b, loc, s, step);
          auto rows = scf::ForOp::create(
              b, loc, second, end, step, ValueRange{matrix, own},
              [&](OpBuilder &b, Location loc, Value t, ValueRange inner) {
                Value at = token(b, op, factors, t, inner[1], 0, to);
                Value next = tensor::InsertOp::create(
                    b, loc, rounded(b, op, at), inner[0], ValueRange{t, s});
                scf::YieldOp::create(
                    b, loc,
                    ValueRange{next, token(b, op, factors, t, at, to, all)});
              });
          scf::YieldOp::create(b, loc, rows.getResult(0));
        });
    return columns.getResult(0);
  }
};

/// A^T is packed first: the product then runs over contiguous rows.
struct LowerGram : OpRewritePattern<ChunkGramOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ChunkGramOp op,
                                PatternRewriter &b) const override {
    Location loc = op.getLoc();
    RankedTensorType keys = typeOf(op.getWrites());
    auto packedType = RankedTensorType::get(
        {keys.getDimSize(1), keys.getDimSize(0)}, keys.getElementType());
    Value packed = linalg::TransposeOp::create(b, loc, op.getWrites(),
                                               emptyLike(b, loc, packedType),
                                               ArrayRef<int64_t>{1, 0})
                       ->getResult(0);
    Value zero = filled(b, loc, typeOf(op.getResult()), 0.0);
    b.replaceOp(op, multiply(b, loc, op.getReads(), packed, zero));
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

struct LowerApply : OpRewritePattern<ChunkApplyOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ChunkApplyOp op,
                                PatternRewriter &b) const override {
    b.replaceOp(op, multiply(b, op.getLoc(), op.getMatrix(), op.getValues(),
                             op.getInit()));
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
    auto attrs = [&](ArrayRef<int64_t> values) {
      return SmallVector<OpFoldResult>(
          llvm::map_range(values, [&](int64_t value) -> OpFoldResult {
            return b.getIndexAttr(value);
          }));
    };
    Value matrix = emptyLike(
        b, loc, RankedTensorType::get({rows, rows}, tile.getElementType()));
    Value rhs = emptyLike(
        b, loc, RankedTensorType::get({rows, width}, tile.getElementType()));
    for (int64_t j = 0; j < unknowns; ++j) {
      for (int64_t w = 0; w < unknowns; ++w)
        matrix = tensor::InsertSliceOp::create(
            b, loc, op.getBlocks()[j * unknowns + w], matrix, attrs({j, w}),
            attrs({chunk, chunk}), attrs({unknowns, unknowns}));
      rhs = tensor::InsertSliceOp::create(b, loc, op.getRhs()[j], rhs,
                                          attrs({j, 0}), attrs({chunk, width}),
                                          attrs({unknowns, 1}));
    }
    Value solved = TriangularSolveOp::create(b, loc, matrix, rhs);
    SmallVector<Value> results;
    for (int64_t j = 0; j < unknowns; ++j)
      results.push_back(tensor::ExtractSliceOp::create(
          b, loc, tile, solved, attrs({j, 0}), attrs({chunk, width}),
          attrs({unknowns, 1})));
    b.replaceOp(op, results);
    return success();
  }
};

struct LowerUpdate : OpRewritePattern<ChunkUpdateOp> {
  using OpRewritePattern::OpRewritePattern;
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
    for (auto [key, value] : llvm::zip(op.getKeys(), op.getValues()))
      state = multiplyTransposed(b, loc, key, value, state);
    SmallVector<Value> results{state};
    for (auto [read, readout] : llvm::zip(op.getReads(), op.getReadouts()))
      results.push_back(
          multiply(b, loc, read, state, filled(b, loc, typeOf(readout), 0.0)));
    b.replaceOp(op, results);
    return success();
  }
};

struct ChunkToLinalgPass : qdelta::impl::ChunkToLinalgBase<ChunkToLinalgPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns
        .add<LowerScale, LowerLoadTile, LowerStoreTile, LowerValid, LowerDecay,
             LowerGram, LowerRead, LowerApply, LowerSolve, LowerUpdate>(
            &getContext());
    FrozenRewritePatternSet frozen(std::move(patterns));
    ConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    target.addIllegalDialect<QDeltaDialect>();
    target.addLegalOp<TriangularSolveOp, PrefetchOp>();
    target.addDynamicallyLegalOp<ChunkUpdateOp>(multipliesPairs);
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (failed(verifyPlainTiles(func)) ||
          failed(applyPartialConversion(func, target, frozen)))
        return signalPassFailure();
  }
};
} // namespace

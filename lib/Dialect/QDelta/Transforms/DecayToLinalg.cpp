//===- DecayToLinalg.cpp - decays and Gram matrices as linalg on tiles ----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "LinalgTiles.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

namespace {

/// e^log of every decay, like the logs; equal ones of other ops are one by CSE.
SmallVector<Value> factorsOf(OpBuilder &b, Location loc, ValueRange logs) {
  SmallVector<Value> factors;
  for (Value log : logs)
    factors.push_back(math::ExpOp::create(b, loc, log));
  return factors;
}

/// Running products of e^log, token by token and in f64: exponents are never
/// subtracted, and a long product is rounded once.
struct LowerDecay : OpRewritePattern<ChunkDecayOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ChunkDecayOp op,
                                PatternRewriter &b) const override {
    auto type = dyn_cast<RankedTensorType>(op.getResult().getType());
    Type element = getElementTypeOrSelf(op.getResult().getType());
    if (op.getFrom() && op.getTo()) {
      b.replaceOp(op, between(b, op, type));
    } else if (op.getLogs().empty()) {
      Value one = arith::ConstantOp::create(b, op.getLoc(),
                                            b.getFloatAttr(element, 1.0));
      b.replaceOp(op, type ? filled(b, op.getLoc(), type, 1.0) : one);
    } else {
      b.replaceOp(op, upToOnePlace(b, op, type, element));
    }
    return success();
  }

private:
  /// product times the decays begin .. end-1 of token t. Decays are numbers, or
  /// rows [1 x K] with one per key channel, and so is the product.
  static Value token(OpBuilder &b, Location loc, ArrayRef<Value> factors,
                     Value t, Value product, size_t begin, size_t end) {
    for (size_t d = begin; d < end; ++d) {
      if (typeOf(factors[d]).getRank() == 2) {
        product =
            scaledInPlace(b, loc, product, rowOf(b, loc, factors[d], t), 1);
        continue;
      }
      Value factor = tensor::ExtractOp::create(b, loc, factors[d], t);
      factor = convert(b, loc, factor, product.getType());
      product = arith::MulFOp::create(b, loc, product, factor);
    }
    return product;
  }

  /// From the chunk's start, or to its end, or both.
  static Value upToOnePlace(OpBuilder &b, ChunkDecayOp op,
                            RankedTensorType type, Type element) {
    Location loc = op.getLoc();
    std::optional<uint64_t> from = op.getFrom(), to = op.getTo();
    SmallVector<Value> factors = factorsOf(b, loc, op.getLogs());
    RankedTensorType logs = typeOf(op.getLogs()[0]);
    bool perChannel = logs.getRank() == 2, isTile = from || to;
    int64_t chunk = logs.getDimSize(0);
    size_t all = factors.size();
    Value one = perChannel
                    ? filled(b, loc,
                             RankedTensorType::get({1, logs.getDimSize(1)},
                                                   b.getF64Type()),
                             1.0)
                    : arith::ConstantOp::create(b, loc, b.getF64FloatAttr(1.0));
    SmallVector<Value> inits{one};
    if (isTile)
      inits.push_back(emptyLike(b, loc, type));
    auto loop = scf::ForOp::create(
        b, loc, index(b, loc, 0), index(b, loc, chunk), index(b, loc, 1), inits,
        [&](OpBuilder &b, Location loc, Value i, ValueRange args) {
          // Towards the end of the chunk, tokens come last first.
          Value t = i;
          if (from)
            t = arith::SubIOp::create(b, loc, index(b, loc, chunk - 1), i);
          Value before = token(b, loc, factors, t, args[0],
                               to ? 0 : from.value_or(0), to ? *to : all);
          SmallVector<Value> next{before};
          if (isTile) {
            Value entry = convert(b, loc, before, element);
            next.push_back(perChannel ? withRow(b, loc, entry, args[1], t)
                                      : tensor::InsertOp::create(b, loc, entry,
                                                                 args[1], t));
            next[0] = token(b, loc, factors, t, before, to ? *to : 0,
                            to ? all : from.value_or(0));
          }
          scf::YieldOp::create(b, loc, next);
        });
    return isTile ? loop.getResult(1)
                  : convert(b, loc, loop.getResult(0), element);
  }

  /// Column s of the matrix runs down from its own token.
  static Value between(OpBuilder &b, ChunkDecayOp op, RankedTensorType type) {
    Location loc = op.getLoc();
    int64_t chunk = type.getDimSize(0);
    size_t from = *op.getFrom(), to = *op.getTo(), all = op.getLogs().size();
    SmallVector<Value> factors = factorsOf(b, loc, op.getLogs());
    Type element = type.getElementType();
    Value zero = filled(b, loc, type, 0.0);
    Value one = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(1.0));
    Value step = index(b, loc, 1), end = index(b, loc, chunk);
    auto columns = scf::ForOp::create(
        b, loc, index(b, loc, 0), end, step, zero,
        [&](OpBuilder &b, Location loc, Value s, ValueRange outer) {
          Value matrix = outer[0];
          if (op.getInclusive()) {
            Value own = token(b, loc, factors, s, one, from, to);
            matrix =
                tensor::InsertOp::create(b, loc, convert(b, loc, own, element),
                                         matrix, ValueRange{s, s});
          }
          Value own = token(b, loc, factors, s, one, from, all);
          Value second = arith::AddIOp::create(b, loc, s, step);
          auto rows = scf::ForOp::create(
              b, loc, second, end, step, ValueRange{matrix, own},
              [&](OpBuilder &b, Location loc, Value t, ValueRange inner) {
                Value at = token(b, loc, factors, t, inner[1], 0, to);
                Value next = tensor::InsertOp::create(
                    b, loc, convert(b, loc, at, element), inner[0],
                    ValueRange{t, s});
                scf::YieldOp::create(
                    b, loc,
                    ValueRange{next, token(b, loc, factors, t, at, to, all)});
              });
          scf::YieldOp::create(b, loc, rows.getResult(0));
        });
    return columns.getResult(0);
  }
};

/// Without decays A^T is packed first: the product then runs over contiguous
/// rows. With decays, writes come last first. The reads after a write, decayed
/// back to it, are the columns of a tile [K x C]: all of them decay by a token
/// more when the write before it has its turn, and that write's row of B^T is
/// its key vector times the tile. The tile is 0 for reads that come before.
struct LowerGram : OpRewritePattern<ChunkGramOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ChunkGramOp op,
                                PatternRewriter &b) const override {
    Location loc = op.getLoc();
    if (op.getLogs().empty()) {
      Value packed = transposed(b, loc, op.getWrites());
      Value zero = filled(b, loc, typeOf(op.getResult()), 0.0);
      b.replaceOp(op, multiply(b, loc, op.getReads(), packed, zero));
      return success();
    }
    b.replaceOp(op, decayed(b, op));
    return success();
  }

private:
  static Value decayed(OpBuilder &b, ChunkGramOp op) {
    Location loc = op.getLoc();
    RankedTensorType type = typeOf(op.getReads());
    int64_t chunk = type.getDimSize(0), keys = type.getDimSize(1);
    size_t from = *op.getFrom(), to = *op.getTo(), all = op.getLogs().size();
    SmallVector<Value> factors;
    for (Value factor : factorsOf(b, loc, op.getLogs()))
      factors.push_back(transposed(b, loc, factor));
    Value reads = transposed(b, loc, op.getReads());
    // Each column [K] or tile [K x C] by decays begin .. end-1 of token s.
    auto decay = [&](OpBuilder &b, Value what, Value s, size_t begin,
                     size_t end) {
      for (size_t d = begin; d < end; ++d) {
        Value factor = columnOf(b, loc, factors[d], s);
        what = typeOf(what).getRank() == 1
                   ? arith::MulFOp::create(b, loc, what, factor).getResult()
                   : scaledInPlace(b, loc, what, factor, 0);
      }
      return what;
    };
    Type element = type.getElementType();
    auto rowType = RankedTensorType::get({1, chunk}, element);
    Value tile =
        filled(b, loc, RankedTensorType::get({keys, chunk}, element), 0.0);
    auto loop = scf::ForOp::create(
        b, loc, index(b, loc, 0), index(b, loc, chunk), index(b, loc, 1),
        ValueRange{tile, emptyLike(b, loc, typeOf(op.getResult()))},
        [&](OpBuilder &b, Location loc, Value i, ValueRange args) {
          Value s = arith::SubIOp::create(b, loc, index(b, loc, chunk - 1), i);
          Value later = decay(b, args[0], s, from, all);
          Value read = columnOf(b, loc, reads, s);
          if (op.getInclusive())
            later = withColumn(b, loc, decay(b, read, s, from, to), later, s);
          Value key = rowOf(b, loc, op.getWrites(), s, /*keepRank=*/true);
          Value row =
              multiply(b, loc, key, later, filled(b, loc, rowType, 0.0));
          later = decay(b, later, s, 0, from);
          if (!op.getInclusive())
            later = withColumn(b, loc, decay(b, read, s, 0, to), later, s);
          scf::YieldOp::create(
              b, loc, ValueRange{later, withRow(b, loc, row, args[1], s)});
        });
    return transposed(b, loc, loop.getResult(1));
  }
};
} // namespace

void qdelta::populateDecayToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerDecay, LowerGram>(patterns.getContext());
}

//===- TransferToLinalg.cpp - transfers between coupled states as loops ---===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

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

/// Steps take a number for each state along, in f64: forward, how much of the
/// state `of` it holds; backward, how much of it `into` will hold.
class Transfer {
public:
  Transfer(OpBuilder &b, ChunkTransferOp op) : op(op), loc(op.getLoc()) {
    int64_t last = std::max(op.getOf(), op.getInto());
    for (auto [step, target, source] :
         llvm::zip(op.getSteps(), op.getTargets(), op.getSources())) {
      last = std::max({last, target, source});
      factors.push_back(target == source
                            ? math::ExpOp::create(b, loc, step).getResult()
                            : step);
    }
    states = last + 1;
    chunk = typeOf(op.getSteps()[0]).getDimSize(0);
    element = getElementTypeOrSelf(op.getResult().getType());
  }

  Value create(OpBuilder &b);

private:
  using Parts = SmallVector<Value>;

  Parts unit(OpBuilder &b, int64_t state) {
    Parts parts;
    for (int64_t i = 0; i < states; ++i)
      parts.push_back(arith::ConstantOp::create(
          b, loc, b.getF64FloatAttr(i == state ? 1.0 : 0.0)));
    return parts;
  }
  Value factorAt(OpBuilder &b, size_t step, Value t) {
    Value factor = tensor::ExtractOp::create(b, loc, factors[step], t);
    return convert(b, loc, factor, b.getF64Type());
  }
  /// target (+)= factor * source.
  void apply(OpBuilder &b, size_t step, Value t, Value &target, Value source) {
    Value part = arith::MulFOp::create(b, loc, factorAt(b, step, t), source);
    bool isDecay = op.getTargets()[step] == op.getSources()[step];
    target = isDecay ? part
                     : arith::AddFOp::create(b, loc, target, part).getResult();
  }
  Parts forward(OpBuilder &b, Value t, Parts parts, size_t begin, size_t end) {
    for (size_t step = begin; step < end; ++step)
      apply(b, step, t, parts[op.getTargets()[step]],
            parts[op.getSources()[step]]);
    return parts;
  }
  Parts backward(OpBuilder &b, Value t, Parts parts, size_t begin, size_t end) {
    for (size_t step = end; step-- > begin;)
      apply(b, step, t, parts[op.getSources()[step]],
            parts[op.getTargets()[step]]);
    return parts;
  }
  Value entry(OpBuilder &b, Value value, Value tile, ValueRange at) {
    return tensor::InsertOp::create(b, loc, convert(b, loc, value, element),
                                    tile, at);
  }
  Value fromStart(OpBuilder &b, size_t to);
  Value toEnd(OpBuilder &b, size_t from);
  Value between(OpBuilder &b, size_t from, size_t to);
  /// A loop over tokens that carries a tile, and parts that start as `start`.
  template <typename F>
  Parts loopOver(OpBuilder &b, Value begin, Value tile, const Parts &start,
                 F body);

  ChunkTransferOp op;
  Location loc;
  SmallVector<Value> factors;
  int64_t states, chunk;
  Type element;
};

template <typename F>
Transfer::Parts Transfer::loopOver(OpBuilder &b, Value begin, Value tile,
                                   const Parts &start, F body) {
  SmallVector<Value> inits{tile};
  llvm::append_range(inits, start);
  auto loop = scf::ForOp::create(
      b, loc, begin, index(b, loc, chunk), index(b, loc, 1), inits,
      [&](OpBuilder &b, Location, Value t, ValueRange args) {
        Value next = args[0];
        Parts parts(args.drop_front());
        body(b, t, next, parts);
        SmallVector<Value> yielded{next};
        llvm::append_range(yielded, parts);
        scf::YieldOp::create(b, loc, yielded);
      });
  return Parts(loop.getResults());
}

Value Transfer::fromStart(OpBuilder &b, size_t to) {
  Value tile = emptyLike(b, loc, typeOf(op.getResult()));
  return loopOver(b, index(b, loc, 0), tile, unit(b, op.getOf()),
                  [&](OpBuilder &b, Value t, Value &next, Parts &parts) {
                    parts = forward(b, t, parts, 0, to);
                    next = entry(b, parts[op.getInto()], next, t);
                    parts = forward(b, t, parts, to, factors.size());
                  })[0];
}

/// Tokens come last first.
Value Transfer::toEnd(OpBuilder &b, size_t from) {
  Value tile = emptyLike(b, loc, typeOf(op.getResult()));
  return loopOver(b, index(b, loc, 0), tile, unit(b, op.getInto()),
                  [&](OpBuilder &b, Value i, Value &next, Parts &parts) {
                    Value t = arith::SubIOp::create(
                        b, loc, index(b, loc, chunk - 1), i);
                    parts = backward(b, t, parts, from, factors.size());
                    next = entry(b, parts[op.getOf()], next, t);
                    parts = backward(b, t, parts, 0, from);
                  })[0];
}

/// Column s of the matrix runs down from its own token.
Value Transfer::between(OpBuilder &b, size_t from, size_t to) {
  Value zeros = filled(b, loc, typeOf(op.getResult()), 0.0);
  auto column = [&](OpBuilder &b, Value s, Value &matrix, Parts &) {
    Parts own = unit(b, op.getOf());
    if (op.getInclusive())
      matrix = entry(b, forward(b, s, own, from, to)[op.getInto()], matrix,
                     ValueRange{s, s});
    own = forward(b, s, own, from, factors.size());
    Value second = arith::AddIOp::create(b, loc, s, index(b, loc, 1));
    matrix =
        loopOver(b, second, matrix, own,
                 [&](OpBuilder &b, Value t, Value &next, Parts &parts) {
                   parts = forward(b, t, parts, 0, to);
                   next = entry(b, parts[op.getInto()], next, ValueRange{t, s});
                   parts = forward(b, t, parts, to, factors.size());
                 })[0];
  };
  return loopOver(b, index(b, loc, 0), zeros, {}, column)[0];
}

Value Transfer::create(OpBuilder &b) {
  std::optional<uint64_t> from = op.getFrom(), to = op.getTo();
  if (from && to)
    return between(b, *from, *to);
  if (to)
    return fromStart(b, *to);
  if (from)
    return toEnd(b, *from);
  Parts parts = unit(b, op.getOf());
  for (int64_t t = 0; t < chunk; ++t)
    parts = forward(b, index(b, loc, t), parts, 0, factors.size());
  return convert(b, loc, parts[op.getInto()], element);
}

struct LowerTransfer : OpRewritePattern<ChunkTransferOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ChunkTransferOp op,
                                PatternRewriter &b) const override {
    b.replaceOp(op, Transfer(b, op).create(b));
    return success();
  }
};
} // namespace

void qdelta::populateTransferToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerTransfer>(patterns.getContext());
}

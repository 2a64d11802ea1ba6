//===- VectorLog.cpp - log x and log(1 + x) of vectors --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// x = 2^e (1 + f) with f from -1/3 to 1/3, so that log x = e log 2 + log(1 +
// f). What is left of x's bits less those of 2/3, exponent alone, is e:
// exactly, as a number, times 2^23. For log(1 + x) the exponent is that of the
// rounded sum, and f = x / 2^e + (1 / 2^e - 1) has nothing of its error. The
// polynomial is fitted to (log(1 + f) - f + f^2 / 2) / f^3 for the least
// relative error of the whole, 2^-27.
//
//===----------------------------------------------------------------------===//

#include "VectorFunctions.h"
#include "VectorMath.h"
#include "VectorRanges.h"

#include <limits>

using namespace mlir;
using namespace qdelta;

namespace {
constexpr uint32_t kTwoThirds = 0x3f2aaaab, kExponent = 0xff800000,
                   kOne = 0x3f800000, kLeastNormal = 0x00800000;

class LogOf {
public:
  LogOf(OpBuilder &b, Operation *op)
      : x(op->getOperand(0)), loc(op->getLoc()), b(b),
        m(b, loc, cast<VectorType>(x.getType())) {}

  Value log();
  Value logOfOneMore();

private:
  Value exponentOf(Value bits) {
    Value above = m.make<arith::SubIOp>(bits, m.word(kTwoThirds));
    return m.make<arith::AndIOp>(above, m.word(kExponent));
  }
  Value sum(Value exponent, Value f);
  Value logOfNormal(Value numbers);
  Value logOfAny(Value numbers);
  Value unlessLess(Value numbers, Value result);
  /// Whether numbers are not from 2^-126 to `end`, by their bits.
  Value isOutside(Value bits, uint32_t end) {
    Value above = m.make<arith::SubIOp>(bits, m.word(kLeastNormal));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, above,
                                 m.word(end - kLeastNormal));
  }
  Value choose(arith::CmpFPredicate predicate, Value numbers, float than,
               Value result, Value other) {
    Value is =
        arith::CmpFOp::create(b, loc, predicate, numbers, m.number(than));
    return arith::SelectOp::create(b, loc, is, result, other);
  }

  Value x;
  Location loc;
  OpBuilder &b;
  VectorMath m;
};

/// e log 2 + log(1 + f).
Value LogOf::sum(Value exponent, Value f) {
  Value square = m.make<arith::MulFOp>(f, f);
  // Two chains are half as long as one.
  Value even = m.polynomial(
      square, {0.33333216f, 0.20010406f, 0.14005863f, 0.13984467f});
  Value odd = m.polynomial(
      square, {-0.24999798f, -0.16680488f, -0.12184257f, -0.12891706f});
  Value sum = m.fma(m.fma(odd, f, even), f, m.number(-0.5f));
  sum = m.fma(sum, square, f);
  Value e = arith::SIToFPOp::create(b, loc, f.getType(), exponent);
  return m.fma(e, m.number(0x1.62e430p-24f), sum); // log 2 / 2^23
}

Value LogOf::logOfNormal(Value numbers) {
  Value bits = m.bitsOf(numbers), exponent = exponentOf(bits);
  Value mantissa = m.numbersOf(m.make<arith::SubIOp>(bits, exponent));
  return sum(exponent, m.make<arith::SubFOp>(mantissa, m.number(1.0f)));
}

/// Of zeros, subnormal and negative numbers, infinities and NaN too.
Value LogOf::logOfAny(Value numbers) {
  Value larger = m.make<arith::MulFOp>(numbers, m.number(0x1p23f));
  Value less = m.make<arith::SubFOp>(logOfNormal(larger),
                                     m.number(0x1.fe2804p+3f)); // 23 log 2
  Value result = choose(arith::CmpFPredicate::OLT, numbers, 0x1p-126f, less,
                        logOfNormal(numbers));
  return unlessLess(numbers, result);
}

/// `result`, but -inf for 0, NaN for less, and infinity and NaN for themselves.
Value LogOf::unlessLess(Value numbers, Value result) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  result =
      choose(arith::CmpFPredicate::UGE, numbers, kInfinity, numbers, result);
  result = choose(arith::CmpFPredicate::OEQ, numbers, 0.0f,
                  m.number(-kInfinity), result);
  return choose(arith::CmpFPredicate::OLT, numbers, 0.0f, m.number(kNaN),
                result);
}

Value LogOf::log() {
  Value isRare = isOutside(m.bitsOf(x), kExponent & INT32_MAX);
  return m
      .exceptWhere(isRare, logOfNormal(x),
                   [&] { return SmallVector<Value>{logOfAny(x)}; })
      .front();
}

Value LogOf::logOfOneMore() {
  Value one = m.number(1.0f), more = m.make<arith::AddFOp>(x, one);
  Value bits = m.bitsOf(more), exponent = exponentOf(bits);
  Value by = m.numbersOf(m.make<arith::SubIOp>(m.word(kOne), exponent));
  Value f = m.fma(x, by, m.make<arith::SubFOp>(by, one));
  if (rangeOf(x).isWithin(0.0f, 0x1p125f))
    return sum(exponent, f);
  // From 2^126 on there may be no 1 / 2^e; and 1 is nothing to add.
  Value isRare = isOutside(bits, kOne + (126u << 23));
  return m
      .exceptWhere(isRare, sum(exponent, f),
                   [&] { return SmallVector<Value>{logOfAny(more)}; })
      .front();
}

template <typename Op, Value (LogOf::*kMake)()>
struct ExpandLog : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &b) const override {
    if (!isOfFloatVector(op))
      return failure();
    b.replaceOp(op, (LogOf(b, op).*kMake)());
    return success();
  }
};
} // namespace

void qdelta::populateVectorLogPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandLog<math::LogOp, &LogOf::log>,
               ExpandLog<math::Log1pOp, &LogOf::logOfOneMore>>(
      patterns.getContext(), /*benefit=*/2);
}

//===- VectorExp.cpp - e^x of vectors -------------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// e^x = 2^n e^r with the integer n nearest to x / log 2 and |r| at most half of
// log 2. Adding 1.5 * 2^23 to a number rounds it to an integer and leaves that
// integer in the lowest bits; with 126 on top, these bits, moved to where the
// exponent stands, are 2^(n-1): no conversion is needed. For n = -126 they are
// 0. The other 2 is in the polynomial, as 2^128 is no number. Its coefficients
// are fitted to 2 e^r for the least relative error, 2^-28. Log 2 comes in two
// parts, of which the first times n is exact (Cephes library, S. L. Moshier).
//
// Where the ops that make x tell that it is within 0.41 of 0, n would hardly be
// anything but 0: e^x is a polynomial, fitted for the least relative error,
// 2^-26.
//
//===----------------------------------------------------------------------===//

#include "VectorFunctions.h"
#include "VectorMath.h"
#include "VectorRanges.h"

#include <cmath>

using namespace mlir;
using namespace qdelta;

static constexpr float kLeastFactor = 0x1p-10f;

namespace {
/// e^x of numbers within 0.41 of 0. A factor of x is one of the coefficients,
/// unless its sixth power is far from 1.
Value nearZero(VectorMath &m, Value x) {
  double power = 1.0, factor = 1.0;
  if (auto product = x.getDefiningOp<arith::MulFOp>())
    for (auto [times, other] : {std::pair(product.getLhs(), product.getRhs()),
                                std::pair(product.getRhs(), product.getLhs())})
      if (VectorRange range = rangeOf(times);
          range.low == range.high && std::abs(range.low) >= kLeastFactor &&
          std::abs(range.low) <= 1 / kLeastFactor) {
        factor = range.low;
        x = other;
        break;
      }
  SmallVector<float> coefficients;
  for (double coefficient :
       {1.0, 1.0, 0.4999998211860657, 0.16666382551193237, 0.041670020669698715,
        0.008382786996662617, 0.0013785598566755652}) {
    coefficients.push_back(static_cast<float>(coefficient * power));
    power *= factor;
  }
  return m.polynomial(x, coefficients);
}

struct ExpandExp : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::ExpOp op,
                                PatternRewriter &b) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type || !type.getElementType().isF32())
      return failure();
    VectorMath m(b, op.getLoc(), type);
    if (rangeOf(op.getOperand()).isWithin(-0.41f, 0.41f)) {
      b.replaceOp(op, nearZero(m, op.getOperand()));
      return success();
    }
    // A NaN is not beyond the bound.
    auto bounded = [&](Value x, arith::CmpFPredicate isWithin, float bound) {
      Value limit = m.number(bound);
      Value within = arith::CmpFOp::create(b, op.getLoc(), isWithin, x, limit);
      return arith::SelectOp::create(b, op.getLoc(), within, x, limit)
          .getResult();
    };
    Value x = bounded(op.getOperand(), arith::CmpFPredicate::UGE, -87.6f);
    x = bounded(x, arith::CmpFPredicate::ULE, 89.0f);

    Value shift = m.number(0x1.8p23f + 126.0f);
    Value rounded = m.fma(x, m.number(1.44269504f), shift);
    Value n = m.make<arith::SubFOp>(rounded, shift);
    Value r = m.fma(n, m.number(-0.693359375f), x);
    r = m.fma(n, m.number(2.12194440e-4f), r);

    Value power = m.make<arith::ShLIOp>(m.bitsOf(rounded), m.word(23));
    Value twice = m.polynomial(r, {2.0f, 2.0f, 0.99999986f, 0.33333042f,
                                   0.08333678f, 0.01673744f, 0.00276292f});
    b.replaceOpWithNewOp<arith::MulFOp>(op, twice, m.numbersOf(power));
    return success();
  }
};
} // namespace

void qdelta::populateVectorExpPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandExp>(patterns.getContext(), /*benefit=*/2);
}

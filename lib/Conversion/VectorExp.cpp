//===- VectorExp.cpp - e^x of vectors -------------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// e^x = 2^n e^r with the integer n nearest to x / log 2 and |r| at most half of
// log 2. Adding 1.5 * 2^23 to a number rounds it to an integer and leaves that
// integer in the lowest bits; with 127 on top, these bits, moved to where the
// exponent stands, are 2^n: no conversion is needed. For n = -127 they are 0.
// The polynomial for e^r is expf's of the Cephes library (S. L. Moshier), and
// so is log 2 in two parts, of which the first times n is exact.
//
//===----------------------------------------------------------------------===//

#include "VectorExp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qdelta;

namespace {
struct ExpandExp : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::ExpOp op,
                                PatternRewriter &b) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type || !type.getElementType().isF32())
      return failure();
    Location loc = op.getLoc();
    auto number = [&](float value) -> Value {
      return arith::ConstantOp::create(
          b, loc, DenseElementsAttr::get(type, APFloat(value)));
    };
    auto fma = [&](Value lhs, Value rhs, Value sum) -> Value {
      return math::FmaOp::create(b, loc, lhs, rhs, sum);
    };
    // A NaN is not beyond the bound.
    auto bounded = [&](Value x, arith::CmpFPredicate isWithin, float bound) {
      Value limit = number(bound);
      Value within = arith::CmpFOp::create(b, loc, isWithin, x, limit);
      return arith::SelectOp::create(b, loc, within, x, limit).getResult();
    };
    Value x = bounded(op.getOperand(), arith::CmpFPredicate::UGE, -87.8f);
    x = bounded(x, arith::CmpFPredicate::ULE, 89.0f);

    constexpr float kShift = 0x1.8p23f + 127.0f;
    Value shift = number(kShift);
    Value rounded = fma(x, number(1.44269504f), shift);
    // 2^128 is no number; e^r is above 1.4 instead.
    rounded = bounded(rounded, arith::CmpFPredicate::ULE, kShift + 127.0f);
    Value n = arith::SubFOp::create(b, loc, rounded, shift);
    Value r = fma(n, number(-0.693359375f), x);
    r = fma(n, number(2.12194440e-4f), r);

    Value sum = number(1.9875691500e-4f);
    for (float coefficient : {1.3981999507e-3f, 8.3334519073e-3f,
                              4.1665795894e-2f, 1.6666665459e-1f, 0.5f})
      sum = fma(sum, r, number(coefficient));
    sum = fma(sum, arith::MulFOp::create(b, loc, r, r), r);
    sum = arith::AddFOp::create(b, loc, sum, number(1.0f));

    VectorType bits = type.clone(b.getI32Type());
    Value power = arith::BitcastOp::create(b, loc, bits, rounded);
    Value places = arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(bits, b.getI32IntegerAttr(23)));
    power = arith::ShLIOp::create(b, loc, power, places);
    power = arith::BitcastOp::create(b, loc, type, power);
    b.replaceOpWithNewOp<arith::MulFOp>(op, sum, power);
    return success();
  }
};
} // namespace

void qdelta::populateVectorExpPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandExp>(patterns.getContext(), /*benefit=*/2);
}

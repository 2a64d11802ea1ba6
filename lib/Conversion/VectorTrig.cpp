//===- VectorTrig.cpp - sin x and cos x of vectors ------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// x = n pi / 2 + r with the integer n nearest to x / (pi / 2), which adding
// 1.5 * 2^23 leaves in the lowest bits. Pi / 2 comes in three numbers: x less n
// times the first one is exact up to |n| = 2^21, and what the other two leave
// out is below 2^-70 n. Whether n is odd says which of sin r and cos r it is,
// the next bit its sign. The polynomials are fitted for the least relative
// error, 2^-28 and less.
//
// Larger numbers are multiplied by those bits of 2 / pi that make a difference,
// lane by lane (M. H. Payne and R. N. Hanek, Radian reduction for trigonometric
// functions, SIGNUM Newsletter 18, 1983).
//
//===----------------------------------------------------------------------===//

#include "VectorFunctions.h"
#include "VectorMath.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qdelta;

namespace {
/// 32 bits of 2 / pi from bit 8 i - 24 after the point on, for each i.
constexpr uint32_t kTwoOverPi[] = {
    0x000000a2, 0x0000a2f9, 0x00a2f983, 0xa2f9836e, 0xf9836e4e, 0x836e4e44,
    0x6e4e4415, 0x4e441529, 0x441529fc, 0x1529fc27, 0x29fc2757, 0xfc2757d1,
    0x2757d1f5, 0x57d1f534, 0xd1f534dd, 0xf534ddc0, 0x34ddc0db, 0xddc0db62,
    0xc0db6295, 0xdb629599, 0x6295993c, 0x95993c43, 0x993c4390, 0x3c439041};

class TrigOf {
public:
  TrigOf(OpBuilder &b, Location loc, Value x)
      : b(b), loc(loc), x(x), type(cast<VectorType>(x.getType())),
        m(b, loc, type) {}

  void reduce();
  /// sin x, or cos x = sin(x + pi / 2), with `quarter` of 0 or 1.
  Value create(uint32_t quarter);

private:
  SmallVector<Value> reduceLarge();
  std::pair<Value, Value> reduceLane(Value number);
  Value word(uint32_t value) {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }
  Value longWord(uint64_t value) {
    return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  }
  /// A number of 32 bits times entry i of the table.
  Value product(Value number, Value i) {
    auto words = VectorType::get({std::size(kTwoOverPi)}, b.getI32Type());
    Value table = arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(words, ArrayRef(kTwoOverPi)));
    Value at = arith::IndexCastOp::create(b, loc, b.getIndexType(), i);
    Value entry = arith::ExtUIOp::create(
        b, loc, b.getI64Type(), vector::ExtractOp::create(b, loc, table, at));
    return m.make<arith::MulIOp>(number, entry);
  }

  OpBuilder &b;
  Location loc;
  Value x;
  VectorType type;
  VectorMath m;
  /// x less quarters of a circle, and in the lowest bits how many.
  Value rest, quarters;
};

void TrigOf::reduce() {
  Value shift = m.number(0x1.8p23f);
  Value rounded = m.fma(x, m.number(0x1.45f306p-1f), shift);
  Value n = m.make<arith::SubFOp>(rounded, shift);
  Value r = m.fma(n, m.number(-0x1.921fb6p0f), x);
  r = m.fma(n, m.number(0x1.777a5cp-25f), r);
  r = m.fma(n, m.number(0x1.ee59dap-50f), r);
  Value size = math::AbsFOp::create(b, loc, x);
  Value isRare = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UGT, size,
                                       m.number(0x1p20f));
  SmallVector<Value> both = m.exceptWhere(isRare, {r, m.bitsOf(rounded)},
                                          [&] { return reduceLarge(); });
  rest = both[0], quarters = both[1];
}

/// What `reduce` makes, of numbers from 8 on.
SmallVector<Value> TrigOf::reduceLarge() {
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  auto lanes = scf::ForOp::create(
      b, loc, index(0), index(type.getDimSize(0)), index(1),
      ValueRange{x, m.bitsOf(x)},
      [&](OpBuilder &, Location, Value lane, ValueRange made) {
        auto [r, n] = reduceLane(vector::ExtractOp::create(b, loc, x, lane));
        scf::YieldOp::create(
            b, loc,
            ValueRange{vector::InsertOp::create(b, loc, r, made[0], lane),
                       vector::InsertOp::create(b, loc, n, made[1], lane)});
      });
  return SmallVector<Value>(lanes.getResults());
}

/// The 64 bits of x / (pi / 2) from 2 bits before the point on are the sum of
/// three products of the 24 bits of x, of which the first one has some before
/// them and the last one some behind.
std::pair<Value, Value> TrigOf::reduceLane(Value number) {
  Type single = b.getI32Type(), twice = b.getI64Type(), real = b.getF64Type();
  Value bits = arith::BitcastOp::create(b, loc, single, number);
  Value exponent = m.make<arith::ShRUIOp>(bits, word(23));
  Value shift = m.make<arith::AndIOp>(exponent, word(7));
  Value i = m.make<arith::AndIOp>(m.make<arith::ShRUIOp>(exponent, word(3)),
                                  word(15));
  Value digits = m.make<arith::OrIOp>(
      m.make<arith::AndIOp>(bits, word(0x007fffff)), word(0x00800000));
  digits = arith::ExtUIOp::create(b, loc, twice,
                                  m.make<arith::ShLIOp>(digits, shift));
  Value sum = m.make<arith::ShLIOp>(product(digits, i), longWord(32));
  Value next = m.make<arith::AddIOp>(i, word(4));
  sum = m.make<arith::AddIOp>(sum, product(digits, next));
  next = m.make<arith::AddIOp>(i, word(8));
  sum = m.make<arith::AddIOp>(
      sum, m.make<arith::ShRUIOp>(product(digits, next), longWord(32)));

  Value n = m.make<arith::ShRUIOp>(
      m.make<arith::AddIOp>(sum, longWord(1ull << 61)), longWord(62));
  sum = m.make<arith::SubIOp>(sum, m.make<arith::ShLIOp>(n, longWord(62)));
  Value unit = arith::ConstantOp::create(
      b, loc, b.getF64FloatAttr(0x1.921fb54442d18p-62)); // pi / 2^63
  Value r =
      m.make<arith::MulFOp>(arith::SIToFPOp::create(b, loc, real, sum), unit);
  r = arith::TruncFOp::create(b, loc, b.getF32Type(), r);
  n = arith::TruncIOp::create(b, loc, single, n);
  Value isLess =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, bits, word(0));
  r = arith::SelectOp::create(b, loc, isLess, arith::NegFOp::create(b, loc, r),
                              r);
  n = arith::SelectOp::create(b, loc, isLess, m.make<arith::SubIOp>(word(0), n),
                              n);
  // NaN for infinities and NaN.
  r = m.make<arith::AddFOp>(r, m.make<arith::SubFOp>(number, number));
  return {r, n};
}

Value TrigOf::create(uint32_t quarter) {
  Value square = m.make<arith::MulFOp>(rest, rest);
  Value sine = m.polynomial(square, {-0.16666655f, 0.00833216f, -0.00019515f});
  sine = m.fma(m.make<arith::MulFOp>(rest, square), sine, rest);
  Value cosine = m.polynomial(
      square, {1.0f, -0.5f, 4.16666456e-2f, -1.38873131e-3f, 2.44327845e-5f});
  Value odd = m.make<arith::AndIOp>(quarters, m.word(1));
  Value isSine =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, odd, m.word(0));
  Value size = quarter ? arith::SelectOp::create(b, loc, isSine, cosine, sine)
                       : arith::SelectOp::create(b, loc, isSine, sine, cosine);
  Value turned = quarters;
  if (quarter)
    turned = m.make<arith::AddIOp>(quarters, m.word(quarter));
  Value sign = m.make<arith::AndIOp>(m.make<arith::ShLIOp>(turned, m.word(30)),
                                     m.word(0x80000000));
  return m.numbersOf(m.make<arith::XOrIOp>(m.bitsOf(size), sign));
}

/// The sine and the cosine of one number have most of it in common.
template <typename Op, typename Other, uint32_t kQuarter>
struct ExpandTrig : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &b) const override {
    if (!isOfFloatVector(op))
      return failure();
    Other other;
    for (Operation *user : op.getOperand().getUsers())
      if (auto found = dyn_cast<Other>(user);
          found && user->getBlock() == op->getBlock())
        other = found;
    if (other && other->isBeforeInBlock(op))
      b.setInsertionPoint(other);
    TrigOf trig(b, op.getLoc(), op.getOperand());
    trig.reduce();
    Value made = trig.create(kQuarter);
    if (other)
      b.replaceOp(other, trig.create(1 - kQuarter));
    b.replaceOp(op, made);
    return success();
  }
};
} // namespace

void qdelta::populateVectorTrigPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandTrig<math::SinOp, math::CosOp, 0>,
               ExpandTrig<math::CosOp, math::SinOp, 1>>(patterns.getContext(),
                                                        /*benefit=*/2);
}

//===- VectorRanges.cpp - what numbers of vectors lie between -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "VectorRanges.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace qdelta;

/// Whether a quotient is x / (c + |x|) with a number c >= 0. Rounded or not,
/// the divisor is at least as large as |x|.
static bool isShare(arith::DivFOp quotient) {
  auto sum = quotient.getRhs().getDefiningOp<arith::AddFOp>();
  if (!sum)
    return false;
  auto isSize = [&](Value value) {
    auto size = value.getDefiningOp<math::AbsFOp>();
    return size && size.getOperand() == quotient.getLhs();
  };
  return (isSize(sum.getLhs()) && rangeOf(sum.getRhs()).low >= 0) ||
         (isSize(sum.getRhs()) && rangeOf(sum.getLhs()).low >= 0);
}

/// Rounding keeps the order of numbers, so the bounds' products are bounds.
static VectorRange product(VectorRange lhs, VectorRange rhs) {
  float products[] = {lhs.low * rhs.low, lhs.low * rhs.high, lhs.high * rhs.low,
                      lhs.high * rhs.high};
  if (!std::all_of(std::begin(products), std::end(products),
                   [](float value) { return std::isfinite(value); }))
    return {};
  auto [low, high] =
      std::minmax_element(std::begin(products), std::end(products));
  return {*low, *high};
}

VectorRange qdelta::rangeOf(Value value) {
  DenseFPElementsAttr constant;
  if (matchPattern(value, m_Constant(&constant))) {
    if (!constant.isSplat() || !constant.getElementType().isF32())
      return {};
    float number = constant.getSplatValue<float>();
    return std::isnan(number) ? VectorRange{} : VectorRange{number, number};
  }
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  if (auto negated = dyn_cast<arith::NegFOp>(op)) {
    VectorRange of = rangeOf(negated.getOperand());
    return {-of.high, -of.low};
  }
  if (auto size = dyn_cast<math::AbsFOp>(op)) {
    VectorRange of = rangeOf(size.getOperand());
    return {0.0f, std::max(std::abs(of.low), std::abs(of.high))};
  }
  if (auto times = dyn_cast<arith::MulFOp>(op))
    return product(rangeOf(times.getLhs()), rangeOf(times.getRhs()));
  // Within an ulp of 1 at most.
  if (auto exp = dyn_cast<math::ExpOp>(op);
      exp && rangeOf(exp.getOperand()).high <= 0)
    return {0.0f, 1.0f + 0x1p-23f};
  if (auto quotient = dyn_cast<arith::DivFOp>(op);
      quotient && isShare(quotient))
    return {-1.0f, 1.0f};
  return {};
}

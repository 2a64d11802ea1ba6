//===- ValueRanges.cpp - what a step's numbers lie between ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ValueRanges.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace qdelta;
using Range = Interval;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr Range kAnything = {-kInfinity, kInfinity};

/// The smallest range with all of some numbers.
static Range around(std::initializer_list<double> numbers) {
  return {std::min(numbers), std::max(numbers)};
}

static Range operator+(Range l, Range r) {
  return {l.low + r.low, l.high + r.high};
}
static Range operator-(Range x) { return {-x.high, -x.low}; }

/// Zero times infinity stands for zero times what has no bound.
static double multiply(double l, double r) {
  return l == 0 || r == 0 ? 0 : l * r;
}
static Range operator*(Range l, Range r) {
  return around({multiply(l.low, r.low), multiply(l.low, r.high),
                 multiply(l.high, r.low), multiply(l.high, r.high)});
}

/// 1 / x of numbers of one sign; a zero is taken as the limit from its side.
static Range inverse(Range x) {
  if (x.low >= 0)
    return {1 / x.high, x.low == 0 ? kInfinity : 1 / x.low};
  if (x.high <= 0)
    return -inverse(-x);
  return kAnything;
}

static Range absolute(Range x) {
  double high = std::max(-x.low, x.high);
  if (x.low <= 0 && x.high >= 0)
    return {0, high};
  return {std::min(std::abs(x.low), std::abs(x.high)), high};
}

static Range join(Range l, Range r) {
  return {std::min(l.low, r.low), std::max(l.high, r.high)};
}

/// A function that does not decrease, of numbers from `least` on.
static Range mapped(Range x, double (*function)(double), double least) {
  if (x.low < least)
    return kAnything;
  return {function(x.low), function(x.high)};
}

/// What an argument's domains say of it.
static Range rangeOfArgument(RecurrenceOp recurrence, BlockArgument arg) {
  auto domains =
      cast<DictionaryAttr>(recurrence.getArgAttrs()[arg.getArgNumber()]);
  Range known = kAnything;
  auto limit = [&](Range to) {
    known = {std::max(known.low, to.low), std::min(known.high, to.high)};
  };
  if (domains.contains("qdelta.unit"))
    limit({-1, 1});
  if (domains.contains("qdelta.log_decay"))
    limit({-kInfinity, 0});
  if (auto range = domains.getAs<ArrayAttr>("qdelta.range"))
    limit({cast<FloatAttr>(range[0]).getValueAsDouble(),
           cast<FloatAttr>(range[1]).getValueAsDouble()});
  return known;
}

static Range rangeOfConstant(arith::ConstantOp op) {
  FloatAttr number;
  if (auto dense = dyn_cast<SplatElementsAttr>(op.getValue()))
    number = dyn_cast<FloatAttr>(dense.getSplatValue<Attribute>());
  else
    number = dyn_cast<FloatAttr>(op.getValue());
  if (!number)
    return kAnything;
  double value = number.getValueAsDouble();
  return std::isnan(value) ? kAnything : Range{value, value};
}

namespace {
class Ranges {
public:
  explicit Ranges(RecurrenceOp recurrence) : recurrence(recurrence) {}

  Range of(Value value) {
    if (auto arg = dyn_cast<BlockArgument>(value))
      return rangeOfArgument(recurrence, arg);
    auto found = known.find(value);
    if (found != known.end())
      return found->second;
    Range range = make(value.getDefiningOp());
    // Of opposite infinities: no number.
    if (std::isnan(range.low) || std::isnan(range.high))
      range = kAnything;
    return known[value] = range;
  }

private:
  Range make(Operation *op);

  RecurrenceOp recurrence;
  llvm::DenseMap<Value, Range> known;
};
} // namespace

Range Ranges::make(Operation *op) {
  auto at = [&](unsigned operand) { return of(op->getOperand(operand)); };
  return llvm::TypeSwitch<Operation *, Range>(op)
      .Case(
          [](arith::ConstantOp constant) { return rangeOfConstant(constant); })
      .Case<SplatOp, MeanOp, arith::ExtFOp>([&](auto) { return at(0); })
      .Case([&](arith::NegFOp) { return -at(0); })
      .Case([&](arith::AddFOp) { return at(0) + at(1); })
      .Case([&](arith::SubFOp) { return at(0) + -at(1); })
      .Case([&](arith::DivFOp) { return at(0) * inverse(at(1)); })
      .Case<arith::MulFOp, ScaleOp>([&](Operation *product) {
        // A square is of one number.
        Range range = at(0) * at(1);
        if (product->getOperand(0) == product->getOperand(1))
          range.low = std::max(range.low, 0.0);
        return range;
      })
      .Case([&](arith::MaximumFOp) {
        return Range{std::max(at(0).low, at(1).low),
                     std::max(at(0).high, at(1).high)};
      })
      .Case([&](arith::MinimumFOp) {
        return Range{std::min(at(0).low, at(1).low),
                     std::min(at(0).high, at(1).high)};
      })
      // Of NaN and a number these give the number.
      .Case<arith::MaxNumFOp, arith::MinNumFOp>(
          [&](auto) { return join(at(0), at(1)); })
      .Case([&](arith::SelectOp) { return join(at(1), at(2)); })
      .Case([&](math::AbsFOp) { return absolute(at(0)); })
      .Case([&](math::ExpOp) { return mapped(at(0), std::exp, -kInfinity); })
      .Case([&](math::TanhOp) { return mapped(at(0), std::tanh, -kInfinity); })
      .Case([&](math::LogOp) { return mapped(at(0), std::log, 0); })
      .Case([&](math::Log1pOp) { return mapped(at(0), std::log1p, -1); })
      .Case([&](math::SqrtOp) { return mapped(at(0), std::sqrt, 0); })
      .Case([&](math::RsqrtOp) { return inverse(mapped(at(0), std::sqrt, 0)); })
      .Default(kAnything);
}

Range qdelta::findRange(RecurrenceOp recurrence, Value value) {
  return Ranges(recurrence).of(value);
}

std::optional<double> qdelta::findLogLowerBound(RecurrenceOp recurrence,
                                                Value log) {
  Range range = findRange(recurrence, log);
  if (std::isinf(range.low) || range.low > 0 || range.high > 0)
    return std::nullopt;
  return range.low;
}

//===- Scalar.h - what the interpreter asks of a scalar type ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_REFERENCE_SCALAR_H
#define QDELTA_LIB_REFERENCE_SCALAR_H

#include "qdelta/Reference/Exact.h"

#include "llvm/ADT/APFloat.h"

#include <cmath>
#include <limits>

namespace qdelta::reference {

/// The functions of one number that token-local code may use.
enum class Function {
  Abs,
  Cos,
  Erf,
  Exp,
  Exp2,
  ExpM1,
  Log,
  Log1p,
  Log2,
  Rsqrt,
  Sin,
  Sqrt,
  Tanh,
  Power
};

enum class Order { Less, Equal, Greater, Unordered };

/// Everything beyond + - * / that the interpreter does with a number. The
/// primary template is for float, double and long double.
template <typename Scalar>
struct ScalarTraits {
  static Scalar integer(int64_t value) { return static_cast<Scalar>(value); }
  static Scalar real(double value) { return static_cast<Scalar>(value); }
  static Scalar poison() { return std::numeric_limits<Scalar>::quiet_NaN(); }
  static bool isPoison(Scalar x) { return std::isnan(x); }
  static Order order(Scalar a, Scalar b) {
    if (std::isnan(a) || std::isnan(b))
      return Order::Unordered;
    return a < b ? Order::Less : a > b ? Order::Greater : Order::Equal;
  }
  /// The order that max and min go by: it has to be total.
  static Order extremumOrder(Scalar a, Scalar b) { return order(a, b); }
  static Scalar fma(Scalar a, Scalar b, Scalar c) { return std::fma(a, b, c); }
  static Scalar power(Scalar a, Scalar b) { return std::pow(a, b); }
  static Scalar apply(Function function, Scalar x) {
    switch (function) {
    case Function::Abs:
      return std::fabs(x);
    case Function::Cos:
      return std::cos(x);
    case Function::Erf:
      return std::erf(x);
    case Function::Exp:
      return std::exp(x);
    case Function::Exp2:
      return std::exp2(x);
    case Function::ExpM1:
      return std::expm1(x);
    case Function::Log:
      return std::log(x);
    case Function::Log1p:
      return std::log1p(x);
    case Function::Log2:
      return std::log2(x);
    case Function::Rsqrt:
      return Scalar(1) / std::sqrt(x);
    case Function::Sin:
      return std::sin(x);
    case Function::Sqrt:
      return std::sqrt(x);
    case Function::Tanh:
      return std::tanh(x);
    case Function::Power:
      break;
    }
    return poison();
  }
};

template <>
struct ScalarTraits<Exact> {
  static Exact integer(int64_t value) { return Exact(value); }
  static Exact real(double value) { return Exact::fromDouble(value); }
  static Exact poison() { return Exact::poison(); }
  static bool isPoison(Exact x) { return x.isPoison(); }
  /// Pseudo-random, but antisymmetric, and -inf and 0 stand before all others.
  /// Not transitive on purpose: in a total order, a test for a number outside
  /// a range could be true for every number.
  static Order order(Exact a, Exact b) {
    if (a.isPoison() || b.isPoison())
      return Order::Unordered;
    if (a == b)
      return Order::Equal;
    if (a.isMinusInfinity() || b.isMinusInfinity())
      return a.isMinusInfinity() ? Order::Less : Order::Greater;
    if (a.isZero() || b.isZero())
      return a.isZero() ? Order::Less : Order::Greater;
    bool swapped = a.field() > b.field();
    uint64_t outcome = swapped ? Exact::opaque(0, {b, a}).rank()
                               : Exact::opaque(0, {a, b}).rank();
    return ((outcome >> 32 & 1) != 0) == swapped ? Order::Less : Order::Greater;
  }
  /// Total, and -inf and 0 stand before all others here, too.
  static Order extremumOrder(Exact a, Exact b) {
    if (a.isPoison() || b.isPoison())
      return Order::Unordered;
    if (a.isMinusInfinity() || b.isMinusInfinity())
      return a.isMinusInfinity() ? Order::Less : Order::Greater;
    if (a.isZero() || b.isZero())
      return a.isZero() ? Order::Less : Order::Greater;
    return a.rank() < b.rank() ? Order::Less : Order::Greater;
  }
  static Exact fma(Exact a, Exact b, Exact c) { return a * b + c; }
  static Exact power(Exact a, Exact b) {
    return Exact::opaque(static_cast<uint64_t>(Function::Power), {a, b});
  }
  static Exact apply(Function function, Exact x) {
    if (function == Function::Exp)
      return exp(x);
    if (function == Function::ExpM1)
      return exp(x) - Exact(1);
    return Exact::opaque(static_cast<uint64_t>(function), {x});
  }
};

template <typename Scalar>
bool isZero(Scalar x) {
  return x == ScalarTraits<Scalar>::integer(0);
}

template <typename Scalar>
Scalar exponential(Scalar x) {
  return ScalarTraits<Scalar>::apply(Function::Exp, x);
}

} // namespace qdelta::reference

#endif // QDELTA_LIB_REFERENCE_SCALAR_H

//===- Exact.h - numbers without rounding: a prime field --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_REFERENCE_EXACT_H
#define QDELTA_REFERENCE_EXACT_H

#include <cstdint>
#include <initializer_list>

namespace qdelta::reference {

/// One hidden number, known by its residues modulo the prime P = 2^61 - 1 (the
/// field) and modulo P - 1 (the exponents). Sums and products are exact in
/// both rings. `exp` sends the second residue into the field, e^x = G^x with G
/// a generator, so e^(a+b) = e^a e^b holds exactly. Any other function is one
/// fixed pseudo-random ("opaque") function of its argument's field residue.
///
/// Two programs that are equal as functions, by the laws of fields and of exp,
/// give equal field residues; two that are not differ at a random point but
/// for a chance of about their degree over P. Two special values stand beside
/// the residues: poison, which like NaN is absorbing and equals nothing, and
/// -inf, an ordinary log decay whose exp is 0.
class Exact {
public:
  static constexpr uint64_t kPrime = (uint64_t(1) << 61) - 1;
  static constexpr uint64_t kGenerator = 37;

  /// Zero.
  Exact() = default;
  /// The integer `value`.
  explicit Exact(int64_t value);

  /// The number with the two given residues; they are reduced first.
  static Exact fromResidues(uint64_t field, uint64_t exponent);
  /// A finite double is a dyadic rational and maps exactly into the field; its
  /// exponent residue is exact for integers. NaN is poison, +inf opaque.
  static Exact fromDouble(double value);
  static Exact poison() { return Exact(kPoison, 0); }
  static Exact minusInfinity() { return Exact(kMinusInfinity, 0); }
  /// A fixed pseudo-random function, chosen by `function`, of the arguments.
  static Exact opaque(uint64_t function,
                      std::initializer_list<Exact> arguments);
  /// A number that depends on the two seeds only.
  static Exact draw(uint64_t seed, uint64_t index);

  uint64_t field() const { return f; }
  uint64_t exponent() const { return e; }
  bool isPoison() const { return f == kPoison; }
  bool isMinusInfinity() const { return f == kMinusInfinity; }
  bool isZero() const { return f == 0; }
  /// The number's place in one fixed pseudo-random total order, in which -inf
  /// comes first. `max` and `min` of the interpreter go by it.
  uint64_t rank() const;

  /// Equal field residues; poison equals nothing.
  friend bool operator==(Exact a, Exact b) {
    return a.f == b.f && !a.isPoison();
  }
  friend Exact operator+(Exact a, Exact b) {
    if (a.isSpecial() || b.isSpecial())
      return addSpecial(a, b);
    return Exact(reduce(a.f + b.f, kPrime), reduce(a.e + b.e, kPrime - 1));
  }
  friend Exact operator*(Exact a, Exact b) {
    if (a.isSpecial() || b.isSpecial())
      return poison();
    return Exact(multiplyField(a.f, b.f), multiplyExponents(a.e, b.e));
  }
  friend Exact operator-(Exact a) {
    if (a.isSpecial())
      return poison();
    return Exact(a.f ? kPrime - a.f : 0, a.e ? kPrime - 1 - a.e : 0);
  }
  friend Exact operator-(Exact a, Exact b) {
    return b.isSpecial() ? poison() : a + (-b);
  }
  /// Division by zero is poison. Zero divided and division by one are exact in
  /// both residues; otherwise the exponent residue is opaque.
  friend Exact operator/(Exact a, Exact b);
  Exact &operator+=(Exact b) { return *this = *this + b; }
  Exact &operator*=(Exact b) { return *this = *this * b; }

  friend Exact exp(Exact x);
  /// 1 / x in the field; poison for zero.
  friend Exact inverse(Exact x);

private:
  static constexpr uint64_t kPoison = uint64_t(1) << 62;
  static constexpr uint64_t kMinusInfinity = kPoison + 1;

  Exact(uint64_t f, uint64_t e) : f(f), e(e) {}
  bool isSpecial() const { return f >= kPoison; }
  static Exact addSpecial(Exact a, Exact b);

  /// `value` < 2 `modulus` becomes a residue.
  static uint64_t reduce(uint64_t value, uint64_t modulus) {
    return value >= modulus ? value - modulus : value;
  }
  static uint64_t multiplyField(uint64_t a, uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    Wide product = Wide(a) * b; // 2^61 is 1 modulo P
    return reduce(uint64_t(product & kPrime) + uint64_t(product >> 61), kPrime);
  }
  static uint64_t multiplyExponents(uint64_t a, uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    Wide product = Wide(a) * b; // 2^61 is 2 modulo P - 1
    uint64_t once = uint64_t(product & kPrime) + 2 * uint64_t(product >> 61);
    return reduce((once & kPrime) + 2 * (once >> 61), kPrime - 1);
  }
  static uint64_t power(uint64_t base, uint64_t exponent);

  uint64_t f = 0, e = 0;
};

/// e^x, the homomorphism of the class comment; exp(0) is exactly 1.
Exact exp(Exact x);
Exact inverse(Exact x);
Exact operator/(Exact a, Exact b);

} // namespace qdelta::reference

#endif // QDELTA_REFERENCE_EXACT_H

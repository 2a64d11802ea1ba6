//===- Exact.cpp - numbers without rounding: a prime field ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Reference/Exact.h"

#include <cmath>
#include <cstring>

using namespace qdelta::reference;

/// The finaliser of splitmix64: every input bit reaches every output bit.
static uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

Exact::Exact(int64_t value) {
  uint64_t size = value < 0 ? -static_cast<uint64_t>(value) : value;
  *this = fromResidues(size, size);
  if (value < 0)
    *this = -*this;
}

Exact Exact::fromResidues(uint64_t field, uint64_t exponent) {
  return Exact(field % kPrime, exponent % (kPrime - 1));
}

Exact Exact::fromDouble(double value) {
  if (std::isnan(value))
    return poison();
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  if (std::isinf(value))
    return value < 0 ? minusInfinity() : draw(bits, 0);
  int scale;
  double fraction = std::frexp(value, &scale);
  Exact mantissa(static_cast<int64_t>(std::ldexp(fraction, 53)));
  scale -= 53;
  // 2^61 is 1 in the field, so a negative power of two is a positive one.
  uint64_t field = multiplyField(mantissa.f, power(2, (scale % 61 + 61) % 61));
  if (std::trunc(value) != value)
    return Exact(field, mix(bits) % (kPrime - 1));
  uint64_t exponent = mantissa.e;
  if (scale < 0)
    exponent = Exact(static_cast<int64_t>(std::ldexp(fraction, 53 + scale))).e;
  for (; scale > 0; --scale)
    exponent = reduce(2 * exponent, kPrime - 1);
  return Exact(field, exponent);
}

Exact Exact::opaque(uint64_t function, std::initializer_list<Exact> arguments) {
  uint64_t hash = mix(function);
  for (Exact argument : arguments) {
    if (argument.isPoison())
      return poison();
    hash = mix(hash ^ argument.f);
  }
  return draw(hash, function);
}

Exact Exact::draw(uint64_t seed, uint64_t index) {
  uint64_t first = mix(mix(seed) ^ index);
  return fromResidues(first, mix(first ^ 0x5851f42d4c957f2d));
}

uint64_t Exact::rank() const { return isMinusInfinity() ? 0 : mix(f) | 1; }

uint64_t Exact::power(uint64_t base, uint64_t exponent) {
  uint64_t result = 1;
  for (; exponent; exponent >>= 1, base = multiplyField(base, base))
    if (exponent & 1)
      result = multiplyField(result, base);
  return result;
}

Exact Exact::addSpecial(Exact a, Exact b) {
  return a.isPoison() || b.isPoison() ? poison() : minusInfinity();
}

namespace qdelta::reference {

Exact exp(Exact x) {
  if (x.isPoison())
    return x;
  if (x.isMinusInfinity())
    return Exact();
  if (x.e == 0)
    return Exact(1, 1);
  uint64_t field = Exact::power(Exact::kGenerator, x.e);
  return Exact(field, mix(field) % (Exact::kPrime - 1));
}

Exact inverse(Exact x) {
  if (x.isSpecial() || x.isZero())
    return Exact::poison();
  if (x.f == 1)
    return x;
  uint64_t field = Exact::power(x.f, Exact::kPrime - 2);
  return Exact(field, mix(field) % (Exact::kPrime - 1));
}

Exact operator/(Exact a, Exact b) {
  if (a.isSpecial() || b.isSpecial() || b.isZero())
    return Exact::poison();
  if (a.isZero() || b.f == 1)
    return a;
  uint64_t field = Exact::multiplyField(a.f, inverse(b).f);
  return Exact(field, mix(field) % (Exact::kPrime - 1));
}

} // namespace qdelta::reference

//===- ExactTest.cpp - the laws of the prime field ------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Reference/Exact.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using qdelta::reference::Exact;

namespace {
struct ExactLaws : testing::TestWithParam<int> {
  Exact a = Exact::draw(GetParam(), 0), b = Exact::draw(GetParam(), 1),
        c = Exact::draw(GetParam(), 2);
};

/// Equal in both residues.
void expectSame(Exact x, Exact y) {
  EXPECT_EQ(x.field(), y.field());
  EXPECT_EQ(x.exponent(), y.exponent());
}
} // namespace

TEST_P(ExactLaws, RingInBothResidues) {
  expectSame(a + b, b + a);
  expectSame((a + b) + c, a + (b + c));
  expectSame(a * b, b * a);
  expectSame((a * b) * c, a * (b * c));
  expectSame(a * (b + c), a * b + a * c);
  expectSame(a - b, a + (-b));
  expectSame(a - a, Exact());
  expectSame(a * Exact(1), a);
  expectSame(a * Exact(), Exact());
}

TEST_P(ExactLaws, ExpIsAHomomorphism) {
  EXPECT_TRUE(exp(a + b) == exp(a) * exp(b));
  EXPECT_TRUE(exp(a - b) == exp(a) / exp(b));
  EXPECT_TRUE(exp(-a) == inverse(exp(a)));
  EXPECT_TRUE(exp(a * b + a * c) == exp(a * b) * exp(a * c));
  EXPECT_FALSE(exp(a) == exp(b));
}

TEST_P(ExactLaws, Division) {
  EXPECT_TRUE(a * inverse(a) == Exact(1));
  EXPECT_TRUE(a / b * b == a);
  expectSame(a / Exact(1), a);
  expectSame(Exact() / a, Exact());
}

TEST_P(ExactLaws, OpaqueFunctionsAreFunctions) {
  EXPECT_TRUE(Exact::opaque(1, {a, b}) == Exact::opaque(1, {a, b}));
  EXPECT_FALSE(Exact::opaque(1, {a, b}) == Exact::opaque(1, {b, a}));
  EXPECT_FALSE(Exact::opaque(1, {a}) == Exact::opaque(2, {a}));
  EXPECT_FALSE(Exact::opaque(1, {a}) == Exact::opaque(1, {b}));
}

INSTANTIATE_TEST_SUITE_P(Draws, ExactLaws, testing::Range(0, 20));

TEST(Exact, ExpOfZeroIsOne) {
  expectSame(exp(Exact()), Exact(1));
  Exact x = Exact::draw(1, 1);
  expectSame(exp(x - x), Exact(1));
}

TEST(Exact, LargestResidues) {
  Exact most = Exact::fromResidues(Exact::kPrime - 1, Exact::kPrime - 2);
  expectSame(most, Exact(-1));
  expectSame(most * most, Exact(1));
  expectSame(most + Exact(1), Exact());
  expectSame(Exact::fromResidues(Exact::kPrime, Exact::kPrime - 1), Exact());
  expectSame(Exact(std::numeric_limits<int64_t>::min()) +
                 Exact(std::numeric_limits<int64_t>::max()),
             Exact(-1));
}

TEST(Exact, DoublesAreDyadicRationals) {
  expectSame(Exact::fromDouble(0.0), Exact());
  expectSame(Exact::fromDouble(-0.0), Exact());
  for (double value : {1.0, -1.0, 3.0, -7.0, 1e6, 9007199254740991.0})
    expectSame(Exact::fromDouble(value), Exact(static_cast<int64_t>(value)));
  expectSame(Exact::fromDouble(0x1p70),
             Exact::fromDouble(0x1p35) * Exact::fromDouble(0x1p35));
  for (double value : {0.5, 0.1, -0.375, 1e-300, 5e-324})
    EXPECT_TRUE(Exact::fromDouble(value) * Exact(8) ==
                Exact::fromDouble(value * 8));
  EXPECT_TRUE(Exact::fromDouble(0.1) * Exact::fromDouble(0x1p60) ==
              Exact::fromDouble(0.1 * 0x1p60));
}

TEST(Exact, MinusInfinityIsALogDecay) {
  Exact x = Exact::draw(1, 2);
  Exact erase = Exact::fromDouble(-std::numeric_limits<double>::infinity());
  expectSame(exp(erase), Exact());
  expectSame(exp(erase + x), Exact());
  EXPECT_TRUE(exp(erase - erase).isPoison());
  EXPECT_LT(erase.rank(), x.rank());
}

TEST(Exact, PoisonIsAbsorbingAndUnequal) {
  Exact x = Exact::draw(1, 3), poison = Exact::poison();
  for (Exact y : {poison + x, poison * x, x - poison, poison / x, exp(poison),
                  poison * Exact(), Exact::opaque(1, {x, poison}), x / Exact(),
                  inverse(Exact()),
                  Exact::fromDouble(std::numeric_limits<double>::quiet_NaN())})
    EXPECT_TRUE(y.isPoison());
  EXPECT_FALSE(poison == poison);
}

//===- ComparisonTest.cpp - the measure of an engine's error -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Comparison.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace qdelta::tools;

TEST(Comparison, RelativeError) {
  EXPECT_EQ(relativeError({3, 4}, {3, 4}), 0);
  EXPECT_DOUBLE_EQ(relativeError({3, 9}, {3, 4}), 1);
  EXPECT_EQ(relativeError({}, {}), 0);
  EXPECT_EQ(relativeError({0, 0}, {0, 0}), 0);
  EXPECT_EQ(relativeError({1e-30}, {0}), INFINITY);
}

TEST(Comparison, NotFinite) {
  EXPECT_EQ(relativeError({NAN, 1}, {2, 1}), INFINITY);
  EXPECT_EQ(relativeError({INFINITY, 1}, {2, 1}), INFINITY);
  EXPECT_EQ(relativeError({2, 1}, {NAN, 1}), INFINITY);
  EXPECT_EQ(relativeError({-INFINITY}, {INFINITY}), INFINITY);
  EXPECT_EQ(relativeError({NAN, INFINITY, 1}, {NAN, INFINITY, 1}), 0);
}

/// Compares one output of one element whose wanted value is 1.
static OutputError compareOne(double got, double loop, double allowed = 2) {
  std::vector<Argument> arguments = {{"o", QDELTA_ROLE_OUTPUT, {}}};
  Outputs wanted = {{{1}, {1}}};
  return compare(arguments, {{{1}, {got}}}, wanted, {{{1}, {loop}}}, wanted,
                 allowed)[0];
}

TEST(Comparison, TwiceTheLoop) {
  double e = 0x1p-20;
  EXPECT_TRUE(compareOne(1 + 2 * e, 1 + e).isRight());
  EXPECT_FALSE(compareOne(1 + 2.1 * e, 1 + e).isRight());
  EXPECT_TRUE(compareOne(1 + 4 * e, 1 + e, 4).isRight());
  EXPECT_FALSE(compareOne(1 + 4.1 * e, 1 + e, 4).isRight());
  EXPECT_DOUBLE_EQ(compareOne(1 + 2 * e, 1 + e).ratio(), 2);
}

TEST(Comparison, ExactLoop) {
  EXPECT_TRUE(compareOne(1 + 0x1p-23, 1).isRight());
  EXPECT_FALSE(compareOne(1 + 0x1p-22, 1).isRight());
  EXPECT_EQ(compareOne(1, 1).ratio(), 0);
}

TEST(Comparison, Narrow) {
  std::vector<Argument> arguments = {{"o", QDELTA_ROLE_OUTPUT, {}}};
  Outputs wanted = {{{1}, {1}}};
  for (auto [format, unit] :
       {std::pair(Format::BF16, 0x1p-8), std::pair(Format::F16, 0x1p-11),
        std::pair(Format::TF32, 0x1p-11)}) {
    auto isRight = [&](double got) {
      return compare(arguments, {{{1}, {got}}}, wanted, wanted, wanted, 2,
                     format)[0]
          .isRight();
    };
    EXPECT_TRUE(isRight(1 + unit));
    EXPECT_FALSE(isRight(1 + 1.1 * unit));
  }
  std::string text;
  llvm::raw_string_ostream os(text);
  printTable({}, os, Format::BF16);
  EXPECT_NE(text.find("  bf16 loop  "), std::string::npos);
}

TEST(Comparison, Doubles) {
  std::vector<Argument> arguments = {{"o", QDELTA_ROLE_OUTPUT, {}}};
  Outputs wanted = {{{1}, {1}}};
  auto isRight = [&](double got) {
    return compare(arguments, {{{1}, {got}}}, wanted, wanted, wanted, 2,
                   Format::F64)[0]
        .isRight();
  };
  EXPECT_TRUE(isRight(1 + 0x1p-52));
  EXPECT_FALSE(isRight(1 + 0x1p-51));
}

TEST(Comparison, Products) {
  EXPECT_EQ(productsOf("cpu", Format::F32), Format::F32);
  EXPECT_EQ(productsOf("scalar", Format::F32), Format::F32);
  EXPECT_EQ(productsOf("reference", Format::F32), Format::F32);
  EXPECT_EQ(productsOf("cpu", Format::F64), Format::F64);
  for (const char *engine : {"emulated", "cuda"}) {
    EXPECT_EQ(productsOf(engine, Format::F32), Format::TF32);
    EXPECT_EQ(productsOf(engine, Format::BF16), Format::BF16);
    EXPECT_EQ(productsOf(engine, Format::F16), Format::F16);
  }
}

TEST(Comparison, Table) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printTable({compareOne(1, 1 + 0x1p-20), compareOne(NAN, 1 + 0x1p-20)}, os);
  EXPECT_NE(text.find("right\n"), std::string::npos);
  EXPECT_NE(text.find("inf"), std::string::npos);
  EXPECT_NE(text.find("wrong\n"), std::string::npos);
}

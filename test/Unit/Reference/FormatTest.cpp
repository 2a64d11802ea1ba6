//===- FormatTest.cpp - narrow formats and the token loop in them ---------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "llvm/ADT/APFloat.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace qdelta::reference;

namespace {
constexpr Format narrow[] = {Format::BF16, Format::F16};

/// Rounding as LLVM does it.
float roundByLLVM(Format format, float x) {
  llvm::APFloat number(x);
  bool loses;
  number.convert(format == Format::BF16 ? llvm::APFloat::BFloat()
                                        : llvm::APFloat::IEEEhalf(),
                 llvm::APFloat::rmNearestTiesToEven, &loses);
  number.convert(llvm::APFloat::IEEEsingle(),
                 llvm::APFloat::rmNearestTiesToEven, &loses);
  return number.convertToFloat();
}
} // namespace

TEST(Format, Names) {
  for (Format format : {Format::F64, Format::F32, Format::BF16, Format::F16})
    EXPECT_EQ(findFormat(formatName(format)), format);
  EXPECT_EQ(formatName(Format::BF16), "bf16");
  EXPECT_EQ(findFormat("f8"), std::nullopt);
  // Nothing is stored in it.
  EXPECT_EQ(formatName(Format::TF32), "tf32");
  EXPECT_EQ(findFormat("tf32"), std::nullopt);
}

TEST(Format, EveryNumberIsItself) {
  for (Format format : narrow)
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      float x = fromBits(format, static_cast<uint16_t>(bits));
      if (std::isnan(x))
        EXPECT_TRUE(std::isnan(roundTo(format, x)));
      else
        EXPECT_EQ(toBits(format, x), bits);
    }
}

TEST(Format, RoundsAsLLVMDoes) {
  std::mt19937 random(1);
  for (Format format : narrow) {
    EXPECT_TRUE(std::isnan(roundTo(format, NAN)));
    auto check = [&](float x) {
      ASSERT_EQ(roundTo(format, x), roundByLLVM(format, x)) << x;
      ASSERT_EQ(std::signbit(roundTo(format, x)), std::signbit(x)) << x;
    };
    for (int i = 0; i < 200000; ++i) {
      auto x = llvm::bit_cast<float>(static_cast<uint32_t>(random()));
      if (!std::isnan(x))
        check(x);
    }
    // Numbers of the format, those between two, and their neighbours.
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      float low = fromBits(format, static_cast<uint16_t>(bits));
      float high = fromBits(format, static_cast<uint16_t>(bits + 1));
      if (!std::isfinite(low) || !std::isfinite(high))
        continue;
      float middle = low / 2 + high / 2;
      for (float x : {low, middle})
        for (float y :
             {x, std::nextafter(x, INFINITY), std::nextafter(x, -INFINITY)})
          check(y);
    }
    for (float x : {65519.9f, 65520.0f, 0x1.fep127f, 0x1.ffp127f,
                    std::numeric_limits<float>::max()})
      check(x);
  }
}

/// To nearest, halves away from zero, as cvt.rna.tf32.f32 does.
TEST(Format, RoundsToTF32) {
  auto r = [](float x) { return roundTo(Format::TF32, x); };
  EXPECT_TRUE(std::isnan(r(NAN)));
  EXPECT_EQ(r(INFINITY), INFINITY);
  EXPECT_EQ(r(-INFINITY), -INFINITY);
  EXPECT_EQ(r(std::numeric_limits<float>::max()), INFINITY);
  EXPECT_EQ(r(0x1.ffcp127f), 0x1.ffcp127f);
  EXPECT_EQ(r(0x1.ffcffep127f), 0x1.ffcp127f);
  EXPECT_EQ(r(0x1.ffep127f), INFINITY);
  EXPECT_TRUE(std::signbit(r(-0.0f)));
  // Multiples of the last place, halves between two, and their neighbours.
  for (int exponent : {-126, -20, -1, 0, 1, 90, 126})
    for (int n = 1024; n < 2048; ++n)
      for (float sign : {-1.0f, 1.0f}) {
        float x = std::ldexp(sign * static_cast<float>(n), exponent - 10);
        float next =
            std::ldexp(sign * static_cast<float>(n + 1), exponent - 10);
        float half = x + (next - x) / 2;
        ASSERT_EQ(r(x), x);
        ASSERT_EQ(r(half), next);
        ASSERT_EQ(r(std::nextafter(half, x)), x);
        ASSERT_EQ(r(std::nextafter(half, next)), next);
      }
  std::mt19937 random(2);
  std::uniform_real_distribution<float> draw(-2, 2);
  for (int i = 0; i < 100000; ++i) {
    float x = draw(random);
    ASSERT_LE(std::abs(r(x) - x), std::abs(x) * unitRoundoff(Format::TF32));
    ASSERT_EQ(r(r(x)), r(x));
  }
}

TEST(Format, Doubles) {
  EXPECT_EQ(roundTo(Format::F64, 1.0 / 3), 1.0 / 3);
  EXPECT_EQ(roundTo(Format::F32, 1.0 / 3), 1.0f / 3);
  EXPECT_EQ(roundTo(Format::BF16, 1 + 0x1p-8 + 0x1p-40), 1);
  EXPECT_EQ(formatBytes(Format::F64), 8);
}

TEST(Format, UnitRoundoff) {
  EXPECT_EQ(unitRoundoff(Format::TF32), 0x1p-11);
  for (Format format : narrow) {
    auto unit = static_cast<float>(unitRoundoff(format));
    EXPECT_EQ(roundTo(format, 1 + unit), 1);
    EXPECT_EQ(roundTo(format, std::nextafter(1 + unit, 2.0f)), 1 + 2 * unit);
  }
  EXPECT_EQ(1 + static_cast<float>(unitRoundoff(Format::F32)), 1);
}

/// p = read k; write k, beta (v - p); o = scale * read q, for K = V = 1.
TEST(TokenLoop, RoundsWhatIsMultiplied) {
  Program program(R"(
    qdelta.recurrence @delta(state %S: tensor<?x?xf32>)
        token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %beta: f32) param(%scale: f32) {
      %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
      %d = arith.subf %v, %p : tensor<?xf32>
      %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
      %Sw = qdelta.write %S key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
      %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
      %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
      qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
    })");
  auto recurrence =
      program.module().lookupSymbol<qdelta::RecurrenceOp>("delta");
  ASSERT_TRUE(recurrence);
  auto tensor = [](std::vector<int64_t> shape, float x) {
    return Tensor<float>{std::move(shape), {x, x * 1.1f}};
  };
  std::vector<Tensor<float>> in{
      tensor({1, 2, 1, 1}, 0.7f),  tensor({1, 2, 1, 1}, 0.9f),
      tensor({1, 2, 1, 1}, 1.3f),  tensor({1, 2, 1}, 0.37f),
      Tensor<float>{{1}, {0.61f}}, Tensor<float>{{1, 1, 1, 1}, {0.23f}}};
  for (Format format : {Format::F32, Format::BF16, Format::F16, Format::TF32}) {
    auto found = evaluateTokenLoop(recurrence, in, format);
    ASSERT_TRUE(static_cast<bool>(found));
    ASSERT_EQ(found->size(), 2u);
    auto r = [&](float x) { return roundTo(format, x); };
    float S = 0.23f;
    for (int t = 0; t < 2; ++t) {
      float k = r(in[1].data[t]);
      float e = (in[2].data[t] - k * r(S)) * in[3].data[t];
      S += k * r(e);
      float o = r(in[0].data[t]) * r(S) * 0.61f;
      // Outputs are stored in f32 with products in tf32.
      bool isStored = format != Format::TF32;
      // Products may be fused into sums.
      EXPECT_NEAR((*found)[0].data[t], isStored ? r(o) : o, 1e-6);
      EXPECT_EQ(r((*found)[0].data[t]) == (*found)[0].data[t], isStored);
    }
    EXPECT_NEAR((*found)[1].data[0], S, 1e-6);
    // The state stays in f32.
    EXPECT_EQ(r((*found)[1].data[0]) == (*found)[1].data[0],
              format == Format::F32);
  }
  auto plain = evaluateRecurrence<float>(recurrence, in);
  auto loop = evaluateTokenLoop(recurrence, in, Format::F32);
  ASSERT_TRUE(plain && loop);
  EXPECT_EQ((*plain)[0].data, (*loop)[0].data);
  EXPECT_EQ((*plain)[1].data, (*loop)[1].data);
}

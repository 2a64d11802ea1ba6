//===- ScalarTest.cpp - arithmetic intrinsics -----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include <cmath>
#include <cstring>

using namespace harness;

static float asFloat(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

/// Runs `body`, which makes i32 %r of the floats %x and %y.
static uint32_t run(const std::string &body, float x, float y = 0) {
  TestKernel kernel = TestKernel::make(
      "ptr addrspace(1) %out, float %x, float %y",
      body + "\nstore i32 %r, ptr addrspace(1) %out, align 4\nret void\n");
  EXPECT_EQ(kernel.error(), "");
  Array<uint32_t> out(1);
  expectClean(kernel.launch(oneBlock(1), {out.buffer("out")},
                            {out.argument(), &x, &y}));
  return out[0];
}

static float runFloat(const std::string &call, float x, float y = 0) {
  return asFloat(run("%f = " + call + "\n%r = bitcast float %f to i32", x, y));
}

TEST(Scalar, Approximations) {
  auto one = [](const std::string &name, float x) {
    return runFloat("call float @llvm.nvvm." + name + "(float %x)", x);
  };
  EXPECT_EQ(one("ex2.approx.ftz.f32", 3), 8);
  EXPECT_EQ(one("ex2.approx.f32", -1), 0.5f);
  EXPECT_EQ(one("lg2.approx.f", 8), 3);
  EXPECT_EQ(one("rcp.approx.ftz.f", 4), 0.25f);
  EXPECT_EQ(one("sqrt.approx.f", 9), 3);
  EXPECT_EQ(one("rsqrt.approx.f", 16), 0.25f);
  EXPECT_FLOAT_EQ(one("sin.approx.f", 1), std::sin(1.0f));
  EXPECT_FLOAT_EQ(one("cos.approx.f", 1), std::cos(1.0f));
  EXPECT_EQ(one("fabs.f32", -2), 2);
  EXPECT_EQ(one("saturate.f", 7), 1);
  EXPECT_EQ(one("ex2.approx.ftz.f32", -140), 0);
  EXPECT_EQ(one("ex2.approx.f32", -140), 0x1p-140f);
}

TEST(Scalar, ApproximationsByAssembly) {
  auto one = [](const std::string &name, float x) {
    return runFloat(
        "call float asm \"" + name + " $0, $1;\", \"=f,f\"(float %x)", x);
  };
  EXPECT_FLOAT_EQ(one("tanh.approx.f32", 0.5f), std::tanh(0.5f));
  EXPECT_EQ(one("ex2.approx.ftz.f32", 4), 16);
  EXPECT_EQ(one("rcp.approx.ftz.f32", 2), 0.5f);
}

TEST(Scalar, GenericApproximations) {
  EXPECT_EQ(runFloat("call float @llvm.exp2.f32(float %x)", 5), 32);
  EXPECT_EQ(runFloat("call float @llvm.log2.f32(float %x)", 32), 5);
}

TEST(Scalar, TwoOperands) {
  auto two = [](const std::string &name, float x, float y) {
    return runFloat("call float @llvm.nvvm." + name + "(float %x, float %y)", x,
                    y);
  };
  EXPECT_EQ(two("add.rn.f", 1, 2), 3);
  EXPECT_EQ(two("mul.rn.f", 3, 2), 6);
  EXPECT_EQ(two("div.rn.f", 3, 2), 1.5f);
  EXPECT_EQ(two("fmin.f", 3, 2), 2);
  EXPECT_EQ(two("fmax.f", 3, NAN), 3);
}

TEST(Scalar, PackBF16) {
  // The first operand is the upper half. 1 + 2^-8 is half way: to even.
  std::string pack = "%v = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %x, "
                     "float %y)\n%r = bitcast <2 x bfloat> %v to i32";
  EXPECT_EQ(run(pack, 1, -2), 0x3f80c000u);
  EXPECT_EQ(run(pack, 1 + 0x1p-8f, 1 + 3 * 0x1p-8f), 0x3f803f82u);
  EXPECT_EQ(run(pack, INFINITY, 0), 0x7f800000u);
  EXPECT_EQ(run(pack, NAN, 0) >> 16, 0x7fffu);
  std::string byAsm = "%r = call i32 asm \"cvt.rn.bf16x2.f32 $0, $1, $2;\", "
                      "\"=r,f,f\"(float %x, float %y)";
  EXPECT_EQ(run(byAsm, 1, -2), 0x3f80c000u);
}

TEST(Scalar, PackF16) {
  std::string pack =
      "%v = call <2 x half> @llvm.nvvm.ff2f16x2.rn(float %x, float "
      "%y)\n%r = bitcast <2 x half> %v to i32";
  EXPECT_EQ(run(pack, 1, -2), 0x3c00c000u);
  EXPECT_EQ(run(pack, 65536, 0), 0x7c000000u);
  std::string relu =
      "%v = call <2 x half> @llvm.nvvm.ff2f16x2.rn.relu(float %x, "
      "float %y)\n%r = bitcast <2 x half> %v to i32";
  EXPECT_EQ(run(relu, 1, -2), 0x3c000000u);
}

TEST(Scalar, RoundToTF32) {
  std::string round = "%r = call i32 @llvm.nvvm.f2tf32.rna(float %x)";
  EXPECT_EQ(asFloat(run(round, 1 + 0x1p-11f)), 1 + 0x1p-10f);
  EXPECT_EQ(asFloat(run(round, 1 + 0x1p-12f)), 1);
  EXPECT_EQ(asFloat(run(round, INFINITY)), INFINITY);
}

TEST(Scalar, TruncationToBFloatRoundsToEven) {
  std::string trunc =
      "%b = fptrunc float %x to bfloat\n%i = bitcast bfloat %b to "
      "i16\n%r = zext i16 %i to i32";
  EXPECT_EQ(run(trunc, 1 + 0x1p-8f), 0x3f80u);
  EXPECT_EQ(run(trunc, 1 + 3 * 0x1p-8f), 0x3f82u);
  EXPECT_EQ(run(trunc, -0.0f), 0x8000u);
  EXPECT_EQ(run(trunc, NAN), 0x7fffu);
}

TEST(Scalar, Permute) {
  std::string text =
      "%a = bitcast float %x to i32\n%b = bitcast float %y to i32\n"
      "%r = call i32 @llvm.nvvm.prmt(i32 %a, i32 %b, i32 ";
  float a = asFloat(0x33221100), b = asFloat(0x77665544);
  EXPECT_EQ(run(text + "12816)", a, b), 0x33221100u); // 0x3210
  EXPECT_EQ(run(text + "26197)", a, b), 0x66665555u); // 0x6655
  float c = asFloat(0x40008000);
  EXPECT_EQ(run(text + "39321)", c, b), 0xffffffffu); // 0x9999: signs of byte 1
}

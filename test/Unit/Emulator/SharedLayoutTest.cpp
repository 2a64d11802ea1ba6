//===- SharedLayoutTest.cpp - where shared variables are ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace harness;

/// Runs one thread that stores the addresses of the variables to %out.
static std::vector<uint32_t> addresses(const std::string &globals,
                                       std::vector<std::string> names) {
  std::string body;
  for (size_t i = 0; i < names.size(); ++i) {
    std::string n = std::to_string(i);
    body += "%a" + n + " = ptrtoint ptr addrspace(3) @" + names[i] +
            " to i32\n%p" + n +
            " = getelementptr i32, ptr addrspace(1) %out, i32 " + n +
            "\nstore i32 %a" + n + ", ptr addrspace(1) %p" + n + ", align 4\n";
  }
  TestKernel kernel =
      TestKernel::make("ptr addrspace(1) %out", body + "ret void\n", globals);
  EXPECT_EQ(kernel.error(), "");
  Array<uint32_t> out(names.size());
  expectClean(
      kernel.launch(oneBlock(1), {out.buffer("out")}, {out.argument()}));
  for (uint32_t &value : out.values)
    value &= 0x3ffff;
  return out.values;
}

// ptxas gives the alignment that is asked for and may give no more.
TEST(SharedLayout, NoMoreAlignmentThanAskedFor) {
  auto at = addresses(
      "@a = internal addrspace(3) global [3 x i8] undef, align 2\n"
      "@b = internal addrspace(3) global [64 x i8] undef, align 16\n"
      "@c = internal addrspace(3) global [64 x i8] undef, align 128\n",
      {"a", "b", "c"});
  EXPECT_EQ(at[0] % 2, 0u);
  EXPECT_NE(at[0] % 4, 0u);
  EXPECT_EQ(at[1] % 16, 0u);
  EXPECT_NE(at[1] % 32, 0u);
  EXPECT_EQ(at[2] % 128, 0u);
  EXPECT_NE(at[2] % 256, 0u);
}

TEST(SharedLayout, ExternalArraysOfNoSizeAlias) {
  auto at =
      addresses("@a = external addrspace(3) global [0 x i8], align 1024\n"
                "@b = internal addrspace(3) global [64 x i8] undef, align 16\n"
                "@c = external addrspace(3) global [0 x float], align 4\n",
                {"a", "b", "c"});
  EXPECT_EQ(at[0], at[2]);
  EXPECT_EQ(at[0] % 1024, 0u);
  EXPECT_GT(at[0], at[1]);
}

// NVPTX makes one byte of an internal variable without a size, so two of them
// are not the same memory and neither is the dynamic one.
TEST(SharedLayout, InternalArraysOfNoSizeDoNot) {
  auto at =
      addresses("@a = internal addrspace(3) global [0 x i8] undef, align 16\n"
                "@b = internal addrspace(3) global [0 x i8] undef, align 16\n"
                "@c = external addrspace(3) global [0 x i8], align 16\n",
                {"a", "b", "c"});
  EXPECT_NE(at[0], at[1]);
  EXPECT_GT(at[2], at[0]);
  EXPECT_GT(at[2], at[1]);
}

TEST(SharedLayout, StoreBehindAnInternalArrayOfNoSizeIsReported) {
  TestKernel kernel = TestKernel::make(
      "", R"(
  %p = getelementptr i8, ptr addrspace(3) @a, i32 8
  store i32 1, ptr addrspace(3) %p, align 4
  ret void)",
      "@a = internal addrspace(3) global [0 x i8] undef, align 16\n");
  LaunchConfig config = oneBlock(1);
  config.dynamicSharedBytes = 64;
  expectReport(kernel.launch(config, {}, {}), ReportKind::SharedOutOfBounds,
               "k.cu:3:1");
}

TEST(SharedLayout, StaticBytesAsPtxasCounts) {
  TestKernel kernel = TestKernel::make(
      "", "ret void",
      "@a = internal addrspace(3) global [3 x i8] undef, align 1\n"
      "@b = internal addrspace(3) global [64 x i8] undef, align 16\n");
  EXPECT_EQ(kernel.kernel().staticSharedBytes, 80u);
}

TEST(SharedLayout, LaunchesThatDoNotFit) {
  TestKernel kernel = TestKernel::make("", "ret void");
  LaunchConfig config = oneBlock(1);
  config.dynamicSharedBytes = 227 * 1024;
  expectClean(kernel.launch(config, {}, {}));
  config.dynamicSharedBytes += 16;
  Outcome outcome = kernel.launch(config, {}, {});
  ASSERT_EQ(outcome.reports.size(), 1u);
  EXPECT_EQ(
      outcome.reports[0].text,
      "LAUNCH: expected at most 232448 bytes of shared memory, but got 232464");
  EXPECT_FALSE(outcome.completed);
  outcome = kernel.launch(oneBlock(1025), {}, {});
  ASSERT_EQ(outcome.reports.size(), 1u);
  EXPECT_EQ(outcome.reports[0].kind, ReportKind::Launch);
}

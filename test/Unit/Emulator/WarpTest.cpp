//===- WarpTest.cpp - shuffles, votes, reductions in a warp ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include <bit>

using namespace harness;

/// Runs `operation`, which computes i32 %r from i32 %t, the thread's number, in
/// `threads` threads.
static std::vector<uint32_t> runLanes(const std::string &operation,
                                      uint32_t threads = 32) {
  TestKernel kernel = TestKernel::make("ptr addrspace(1) %out", R"(
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
)" + operation + R"(
  %p = getelementptr i32, ptr addrspace(1) %out, i32 %t
  store i32 %r, ptr addrspace(1) %p, align 4
  ret void
)");
  EXPECT_EQ(kernel.error(), "");
  std::vector<uint32_t> first;
  for (const LaunchConfig &config : allModes(threads)) {
    Array<uint32_t> out(threads, ~0u);
    Outcome outcome =
        kernel.launch(config, {out.buffer("out")}, {out.argument()});
    expectClean(outcome);
    EXPECT_EQ(outcome.counts.bytesWritten, 4 * threads);
    if (first.empty())
      first = out.values;
    EXPECT_EQ(out.values, first);
  }
  return first;
}

TEST(Warp, ShuffleIndex) {
  auto r = runLanes("%r = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 -1, i32 "
                    "%t, i32 5, i32 31)");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(r[i], 5u);
}

TEST(Warp, ShuffleUpStopsAtTheFirstLane) {
  auto r = runLanes("%r = call i32 @llvm.nvvm.shfl.sync.up.i32(i32 -1, i32 %t, "
                    "i32 3, i32 0)");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(r[i], i < 3 ? i : i - 3);
}

TEST(Warp, ShuffleDownInSegmentsOfEight) {
  // (32 - 8) << 8 | 31: segments of 8 lanes.
  auto r = runLanes("%r = call i32 @llvm.nvvm.shfl.sync.down.i32(i32 -1, i32 "
                    "%t, i32 2, i32 6175)");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(r[i], i % 8 < 6 ? i + 2 : i);
}

TEST(Warp, ShuffleButterflyWithPredicate) {
  auto r = runLanes(R"(
  %s = call { i32, i1 } @llvm.nvvm.shfl.sync.bfly.i32p(i32 -1, i32 %t, i32 16, i32 31)
  %v = extractvalue { i32, i1 } %s, 0
  %q = extractvalue { i32, i1 } %s, 1
  %z = zext i1 %q to i32
  %w = shl i32 %z, 8
  %r = or i32 %v, %w)");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(r[i], (i ^ 16) | 256);
}

TEST(Warp, ShuffleOfFloats) {
  auto r = runLanes(R"(
  %f = uitofp i32 %t to float
  %g = call float @llvm.nvvm.shfl.sync.bfly.f32(i32 -1, float %f, i32 1, i32 31)
  %r = fptoui float %g to i32)");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(r[i], i ^ 1);
}

TEST(Warp, ShuffleOfHalfTheLanesEach) {
  // Lanes below 16 and above meet apart, with masks of their own.
  auto r = runLanes(R"(
  %low = icmp ult i32 %t, 16
  %mask = select i1 %low, i32 65535, i32 -65536
  %lane = select i1 %low, i32 1, i32 17
  %r = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 %mask, i32 %t, i32 %lane, i32 31))");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(r[i], i < 16 ? 1u : 17u);
}

// "ballot" contains "all": the mode must not be found by substring.
TEST(Warp, BallotIsNotAll) {
  auto r = runLanes(R"(
  %odd = trunc i32 %t to i1
  %r = call i32 @llvm.nvvm.vote.ballot.sync(i32 -1, i1 %odd))");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(r[i], 0xaaaaaaaau);
}

TEST(Warp, Votes) {
  for (auto [mode, some, everybody, nobody] :
       {std::tuple("all", 0u, 1u, 0u), std::tuple("any", 1u, 1u, 0u),
        std::tuple("uni", 0u, 1u, 1u)}) {
    for (auto [bound, wanted] : {std::pair(16, some), std::pair(32, everybody),
                                 std::pair(0, nobody)}) {
      auto r = runLanes("%c = icmp ult i32 %t, " + std::to_string(bound) +
                        "\n%b = call i1 @llvm.nvvm.vote." + mode +
                        ".sync(i32 -1, i1 %c)\n%r = zext i1 %b to i32");
      EXPECT_EQ(r[7], wanted) << mode << " " << bound;
    }
  }
}

TEST(Warp, Match) {
  auto any = runLanes(R"(
  %v = and i32 %t, 3
  %r = call i32 @llvm.nvvm.match.any.sync.i32(i32 -1, i32 %v))");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(any[i], 0x11111111u << (i & 3));
  auto all = runLanes(R"(
  %s = call { i32, i1 } @llvm.nvvm.match.all.sync.i32p(i32 -1, i32 7)
  %r = extractvalue { i32, i1 } %s, 0)");
  EXPECT_EQ(all[3], ~0u);
}

TEST(Warp, Reductions) {
  for (auto [op, wanted] :
       {std::pair("add", 496u), std::pair("umin", 0u), std::pair("umax", 31u),
        std::pair("or", 31u), std::pair("and", 0u), std::pair("xor", 0u)}) {
    auto r = runLanes(std::string("%r = call i32 @llvm.nvvm.redux.sync.") + op +
                      "(i32 %t, i32 -1)");
    EXPECT_EQ(r[9], wanted) << op;
  }
  auto least = runLanes(R"(
  %n = sub i32 5, %t
  %r = call i32 @llvm.nvvm.redux.sync.min(i32 %n, i32 -1))");
  EXPECT_EQ(static_cast<int32_t>(least[0]), -26);
}

TEST(Warp, ElectIsTheFirstLaneOfTheMask) {
  auto r = runLanes(R"(
  %s = call { i32, i1 } @llvm.nvvm.elect.sync(i32 -1)
  %e = extractvalue { i32, i1 } %s, 1
  %r = zext i1 %e to i32)",
                    64);
  for (uint32_t i = 0; i < 64; ++i)
    EXPECT_EQ(r[i], i % 32 == 0);
}

TEST(Warp, OverlappingMasks) {
  // Lanes 0-7 and 4-11, one after the other, have lanes 4-7 in common.
  auto r = runLanes(R"(
  %a = icmp ult i32 %t, 8
  br i1 %a, label %first, label %second
first:
  %x = call i32 @llvm.nvvm.redux.sync.add(i32 1, i32 255)
  br label %second
second:
  %y = phi i32 [ %x, %first ], [ 0, %0 ]
  %f = icmp uge i32 %t, 4
  %g = icmp ult i32 %t, 12
  %c = and i1 %f, %g
  br i1 %c, label %third, label %done
third:
  %z = call i32 @llvm.nvvm.redux.sync.add(i32 10, i32 4080)
  br label %done
done:
  %u = phi i32 [ 0, %second ], [ %z, %third ]
  %r = add i32 %y, %u)");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(r[i], (i < 8 ? 8u : 0) + (i >= 4 && i < 12 ? 80u : 0));
}

// Which lanes are active is not determined; those that call it are among them.
TEST(Warp, ActiveMaskHoldsTheCaller) {
  auto r = runLanes(R"(
  %m = call i32 @llvm.nvvm.activemask()
  %s = lshr i32 %m, %t
  %r = and i32 %s, 1)");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(r[i], 1u);
}

TEST(Warp, SpecialRegisters) {
  auto r = runLanes(R"(
  %l = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  %w = call i32 @llvm.nvvm.read.ptx.sreg.warpid()
  %n = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %m = call i32 @llvm.nvvm.read.ptx.sreg.lanemask.lt()
  %w8 = shl i32 %w, 8
  %n16 = shl i32 %n, 16
  %a = or i32 %l, %w8
  %b = or i32 %a, %n16
  %r = xor i32 %b, %m)",
                    64);
  for (uint32_t i = 0; i < 64; ++i)
    EXPECT_EQ(r[i], (i % 32 | i / 32 << 8 | 64u << 16) ^ ((1u << i % 32) - 1));
}

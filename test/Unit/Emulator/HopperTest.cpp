//===- HopperTest.cpp - a TMA and wgmma pipeline, and its defects ---------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// One clean kernel: a producer warp loads tiles of A and B over a ring of two
// stages, a warpgroup multiplies them into 64 x 8, converts the result in
// shared memory and stores it with TMA. Each test breaks one thing.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace harness;

namespace {
constexpr uint32_t kSteps = 5, kStage = 8192 + 1024;

const char *kGlobals =
    "@bar = internal addrspace(3) global [4 x i64] undef, align 8\n"
    "@sm = external addrspace(3) global [0 x i8], align 1024\n";

#define WAIT                                                                   \
  "call void asm sideeffect \"{\\0A.reg .pred "                                \
  "P1;\\0ALW:\\0Ambarrier.try_wait."                                           \
  "parity.shared::cta.b64 P1, [$0], $1;\\0A@P1 bra LD;\\0Abra "                \
  "LW;\\0ALD:\\0A}\""                                                          \
  ", \"r,r\""

const char *kBody = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%first = icmp eq i32 %t, 0
br i1 %first, label %init, label %start
init:
%f1 = getelementptr i64, ptr addrspace(3) @bar, i32 1
%e0 = getelementptr i64, ptr addrspace(3) @bar, i32 2
%e1 = getelementptr i64, ptr addrspace(3) @bar, i32 3
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) @bar, i32 1)
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) %f1, i32 1)
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) %e0, i32 128)
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) %e1, i32 128)
call void @llvm.nvvm.fence.mbarrier_init.release.cluster()
br label %start
start:
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
%base = ptrtoint ptr addrspace(3) @sm to i32
%isp = icmp uge i32 %t, 128
br i1 %isp, label %producer, label %consumer

producer:
%elected = icmp eq i32 %t, 128
br i1 %elected, label %ploop, label %done
ploop:
%pi = phi i32 [ 0, %producer ], [ %pn, %ploop ]
%ps = and i32 %pi, 1
%pr = lshr i32 %pi, 1
%pp0 = and i32 %pr, 1
%pp = xor i32 %pp0, 1
%pfull = getelementptr i64, ptr addrspace(3) @bar, i32 %ps
%pe = add i32 %ps, 2
%pempty = getelementptr i64, ptr addrspace(3) @bar, i32 %pe
)" WAIT R"((ptr addrspace(3) %pempty, i32 %pp)
%pst = call i64 @llvm.nvvm.mbarrier.arrive.expect.tx.scope.cta.space.cta(ptr addrspace(3) %pfull, i32 9216)
%poff = mul i32 %ps, 9216
%pa = add i32 %base, %poff
%pb = add i32 %pa, 8192
%pa7 = inttoptr i32 %pa to ptr addrspace(7)
%pb7 = inttoptr i32 %pb to ptr addrspace(7)
%pk = mul i32 %pi, 64
call void @llvm.nvvm.cp.async.bulk.tensor.g2s.tile.2d(ptr addrspace(7) %pa7, ptr addrspace(3) %pfull, ptr %ma, i32 %pk, i32 0, i16 0, i64 0, i1 0, i1 0, i32 0)
call void @llvm.nvvm.cp.async.bulk.tensor.g2s.tile.2d(ptr addrspace(7) %pb7, ptr addrspace(3) %pfull, ptr %mb, i32 %pk, i32 0, i16 0, i64 0, i1 0, i1 0, i32 0)
%pn = add i32 %pi, 1
%pc = icmp ult i32 %pn, 5
br i1 %pc, label %ploop, label %done

consumer:
br label %cloop
cloop:
%ci = phi i32 [ 0, %consumer ], [ %cn, %cloop ]
%c0 = phi float [ 0.0, %consumer ], [ %r0, %cloop ]
%c1 = phi float [ 0.0, %consumer ], [ %r1, %cloop ]
%c2 = phi float [ 0.0, %consumer ], [ %r2, %cloop ]
%c3 = phi float [ 0.0, %consumer ], [ %r3, %cloop ]
%cs = and i32 %ci, 1
%cr = lshr i32 %ci, 1
%cp = and i32 %cr, 1
%cfull = getelementptr i64, ptr addrspace(3) @bar, i32 %cs
%ce = add i32 %cs, 2
%cempty = getelementptr i64, ptr addrspace(3) @bar, i32 %ce
)" WAIT R"((ptr addrspace(3) %cfull, i32 %cp)
%coff = mul i32 %cs, 9216
%ca = add i32 %base, %coff
%cam = and i32 %ca, 262143
%cau = lshr i32 %cam, 4
%cad = zext i32 %cau to i64
%da = or i64 %cad, 4611686293305294848
%db = add i64 %da, 512
call void @llvm.nvvm.wgmma.fence.sync.aligned()
MULTIPLY
call void @llvm.nvvm.wgmma.commit_group.sync.aligned()
call void @llvm.nvvm.wgmma.wait_group.sync.aligned(i64 0)
%cst = call i64 @llvm.nvvm.mbarrier.arrive.shared(ptr addrspace(3) %cempty)
%cn = add i32 %ci, 1
%cc = icmp ult i32 %cn, 5
br i1 %cc, label %cloop, label %epilogue

epilogue:
%w = lshr i32 %t, 5
%l = and i32 %t, 31
%g = lshr i32 %l, 2
%q = and i32 %l, 3
%w16 = shl i32 %w, 4
%row = add i32 %w16, %g
%row8 = shl i32 %row, 3
%q2 = shl i32 %q, 1
%el = add i32 %row8, %q2
%el8 = add i32 %el, 64
%tile = getelementptr i8, ptr addrspace(3) @sm, i32 18432
%s0 = getelementptr float, ptr addrspace(3) %tile, i32 %el
%s2 = getelementptr float, ptr addrspace(3) %tile, i32 %el8
%v0 = insertelement <2 x float> undef, float %r0, i32 0
%v1 = insertelement <2 x float> %v0, float %r1, i32 1
%v2 = insertelement <2 x float> undef, float %r2, i32 0
%v3 = insertelement <2 x float> %v2, float %r3, i32 1
store <2 x float> %v1, ptr addrspace(3) %s0, align 8
store <2 x float> %v3, ptr addrspace(3) %s2, align 8
call void @llvm.nvvm.fence.proxy.async.shared_cta()
call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 1, i32 128)
br i1 %first, label %output, label %done
output:
call void @llvm.nvvm.cp.async.bulk.tensor.s2g.tile.2d(ptr addrspace(3) %tile, ptr %mc, i32 0, i32 0, i64 0, i1 0)
call void @llvm.nvvm.cp.async.bulk.commit.group()
call void @llvm.nvvm.cp.async.bulk.wait.group.read(i32 0)
br label %done
done:
ret void
)";

/// Four steps of 16 in k: descriptors move by 32 bytes.
std::string body() {
  std::string multiply;
  for (int k = 0; k < 4; ++k) {
    std::string n = std::to_string(k);
    multiply += "%da" + n + " = add i64 %da, " + std::to_string(2 * k) +
                "\n%db" + n + " = add i64 %db, " + std::to_string(2 * k) + "\n";
    std::string in[4];
    for (int i = 0; i < 4; ++i)
      in[i] = k ? "%x" + std::to_string(k - 1) + std::to_string(i)
                : "%c" + std::to_string(i);
    multiply +=
        "%m" + n +
        " = call { float, float, float, float } asm sideeffect \"{\\0A.reg "
        ".pred p;\\0Asetp.ne.b32 p, 1, 0;\\0Awgmma.mma_async.sync.aligned."
        "m64n8k16.f32.bf16.bf16 {$0, $1, $2, $3}, $4, $5, p, 1, 1, 0, "
        "0;\\0A}\\0A\", \"=f,=f,=f,=f,l,l,0,1,2,3\"(i64 %da" +
        n + ", i64 %db" + n + ", float " + in[0] + ", float " + in[1] +
        ", float " + in[2] + ", float " + in[3] + ")\n";
    for (int i = 0; i < 4; ++i)
      multiply +=
          (k == 3 ? "%r" + std::to_string(i) : "%x" + n + std::to_string(i)) +
          " = extractvalue { float, float, float, float } %m" + n + ", " +
          std::to_string(i) + "\n";
  }
  return edit(kBody, "MULTIPLY\n", multiply);
}

struct Problem {
  Array<uint16_t> a{64 * kSteps * 64}, b{8 * kSteps * 64};
  Array<float> c{64 * 8};
  TensorMap ma, mb, mc;

  Problem() {
    constexpr uint64_t k = kSteps * 64;
    for (uint32_t i = 0; i < a.values.size(); ++i)
      a[i] = bf16Bits(smallNumber(i));
    for (uint32_t i = 0; i < b.values.size(); ++i)
      b[i] = bf16Bits(smallNumber(70000 + i));
    uint64_t stride = 2 * k, strideC = 32;
    uint64_t dimsA[] = {k, 64}, dimsB[] = {k, 8}, dimsC[] = {8, 64};
    uint32_t boxA[] = {64, 64}, boxB[] = {64, 8}, boxC[] = {8, 64};
    EXPECT_EQ(encodeTiled(ma, TensorType::BFloat16, 2, a.pointer, dimsA,
                          &stride, boxA, nullptr, 0, Swizzle::B128, 0, 0),
              "");
    EXPECT_EQ(encodeTiled(mb, TensorType::BFloat16, 2, b.pointer, dimsB,
                          &stride, boxB, nullptr, 0, Swizzle::B128, 0, 0),
              "");
    EXPECT_EQ(encodeTiled(mc, TensorType::Float32, 2, c.pointer, dimsC,
                          &strideC, boxC, nullptr, 0, Swizzle::None, 0, 0),
              "");
  }

  Outcome launch(const TestKernel &kernel, LaunchConfig config) {
    config.dynamicSharedBytes = 2 * kStage + 2048;
    return kernel.launch(config, {a.buffer("a"), b.buffer("b"), c.buffer("c")},
                         {&ma, &mb, &mc});
  }
};

std::vector<Outcome> runAll(const std::string &text) {
  TestKernel kernel =
      TestKernel::make("ptr byval([128 x i8]) align 64 %ma, ptr byval([128 x "
                       "i8]) align 64 %mb, ptr "
                       "byval([128 x i8]) align 64 %mc",
                       text, kGlobals);
  EXPECT_EQ(kernel.error(), "");
  std::vector<Outcome> outcomes;
  for (const LaunchConfig &config : allModes(160)) {
    Problem run;
    outcomes.push_back(run.launch(kernel, config));
  }
  return outcomes;
}

/// Expects the report in every mode, whatever else follows from the defect.
void expectEverywhere(const std::string &text, ReportKind kind,
                      const std::string &fragment) {
  for (const Outcome &outcome : runAll(text)) {
    bool found = false;
    for (const Report &report : ofKind(outcome, kind))
      found |= report.site.location == at(text, fragment);
    EXPECT_TRUE(found) << outcome.text();
  }
}
} // namespace

TEST(Hopper, Clean) {
  TestKernel kernel =
      TestKernel::make("ptr byval([128 x i8]) align 64 %ma, ptr byval([128 x "
                       "i8]) align 64 %mb, ptr "
                       "byval([128 x i8]) align 64 %mc",
                       body(), kGlobals);
  ASSERT_EQ(kernel.error(), "");
  for (const LaunchConfig &config : allModes(160)) {
    Problem run;
    Outcome outcome = run.launch(kernel, config);
    expectClean(outcome);
    EXPECT_EQ(outcome.counts.wgmma, 4u * kSteps);
    EXPECT_EQ(outcome.counts.bulkCopies, 2 * kSteps + 1u);
    EXPECT_EQ(outcome.counts.bytesRead, kSteps * (8192u + 1024));
    EXPECT_EQ(outcome.counts.bytesWritten, 2048u);
    for (uint32_t i = 0; i < 64; ++i)
      for (uint32_t j = 0; j < 8; ++j) {
        float sum = 0;
        for (uint32_t k = 0; k < kSteps * 64; ++k)
          sum += smallNumber(i * kSteps * 64 + k) *
                 smallNumber(70000 + j * kSteps * 64 + k);
        ASSERT_EQ(run.c[8 * i + j], sum);
      }
  }
}

TEST(Hopper, ConsumerDoesNotWaitForTheLoad) {
  std::string text = edit(body(), "(ptr addrspace(3) %cfull, i32 %cp)",
                          "(ptr addrspace(3) %cfull, i32 1)");
  for (const Outcome &outcome : runAll(text))
    expectAbout(outcome, {at(text, "%m0 = ")});
}

TEST(Hopper, ProducerDoesNotWaitForTheStage) {
  std::string text = edit(body(), "(ptr addrspace(3) %pempty, i32 %pp)",
                          "(ptr addrspace(3) %pempty, i32 1)");
  for (const Outcome &outcome : runAll(text))
    expectAbout(outcome, {at(text, "ptr %ma, i32 %pk")});
}

TEST(Hopper, StageReleasedBeforeItsWgmmaIsWaitedFor) {
  std::string text = edit(
      body(), "call void @llvm.nvvm.wgmma.wait_group.sync.aligned(i64 0)\n%cst",
      "\n%cst");
  text = edit(text, "%cn = add i32 %ci, 1",
              "call void @llvm.nvvm.wgmma.wait_group.sync.aligned(i64 0)\n%cn "
              "= add i32 %ci, 1");
  expectEverywhere(text, ReportKind::WriteAfterRead, "ptr %ma, i32 %pk");
}

TEST(Hopper, WaitForTooFewWgmma) {
  std::string text = edit(body(), "wgmma.wait_group.sync.aligned(i64 0)",
                          "wgmma.wait_group.sync.aligned(i64 1)");
  for (const Outcome &outcome : runAll(text)) {
    EXPECT_FALSE(ofKind(outcome, ReportKind::WgmmaAccumulator).empty());
    EXPECT_FALSE(ofKind(outcome, ReportKind::AsyncAtExit).empty());
  }
}

TEST(Hopper, NoWgmmaFence) {
  std::string text =
      edit(body(), "call void @llvm.nvvm.wgmma.fence.sync.aligned()", "");
  expectEverywhere(text, ReportKind::WgmmaFence, "%m0 = ");
}

TEST(Hopper, NoProxyFence) {
  std::string text =
      edit(body(), "call void @llvm.nvvm.fence.proxy.async.shared_cta()", "");
  for (const Outcome &outcome : runAll(text))
    expectReport(outcome, ReportKind::MissingProxyFence, at(text, "s2g.tile"),
                 at(text, "store <2 x float> %v1"));
}

// Only what was stored before the fence is covered by it.
TEST(Hopper, ProxyFenceTooEarly) {
  std::string text =
      edit(body(), "call void @llvm.nvvm.fence.proxy.async.shared_cta()", "");
  text = edit(text, "store <2 x float> %v3",
              "call void @llvm.nvvm.fence.proxy.async.shared_cta()\nstore <2 x "
              "float> %v3");
  for (const Outcome &outcome : runAll(text))
    expectReport(outcome, ReportKind::MissingProxyFence, at(text, "s2g.tile"),
                 at(text, "store <2 x float> %v3"));
}

TEST(Hopper, ExpectsTooFewBytes) {
  std::string text = edit(body(), "i32 9216)\n%poff", "i32 8192)\n%poff");
  for (const Outcome &outcome : runAll(text))
    expectAbout(outcome, {at(text, "(ptr addrspace(3) %cfull, i32 %cp)")});
}

TEST(Hopper, ExpectsTooManyBytes) {
  std::string text = edit(body(), "i32 9216)\n%poff", "i32 9232)\n%poff");
  for (const Outcome &outcome : runAll(text)) {
    ASSERT_EQ(ofKind(outcome, ReportKind::Deadlock).size(), 1u);
    EXPECT_NE(outcome.text().find("16 bytes pending"), std::string::npos);
  }
}

TEST(Hopper, BulkStoreNotWaitedFor) {
  std::string text = edit(
      body(), "call void @llvm.nvvm.cp.async.bulk.wait.group.read(i32 0)", "");
  expectEverywhere(text, ReportKind::AsyncAtExit, "s2g.tile");
}

TEST(Hopper, BulkStoreNotCommitted) {
  std::string text =
      edit(body(), "call void @llvm.nvvm.cp.async.bulk.commit.group()", "");
  expectEverywhere(text, ReportKind::AsyncAtExit, "s2g.tile");
}

TEST(Hopper, EmptyBarrierOfTooManyThreads) {
  std::string text = edit(body(), "(ptr addrspace(3) %e0, i32 128)",
                          "(ptr addrspace(3) %e0, i32 129)");
  for (const Outcome &outcome : runAll(text))
    expectAbout(outcome, {at(text, "(ptr addrspace(3) %pempty, i32 %pp)")});
}

TEST(Hopper, TileNotAligned) {
  std::string text =
      edit(body(), "%poff = mul i32 %ps, 9216",
           "%poff1 = mul i32 %ps, 9216\n%poff = add i32 %poff1, 128");
  expectEverywhere(text, ReportKind::Misaligned, "ptr %ma, i32 %pk");
}

TEST(Hopper, NoTensorMap) {
  std::string text = edit(body(), "ptr addrspace(3) %pfull, ptr %ma",
                          "ptr addrspace(3) %pfull, ptr null");
  for (const Outcome &outcome : runAll(text)) {
    EXPECT_FALSE(ofKind(outcome, ReportKind::TensorMap).empty());
    EXPECT_FALSE(ofKind(outcome, ReportKind::GlobalOutOfBounds).empty());
  }
}

TEST(Hopper, RankThatDiffers) {
  std::string text = edit(
      body(),
      "bulk.tensor.s2g.tile.2d(ptr addrspace(3) %tile, ptr %mc, i32 0, i32 0,",
      "bulk.tensor.s2g.tile.3d(ptr addrspace(3) %tile, ptr %mc, i32 0, i32 0, "
      "i32 0,");
  expectEverywhere(text, ReportKind::TensorMap, "s2g.tile");
}

TEST(Hopper, DescriptorsThatDiffer) {
  std::string text = edit(body(), "%da0 = add i64 %da, 0",
                          "%tz = zext i32 %t to i64\n%da0 = add i64 %da, %tz");
  expectEverywhere(text, ReportKind::WgmmaDescriptor, "%m0 = ");
}

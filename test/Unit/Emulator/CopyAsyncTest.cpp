//===- CopyAsyncTest.cpp - cp.async, its groups, and their misuse ---------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace harness;

namespace {
const char *kGlobals = "@tile = internal addrspace(3) global [2 x [128 x <4 x "
                       "i32>]] undef, align 16\n";

/// Two stages of 16 bytes a thread; each thread reads what its neighbour
/// copied.
const char *kPipeline = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%n = xor i32 %t, 127
%s0 = getelementptr <4 x i32>, ptr addrspace(3) @tile, i32 %t
%u = add i32 %t, 128
%s1 = getelementptr <4 x i32>, ptr addrspace(3) @tile, i32 %u
%q0 = getelementptr <4 x i32>, ptr addrspace(3) @tile, i32 %n
%m = add i32 %n, 128
%q1 = getelementptr <4 x i32>, ptr addrspace(3) @tile, i32 %m
%g0 = getelementptr <4 x i32>, ptr addrspace(1) %in, i32 %t
%g1 = getelementptr <4 x i32>, ptr addrspace(1) %in, i32 %u
call void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3) %s0, ptr addrspace(1) %g0)
call void @llvm.nvvm.cp.async.commit.group()
call void @llvm.nvvm.cp.async.ca.shared.global.16(ptr addrspace(3) %s1, ptr addrspace(1) %g1)
call void @llvm.nvvm.cp.async.commit.group()
call void @llvm.nvvm.cp.async.wait.group(i32 1)
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
%v0 = load <4 x i32>, ptr addrspace(3) %q0, align 16
call void @llvm.nvvm.cp.async.wait.group(i32 0)
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
%v1 = load <4 x i32>, ptr addrspace(3) %q1, align 16
%v = sub <4 x i32> %v1, %v0
%o = getelementptr <4 x i32>, ptr addrspace(1) %out, i32 %t
store <4 x i32> %v, ptr addrspace(1) %o, align 16
ret void
)";

std::vector<Outcome> runAll(const std::string &body,
                            std::vector<uint32_t> *values = nullptr) {
  TestKernel kernel = TestKernel::make(
      "ptr addrspace(1) %in, ptr addrspace(1) %out", body, kGlobals);
  EXPECT_EQ(kernel.error(), "");
  std::vector<Outcome> outcomes;
  Array<uint32_t> in(1024), out(512);
  for (uint32_t i = 0; i < 1024; ++i)
    in[i] = i * i;
  for (const LaunchConfig &config : allModes(128))
    outcomes.push_back(kernel.launch(config,
                                     {in.buffer("in"), out.buffer("out")},
                                     {in.argument(), out.argument()}));
  if (values)
    *values = out.values;
  return outcomes;
}
} // namespace

TEST(CopyAsync, Pipeline) {
  std::vector<uint32_t> out;
  for (const Outcome &outcome : runAll(kPipeline, &out)) {
    expectClean(outcome);
    EXPECT_EQ(outcome.counts.asyncCopies, 256u);
    EXPECT_EQ(outcome.counts.bytesRead, 4096u);
    EXPECT_EQ(outcome.counts.bytesWritten, 2048u);
  }
  for (uint32_t t = 0; t < 128; ++t)
    for (uint32_t e = 0; e < 4; ++e) {
      uint32_t low = 4 * (127 - t) + e, high = low + 512;
      EXPECT_EQ(out[4 * t + e], high * high - low * low);
    }
}

TEST(CopyAsync, ZeroFill) {
  std::string body =
      edit(edit(kPipeline,
                "cp.async.cg.shared.global.16(ptr addrspace(3) %s0, ptr "
                "addrspace(1) %g0)",
                "cp.async.cg.shared.global.16.s(ptr addrspace(3) %s0, ptr "
                "addrspace(1) %g0, i32 8)"),
           "sub <4 x i32> %v1, %v0", "add <4 x i32> %v0, zeroinitializer");
  std::vector<uint32_t> out;
  for (const Outcome &outcome : runAll(body, &out)) {
    expectClean(outcome);
    EXPECT_EQ(outcome.counts.bytesRead, 2048u + 1024);
  }
  for (uint32_t t = 0; t < 128; ++t)
    for (uint32_t e = 0; e < 4; ++e) {
      uint32_t i = 4 * (127 - t) + e;
      EXPECT_EQ(out[4 * t + e], e < 2 ? i * i : 0);
    }
}

// A copy of no bytes may have a source that is not there.
TEST(CopyAsync, NothingFromNowhere) {
  std::string body = edit(kPipeline,
                          "cp.async.cg.shared.global.16(ptr addrspace(3) %s0, "
                          "ptr addrspace(1) %g0)",
                          "cp.async.cg.shared.global.16.s(ptr addrspace(3) "
                          "%s0, ptr addrspace(1) null, i32 0)");
  for (const Outcome &outcome : runAll(body))
    expectClean(outcome);
}

TEST(CopyAsync, InlineAssembly) {
  std::string body =
      edit(kPipeline,
           "call void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3) "
           "%s0, ptr addrspace(1) %g0)",
           "call void asm sideeffect \"cp.async.cg.shared.global [$0], [$1], "
           "16, $2;\", "
           "\"r,l,r,~{memory}\"(ptr addrspace(3) %s0, ptr addrspace(1) %g0, "
           "i32 16)");
  body = edit(body, "call void @llvm.nvvm.cp.async.commit.group()",
              "call void asm sideeffect \"cp.async.commit_group;\", \"\"()");
  body = edit(
      body, "call void @llvm.nvvm.cp.async.wait.group(i32 1)",
      "call void asm sideeffect \"cp.async.wait_group $0;\", \"n\"(i32 1)");
  for (const Outcome &outcome : runAll(body))
    expectClean(outcome);
}

TEST(CopyAsync, WaitForTooFewGroups) {
  std::string body = edit(kPipeline, "wait.group(i32 1)", "wait.group(i32 2)");
  for (const Outcome &outcome : runAll(body))
    expectReport(outcome, ReportKind::ReadAfterWrite, at(body, "%v0 = load"),
                 at(body, "cp.async.cg"));
}

TEST(CopyAsync, NoWait) {
  std::string body =
      edit(kPipeline, "call void @llvm.nvvm.cp.async.wait.group(i32 0)", "");
  for (const Outcome &outcome : runAll(body))
    expectReport(outcome, ReportKind::ReadAfterWrite, at(body, "%v1 = load"),
                 at(body, "cp.async.ca"));
}

// Waiting makes a copy known to its own thread only.
TEST(CopyAsync, WaitWithoutBarrier) {
  std::string body =
      edit(kPipeline,
           "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)", "");
  for (const Outcome &outcome : runAll(body)) {
    // The neighbour's copy may even be issued later than the load.
    bool early = false, late = false;
    for (const Report &report : outcome.reports) {
      early |= report.kind == ReportKind::ReadAfterWrite &&
               report.site.location == at(body, "%v0 = load") &&
               report.other.location == at(body, "cp.async.cg");
      late |= report.kind == ReportKind::WriteAfterRead &&
              report.site.location == at(body, "cp.async.cg") &&
              report.other.location == at(body, "%v0 = load");
    }
    EXPECT_TRUE(early || late) << outcome.text();
  }
}

TEST(CopyAsync, NotCommitted) {
  std::string body = edit(kPipeline,
                          "call void @llvm.nvvm.cp.async.commit.group()\n"
                          "call void @llvm.nvvm.cp.async.wait.group(i32 1)",
                          "\ncall void @llvm.nvvm.cp.async.wait.group(i32 0)");
  for (const Outcome &outcome : runAll(body))
    expectReport(outcome, ReportKind::ReadAfterWrite, at(body, "%v1 = load"),
                 at(body, "cp.async.ca"));
  std::string all =
      edit(body, "wait.group(i32 0)\ncall void @llvm.nvvm.barrier",
           "wait.all()\ncall void @llvm.nvvm.barrier");
  for (const Outcome &outcome : runAll(all))
    expectClean(outcome);
}

// The copy into a stage that is still being read.
TEST(CopyAsync, OverwritesWhatIsRead) {
  std::string body =
      edit(kPipeline, "call void @llvm.nvvm.cp.async.wait.group(i32 0)", R"(
call void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3) %s0, ptr addrspace(1) %g1)
call void @llvm.nvvm.cp.async.wait.all())");
  for (const Outcome &outcome : runAll(body)) {
    EXPECT_FALSE(outcome.reports.empty());
    for (const Report &report : outcome.reports)
      EXPECT_TRUE(report.kind == ReportKind::WriteAfterRead ||
                  report.kind == ReportKind::ReadAfterWrite)
          << report.text;
  }
}

TEST(CopyAsync, OutOfBounds) {
  std::string global = edit(kPipeline, "ptr addrspace(1) %in, i32 %u",
                            "ptr addrspace(1) %in, i32 256");
  for (const Outcome &outcome : runAll(global))
    expectReport(outcome, ReportKind::GlobalOutOfBounds,
                 at(global, "cp.async.ca"));
  std::string shared = edit(kPipeline, "ptr addrspace(3) @tile, i32 %u",
                            "ptr addrspace(3) @tile, i32 300");
  for (const Outcome &outcome : runAll(shared))
    EXPECT_FALSE(ofKind(outcome, ReportKind::SharedOutOfBounds).empty());
}

TEST(CopyAsync, Misaligned) {
  std::string body = edit(
      kPipeline, "%g0 = getelementptr <4 x i32>, ptr addrspace(1) %in, i32 %t",
      "%g0 = getelementptr i8, ptr addrspace(1) %in, i32 8");
  for (const Outcome &outcome : runAll(body))
    expectReport(outcome, ReportKind::Misaligned, at(body, "cp.async.cg"));
}

TEST(CopyAsync, ArriveOnMbarrier) {
  std::string globals =
      std::string(kGlobals) +
      "@bar = internal addrspace(3) global i64 undef, align 8\n";
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%first = icmp eq i32 %t, 0
br i1 %first, label %init, label %go
init:
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) @bar, i32 64)
br label %go
go:
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
%n = xor i32 %t, 63
%s0 = getelementptr <4 x i32>, ptr addrspace(3) @tile, i32 %t
%q0 = getelementptr <4 x i32>, ptr addrspace(3) @tile, i32 %n
%g0 = getelementptr <4 x i32>, ptr addrspace(1) %in, i32 %t
call void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3) %s0, ptr addrspace(1) %g0)
call void @llvm.nvvm.cp.async.mbarrier.arrive.noinc.shared(ptr addrspace(3) @bar)
call void asm sideeffect "{\0A.reg .pred P1;\0ALW:\0Ambarrier.try_wait.parity.shared::cta.b64 P1, [$0], $1;\0A@P1 bra LD;\0Abra LW;\0ALD:\0A}", "r,r"(ptr addrspace(3) @bar, i32 0)
%v = load <4 x i32>, ptr addrspace(3) %q0, align 16
%o = getelementptr <4 x i32>, ptr addrspace(1) %out, i32 %t
store <4 x i32> %v, ptr addrspace(1) %o, align 16
ret void
)";
  TestKernel kernel = TestKernel::make(
      "ptr addrspace(1) %in, ptr addrspace(1) %out", body, globals);
  ASSERT_EQ(kernel.error(), "");
  for (const LaunchConfig &config : allModes(64)) {
    Array<uint32_t> in(256, 3), out(256);
    expectClean(kernel.launch(config, {in.buffer("in"), out.buffer("out")},
                              {in.argument(), out.argument()}));
    EXPECT_EQ(out.values, in.values);
  }
}

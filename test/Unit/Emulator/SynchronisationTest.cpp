//===- SynchronisationTest.cpp - barriers and mbarriers -------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace harness;

namespace {
const char *kGlobals =
    "@bar = internal addrspace(3) global [2 x i64] undef, align 8\n"
    "@tile = internal addrspace(3) global [512 x i8] undef, align 16\n";

std::vector<Outcome> runAll(const std::string &body, uint32_t threads,
                            std::vector<uint32_t> *values = nullptr) {
  TestKernel kernel = TestKernel::make("ptr addrspace(1) %out", body, kGlobals);
  EXPECT_EQ(kernel.error(), "");
  std::vector<Outcome> outcomes;
  for (const LaunchConfig &config : allModes(threads)) {
    Array<uint32_t> out(256);
    outcomes.push_back(
        kernel.launch(config, {out.buffer("out")}, {out.argument()}));
    if (values)
      *values = out.values;
  }
  return outcomes;
}

void expectAllClean(const std::string &body, uint32_t threads,
                    std::vector<uint32_t> *values = nullptr) {
  for (const Outcome &outcome : runAll(body, threads, values))
    expectClean(outcome);
}

/// Producer warp and consumer warp, four rounds of a ring of one stage: bar[0]
/// is full, bar[1] empty.
const char *kRing = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%full = getelementptr i64, ptr addrspace(3) @bar, i32 0
%empty = getelementptr i64, ptr addrspace(3) @bar, i32 1
%l = and i32 %t, 31
%p = getelementptr i32, ptr addrspace(3) @tile, i32 %l
%first = icmp eq i32 %t, 0
br i1 %first, label %init, label %start
init:
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) %full, i32 32)
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) %empty, i32 32)
br label %start
start:
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
%produces = icmp ult i32 %t, 32
br label %loop
loop:
%i = phi i32 [ 0, %start ], [ %next, %latch ]
%sum = phi i32 [ 0, %start ], [ %total, %latch ]
%parity = and i32 %i, 1
%before = xor i32 %parity, 1
br i1 %produces, label %producer, label %consumer
producer:
call void asm sideeffect "{\0A.reg .pred P1;\0ALW:\0Ambarrier.try_wait.parity.shared::cta.b64 P1, [$0], $1;\0A@P1 bra LD;\0Abra LW;\0ALD:\0A}", "r,r"(ptr addrspace(3) %empty, i32 %before)
%v = add i32 %i, %l
store i32 %v, ptr addrspace(3) %p, align 4
%s1 = call i64 @llvm.nvvm.mbarrier.arrive.shared(ptr addrspace(3) %full)
br label %latch
consumer:
call void asm sideeffect "{\0A.reg .pred P1;\0ALW:\0Ambarrier.try_wait.parity.shared::cta.b64 P1, [$0], $1;\0A@P1 bra LD;\0Abra LW;\0ALD:\0A}", "r,r"(ptr addrspace(3) %full, i32 %parity)
%w = load i32, ptr addrspace(3) %p, align 4
%s2 = call i64 @llvm.nvvm.mbarrier.arrive.shared(ptr addrspace(3) %empty)
%more = add i32 %sum, %w
br label %latch
latch:
%total = phi i32 [ %sum, %producer ], [ %more, %consumer ]
%next = add i32 %i, 1
%again = icmp ult i32 %next, 4
br i1 %again, label %loop, label %done
done:
%o = getelementptr i32, ptr addrspace(1) %out, i32 %t
store i32 %total, ptr addrspace(1) %o, align 4
ret void
)";
} // namespace

// The result of a reduction must be that of all predicates, not of those in
// when a thread was woken.
TEST(Synchronisation, BarrierReductions) {
  for (auto [op, bound, wanted] :
       {std::tuple("popc", 100, 100u), std::tuple("and", 100, 0u),
        std::tuple("and", 128, 1u), std::tuple("or", 1, 1u),
        std::tuple("or", 0, 0u)}) {
    std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%c = icmp ult i32 %t, BOUND
%r = call TYPE @llvm.nvvm.barrier.cta.red.OP.aligned.all(i32 0, i1 %c)
CONVERT
%o = getelementptr i32, ptr addrspace(1) %out, i32 %t
store i32 %z, ptr addrspace(1) %o, align 4
ret void
)";
    bool counts = std::string(op) == "popc";
    body = edit(edit(body, "BOUND", std::to_string(bound)), "OP", op);
    body = edit(body, "TYPE", counts ? "i32" : "i1");
    body = edit(body, "CONVERT",
                counts ? "%z = add i32 %r, 0" : "%z = zext i1 %r to i32");
    std::vector<uint32_t> out;
    expectAllClean(body, 128, &out);
    for (uint32_t i = 0; i < 128; ++i)
      EXPECT_EQ(out[i], wanted) << op << bound;
  }
}

// Threads that have ended are not waited for by a barrier of all.
TEST(Synchronisation, BarrierWithoutEndedThreads) {
  expectAllClean(R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%c = icmp ult i32 %t, 32
br i1 %c, label %done, label %sync
sync:
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
br label %done
done:
ret void
)",
                 128);
}

TEST(Synchronisation, BarrierCountsThatDiffer) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%c = icmp ult i32 %t, 32
%n = select i1 %c, i32 64, i32 64
call void @llvm.nvvm.barrier.cta.sync.count(i32 1, i32 %n)
ret void
)";
  expectAllClean(body, 64);
  std::string differ = edit(body, "i32 64, i32 64", "i32 64, i32 96");
  for (const Outcome &outcome : runAll(differ, 64)) {
    // Whether it is a deadlock too depends on who comes first.
    auto reports = ofKind(outcome, ReportKind::Barrier);
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(reports[0].site.location, at(body, "sync.count"));
  }
  std::string odd = edit(body, "i32 64, i32 64", "i32 33, i32 33");
  for (const Outcome &outcome : runAll(odd, 64))
    expectReport(outcome, ReportKind::Barrier, at(body, "sync.count"));
}

TEST(Synchronisation, BarrierThatTooFewReach) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 3, i32 96)
ret void
)";
  expectAllClean(body, 96);
  for (const Outcome &outcome : runAll(body, 64)) {
    expectReport(outcome, ReportKind::Deadlock, at(body, "sync.aligned.count"));
    EXPECT_FALSE(outcome.completed);
    EXPECT_NE(outcome.text().find("64 of 96 arrived"), std::string::npos);
  }
}

// Half of a warp at an operation of all of it.
TEST(Synchronisation, ShuffleWithAFullMaskInABranch) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%c = icmp ult i32 %t, 16
br i1 %c, label %low, label %high
low:
%a = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 65535, i32 %t, i32 0, i32 31)
br label %join
high:
%b = call i32 @llvm.nvvm.redux.sync.add(i32 %t, i32 -65536)
br label %join
join:
call void @llvm.nvvm.bar.warp.sync(i32 -1)
ret void
)";
  expectAllClean(body, 32);
  std::string wrong = edit(body, "idx.i32(i32 65535", "idx.i32(i32 -1");
  for (const Outcome &outcome : runAll(wrong, 32)) {
    ASSERT_EQ(outcome.reports.size(), 1u) << outcome.text();
    const Report &report = outcome.reports[0];
    EXPECT_EQ(report.kind, ReportKind::Deadlock);
    // Both places are named.
    EXPECT_NE(report.text.find(at(body, "%a = ")), std::string::npos)
        << report.text;
    EXPECT_NE(report.text.find(at(body, "bar.warp.sync")), std::string::npos);
  }
}

TEST(Synchronisation, LaneOutsideItsMask) {
  for (const Outcome &outcome : runAll(R"(
call void @llvm.nvvm.bar.warp.sync(i32 65535)
ret void)",
                                       32))
    expectReport(outcome, ReportKind::WarpMask, "k.cu:2:1");
}

TEST(Synchronisation, ShuffleFromALaneThatTakesNoPart) {
  for (const Outcome &outcome : runAll(R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%c = icmp ult i32 %t, 16
br i1 %c, label %low, label %done
low:
%a = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 65535, i32 %t, i32 20, i32 31)
br label %done
done:
ret void)",
                                       32))
    expectReport(outcome, ReportKind::WarpMask, "k.cu:6:1");
}

// Those that have ended are not waited for, whether they end before or after
// the others come.
TEST(Synchronisation, LanesThatHaveEnded) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%c = icmp ult i32 %t, 16
br i1 %c, label %low, label %done
low:
%a = call i32 @llvm.nvvm.redux.sync.add(i32 %t, i32 -1)
%o = getelementptr i32, ptr addrspace(1) %out, i32 %t
store i32 %a, ptr addrspace(1) %o, align 4
br label %done
done:
ret void
)";
  std::vector<uint32_t> out;
  expectAllClean(body, 32, &out);
  EXPECT_EQ(out[3], 120u);
  // An operation of the whole warp needs them.
  std::string whole =
      edit(body, "call i32 @llvm.nvvm.redux.sync.add(i32 %t, i32 -1)",
           "call i32 asm sideeffect \"movmatrix.sync.aligned.m8n8.trans.b16 "
           "$0, $1;\", \"=r,r\"(i32 %t)");
  for (const Outcome &outcome : runAll(whole, 32))
    expectReport(outcome, ReportKind::ExitedLane, at(whole, "movmatrix"));
}

TEST(Synchronisation, AlignedBarrierInHalfAWarp) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%h = and i32 %t, 16
%c = icmp eq i32 %h, 0
br i1 %c, label %low, label %high
low:
call void @llvm.nvvm.barrier.cta.sync.count(i32 1, i32 32)
br label %done
high:
call void @llvm.nvvm.barrier.cta.sync.count(i32 2, i32 32)
br label %done
done:
ret void
)";
  expectAllClean(body, 64);
  std::string aligned =
      edit(body, "sync.count(i32 1", "sync.aligned.count(i32 1");
  for (const Outcome &outcome : runAll(aligned, 64))
    expectReport(outcome, ReportKind::WarpDivergence,
                 at(aligned, "sync.aligned"));
}

TEST(Synchronisation, AlignedOperationsAtDifferentPlaces) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%c = icmp ult i32 %t, 16
br i1 %c, label %low, label %high
low:
%a = call i32 asm sideeffect "movmatrix.sync.aligned.m8n8.trans.b16 $0, $1;", "=r,r"(i32 %t)
br label %done
high:
%b = call i32 asm sideeffect "movmatrix.sync.aligned.m8n8.trans.b16 $0, $1;", "=r,r"(i32 %t)
br label %done
done:
ret void)";
  for (const Outcome &outcome : runAll(body, 32)) {
    auto reports = ofKind(outcome, ReportKind::WarpDivergence);
    ASSERT_EQ(reports.size(), 1u) << outcome.text();
  }
}

TEST(Synchronisation, RingOfMbarriers) {
  std::vector<uint32_t> out;
  expectAllClean(kRing, 64, &out);
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(out[32 + i], 6 + 4 * i);
}

TEST(Synchronisation, ProducerThatDoesNotWait) {
  std::string body = edit(kRing, "(ptr addrspace(3) %empty, i32 %before)",
                          "(ptr addrspace(3) %empty, i32 1)");
  uint32_t races = 0, deadlocks = 0;
  for (const Outcome &outcome : runAll(body, 64)) {
    EXPECT_FALSE(outcome.clean());
    bool races1 = false;
    for (const Report &report : outcome.reports) {
      races1 |= report.site.location == at(body, "store i32 %v") ||
                report.other.location == at(body, "store i32 %v");
      deadlocks += report.kind == ReportKind::Deadlock;
    }
    races += races1;
    // A producer that is done before the consumer begins leaves it waiting.
    if (!races1)
      expectAbout(outcome, {at(body, "(ptr addrspace(3) %full, i32 %parity)")});
  }
  EXPECT_GT(races, 0u);
  EXPECT_GT(deadlocks, 0u);
}

TEST(Synchronisation, ConsumerThatDoesNotWait) {
  std::string body = edit(kRing, "(ptr addrspace(3) %full, i32 %parity)",
                          "(ptr addrspace(3) %full, i32 1)");
  for (const Outcome &outcome : runAll(body, 64))
    expectAbout(outcome, {at(body, "%w = load"),
                          at(body, "(ptr addrspace(3) %full, i32 1)")});
}

TEST(Synchronisation, MbarrierOfTooManyArrivals) {
  std::string body =
      edit(kRing, "mbarrier.init.shared(ptr addrspace(3) %full, i32 32)",
           "mbarrier.init.shared(ptr addrspace(3) %full, i32 31)");
  // The early phase lets the consumer read what the last lane has not written.
  for (const Outcome &outcome : runAll(body, 64))
    expectAbout(outcome, {at(body, "%w = load")});
}

TEST(Synchronisation, ArrivalsBeyondTheCount) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%first = icmp eq i32 %t, 0
br i1 %first, label %init, label %done
init:
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) @bar, i32 4)
%s = call i64 @llvm.nvvm.mbarrier.arrive.scope.cta.space.cta(ptr addrspace(3) @bar, i32 4)
br label %done
done:
ret void
)";
  expectAllClean(body, 32);
  std::string wrong = edit(body, "@bar, i32 4)\nbr", "@bar, i32 5)\nbr");
  for (const Outcome &outcome : runAll(wrong, 32))
    expectReport(outcome, ReportKind::Mbarrier, at(body, "%s = "),
                 at(body, "mbarrier.init"));
}

TEST(Synchronisation, MbarrierOfTooFewArrivalsIsADeadlock) {
  std::string body =
      edit(kRing, "mbarrier.init.shared(ptr addrspace(3) %full, i32 32)",
           "mbarrier.init.shared(ptr addrspace(3) %full, i32 33)");
  for (const Outcome &outcome : runAll(body, 64)) {
    ASSERT_EQ(ofKind(outcome, ReportKind::Deadlock).size(), 1u)
        << outcome.text();
    EXPECT_NE(outcome.text().find("1 of 33 arrivals"), std::string::npos)
        << outcome.text();
  }
}

TEST(Synchronisation, MbarrierLeftInTheMiddleOfAPhase) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%first = icmp eq i32 %t, 0
br i1 %first, label %init, label %done
init:
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) @bar, i32 2)
%s = call i64 @llvm.nvvm.mbarrier.arrive.shared(ptr addrspace(3) @bar)
%u = call i64 @llvm.nvvm.mbarrier.arrive.shared(ptr addrspace(3) @bar)
br label %done
done:
ret void
)";
  expectAllClean(body, 32);
  std::string wrong = edit(body, "@bar, i32 2)", "@bar, i32 3)");
  for (const Outcome &outcome : runAll(wrong, 32))
    expectReport(outcome, ReportKind::MbarrierAtExit,
                 at(body, "mbarrier.init"));
}

TEST(Synchronisation, MbarrierInitWithoutBarrier) {
  std::string body = edit(
      kRing, "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)", "");
  for (const Outcome &outcome : runAll(body, 64))
    expectAbout(outcome, {at(body, "mbarrier.init"),
                          at(body, "(ptr addrspace(3) %full, i32 %parity)"),
                          at(body, "(ptr addrspace(3) %empty, i32 %before)")});
}

TEST(Synchronisation, MbarrierInitialisedTwice) {
  std::string body = edit(kRing, "mbarrier.init.shared(ptr addrspace(3) %empty",
                          "mbarrier.init.shared(ptr addrspace(3) %full");
  for (const Outcome &outcome : runAll(body, 64))
    EXPECT_FALSE(ofKind(outcome, ReportKind::Mbarrier).empty());
}

TEST(Synchronisation, MbarrierClobbered) {
  std::string body = edit(kRing, "%w = load i32, ptr addrspace(3) %p",
                          "%w = load i32, ptr addrspace(3) %full");
  for (const Outcome &outcome : runAll(body, 64))
    expectReport(outcome, ReportKind::MbarrierClobber, at(body, "%w = load"),
                 at(body, "mbarrier.init.shared(ptr addrspace(3) %full"));
}

// A test that fails lets its thread do something else, and does not hang when
// nothing ever comes.
TEST(Synchronisation, MbarrierTestMayFail) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) @bar, i32 1)
%ok = call i1 @llvm.nvvm.mbarrier.test.wait.parity.scope.cta.space.cta(ptr addrspace(3) @bar, i32 0)
%z = zext i1 %ok to i32
%o = getelementptr i32, ptr addrspace(1) %out, i32 %t
store i32 %z, ptr addrspace(1) %o, align 4
%s = call i64 @llvm.nvvm.mbarrier.arrive.shared(ptr addrspace(3) @bar)
%yes = call i1 @llvm.nvvm.mbarrier.test.wait.shared(ptr addrspace(3) @bar, i64 %s)
%y = zext i1 %yes to i32
%o1 = getelementptr i32, ptr addrspace(1) %out, i32 1
store i32 %y, ptr addrspace(1) %o1, align 4
ret void
)";
  std::vector<uint32_t> out;
  expectAllClean(body, 1, &out);
  EXPECT_EQ(out[0], 0u);
  EXPECT_EQ(out[1], 1u);
  std::string spins = R"(
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) @bar, i32 1)
br label %loop
loop:
%ok = call i1 @llvm.nvvm.mbarrier.test.wait.parity.scope.cta.space.cta(ptr addrspace(3) @bar, i32 0)
br i1 %ok, label %done, label %loop
done:
ret void
)";
  for (const Outcome &outcome : runAll(spins, 1))
    expectReport(outcome, ReportKind::Deadlock, at(spins, "%ok = "));
}

//===- RaceTest.cpp - defects in the use of shared memory -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Every defect is a clean kernel with one change. The clean one must be clean
// in every mode, the other reported in every mode, with its place.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace harness;

namespace {
const char *kGlobals =
    "@tile = internal addrspace(3) global [1024 x i8] undef, align 16\n"
    "@other = internal addrspace(3) global [64 x i8] undef, align 16\n";
const char *kParameters = "ptr addrspace(1) %in, ptr addrspace(1) %out";

/// Each of 128 threads stores a word and loads that of thread 127 - t, twice.
const char *kExchange = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%u = sub i32 127, %t
%g = getelementptr i32, ptr addrspace(1) %in, i32 %t
%v = load i32, ptr addrspace(1) %g, align 4
%p = getelementptr i32, ptr addrspace(3) @tile, i32 %t
%q = getelementptr i32, ptr addrspace(3) @tile, i32 %u
store i32 %v, ptr addrspace(3) %p, align 4
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
%w = load i32, ptr addrspace(3) %q, align 4
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 1)
%x = add i32 %w, 1
store i32 %x, ptr addrspace(3) %p, align 4
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 2)
%y = load i32, ptr addrspace(3) %q, align 4
%o = getelementptr i32, ptr addrspace(1) %out, i32 %t
store i32 %y, ptr addrspace(1) %o, align 4
ret void
)";

std::vector<Outcome> runAll(const std::string &body, uint32_t threads = 128,
                            const std::string &globals = kGlobals) {
  TestKernel kernel = TestKernel::make(kParameters, body, globals);
  EXPECT_EQ(kernel.error(), "");
  std::vector<Outcome> outcomes;
  for (const LaunchConfig &config : allModes(threads)) {
    Array<uint32_t> in(256), out(256);
    for (uint32_t i = 0; i < 256; ++i)
      in[i] = i;
    outcomes.push_back(kernel.launch(config,
                                     {in.buffer("in"), out.buffer("out")},
                                     {in.argument(), out.argument()}));
  }
  return outcomes;
}

void expectAllClean(const std::string &body, uint32_t threads = 128) {
  for (const Outcome &outcome : runAll(body, threads))
    expectClean(outcome);
}

void expectAll(const std::string &body, ReportKind kind,
               const std::string &location, const std::string &other = "",
               uint32_t threads = 128) {
  for (const Outcome &outcome : runAll(body, threads))
    expectReport(outcome, kind, location, other);
}
} // namespace

TEST(Race, ExchangeIsClean) { expectAllClean(kExchange); }

// Without the first barrier: the load is too early. What it reads may also not
// be written at all yet.
TEST(Race, ReadAfterWrite) {
  std::string body =
      edit(kExchange,
           "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 2)", "");
  bool read = false;
  for (const Outcome &outcome : runAll(body)) {
    // A thread's second store may also overtake another one's load.
    EXPECT_FALSE(outcome.reports.empty());
    for (const Report &report : outcome.reports) {
      bool isRead = report.kind == ReportKind::ReadAfterWrite &&
                    report.site.location == at(body, "%y = load") &&
                    report.other.location == at(body, "store i32 %x");
      bool isWrite = report.kind == ReportKind::WriteAfterRead &&
                     report.site.location == at(body, "store i32 %x") &&
                     report.other.location == at(body, "%y = load");
      EXPECT_TRUE(isRead || isWrite) << report.text;
      read |= isRead;
    }
  }
  EXPECT_TRUE(read);
}

// Values alone do not show this one in every schedule.
TEST(Race, WriteAfterRead) {
  std::string body =
      edit(kExchange,
           "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 1)", "");
  for (const Outcome &outcome : runAll(body)) {
    EXPECT_FALSE(outcome.reports.empty());
    for (const Report &report : outcome.reports) {
      bool isWrite = report.kind == ReportKind::WriteAfterRead &&
                     report.site.location == at(body, "store i32 %x") &&
                     report.other.location == at(body, "%w = load");
      bool isRead = report.kind == ReportKind::ReadAfterWrite &&
                    report.site.location == at(body, "%w = load") &&
                    report.other.location == at(body, "store i32 %x");
      EXPECT_TRUE(isWrite || isRead) << report.text;
    }
  }
}

TEST(Race, WriteAfterWrite) {
  std::string body = edit(kExchange, "ptr addrspace(3) @tile, i32 %t",
                          "ptr addrspace(3) @tile, i32 0");
  for (const Outcome &outcome : runAll(body))
    EXPECT_FALSE(ofKind(outcome, ReportKind::WriteAfterWrite).empty());
}

TEST(Race, Uninitialised) {
  std::string body =
      edit(kExchange, "%q = getelementptr i32, ptr addrspace(3) @tile, i32 %u",
           "%q = getelementptr i32, ptr addrspace(3) @tile, i32 200");
  for (const Outcome &outcome : runAll(body))
    expectReport(outcome, ReportKind::Uninitialised, at(body, "%w = load"));
}

TEST(Race, SharedOutOfBounds) {
  expectAll(edit(kExchange, "@tile, i32 %u", "@tile, i32 4000"),
            ReportKind::SharedOutOfBounds, at(kExchange, "%w = load"));
}

// Behind one variable is not yet the next one.
TEST(Race, BetweenVariables) {
  expectAll(edit(kExchange, "@tile, i32 %u", "@tile, i32 257"),
            ReportKind::SharedOutOfBounds, at(kExchange, "%w = load"));
}

TEST(Race, Misaligned) {
  std::string body =
      edit(kExchange, "%w = load i32, ptr addrspace(3) %q, align 4",
           "%w = load i32, ptr addrspace(3) %q, align 8");
  expectAll(body, ReportKind::Misaligned, at(body, "%w = load"));
}

// A shuffle tells a value, not that memory is ready.
TEST(Race, ShufflesDoNotOrder) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%u = xor i32 %t, 1
%p = getelementptr i32, ptr addrspace(3) @tile, i32 %t
%q = getelementptr i32, ptr addrspace(3) @tile, i32 %u
store i32 %t, ptr addrspace(3) %p, align 4
SYNC
%w = load i32, ptr addrspace(3) %q, align 4
%o = getelementptr i32, ptr addrspace(1) %out, i32 %t
store i32 %w, ptr addrspace(1) %o, align 4
ret void
)";
  expectAllClean(
      edit(body, "SYNC", "call void @llvm.nvvm.bar.warp.sync(i32 -1)"), 64);
  for (const char *operation :
       {"%z = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 -1, i32 %t, i32 0, i32 "
        "31)",
        "%z = call i32 @llvm.nvvm.vote.ballot.sync(i32 -1, i1 true)",
        "%z = call i32 @llvm.nvvm.redux.sync.add(i32 %t, i32 -1)"})
    expectAll(edit(body, "SYNC", operation), ReportKind::ReadAfterWrite,
              at(body, "%w = load"), at(body, "store i32 %t"), 64);
}

// bar.warp.sync orders its warp only.
TEST(Race, WarpSyncDoesNotOrderOtherWarps) {
  std::string body = edit(
      kExchange, "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)",
      "call void @llvm.nvvm.bar.warp.sync(i32 -1)");
  for (const Outcome &outcome : runAll(body))
    expectAbout(outcome, {at(body, "%w = load")});
}

// The producer arrives, the consumer waits: one direction is ordered.
TEST(Race, NamedBarriers) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%l = and i32 %t, 63
%p = getelementptr i32, ptr addrspace(3) @tile, i32 %l
%c = icmp ult i32 %t, 64
br i1 %c, label %producer, label %consumer
producer:
store i32 %t, ptr addrspace(3) %p, align 4
call void @llvm.nvvm.barrier.cta.arrive.aligned.count(i32 1, i32 128)
call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 2, i32 128)
store i32 0, ptr addrspace(3) %p, align 4
ret void
consumer:
call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 1, i32 128)
%w = load i32, ptr addrspace(3) %p, align 4
call void @llvm.nvvm.barrier.cta.arrive.aligned.count(i32 2, i32 128)
%o = getelementptr i32, ptr addrspace(1) %out, i32 %t
store i32 %w, ptr addrspace(1) %o, align 4
ret void
)";
  expectAllClean(body);
  // An arrival does not wait: with it in place of the second sync, the store
  // comes too early.
  std::string early =
      edit(body, "sync.aligned.count(i32 2", "arrive.aligned.count(i32 2");
  for (const Outcome &outcome : runAll(early)) {
    EXPECT_FALSE(outcome.reports.empty());
    for (const Report &report : outcome.reports)
      EXPECT_TRUE(report.site.location == at(early, "store i32 0") ||
                  report.other.location == at(early, "store i32 0"))
          << report.text;
  }
}

TEST(Race, AtomicsDoNotRaceWithEachOther) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%c = icmp eq i32 %t, 0
br i1 %c, label %zero, label %go
zero:
store i32 0, ptr addrspace(3) @tile, align 4
br label %go
go:
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
%a = atomicrmw add ptr addrspace(3) @tile, i32 1 monotonic, align 4
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
%w = load i32, ptr addrspace(3) @tile, align 4
%o = getelementptr i32, ptr addrspace(1) %out, i32 %t
store i32 %w, ptr addrspace(1) %o, align 4
ret void
)";
  expectAllClean(body);
  std::string plain = edit(
      body,
      "%a = atomicrmw add ptr addrspace(3) @tile, i32 1 monotonic, align 4",
      "store i32 1, ptr addrspace(3) @tile, align 4");
  expectAll(plain, ReportKind::WriteAfterWrite, at(body, "%a = "),
            at(body, "%a = "));
}

// A flag that is released and acquired orders what was stored before it.
TEST(Race, ReleaseAndAcquire) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%flag = getelementptr i32, ptr addrspace(3) @tile, i32 64
%c = icmp eq i32 %t, 0
br i1 %c, label %zero, label %go
zero:
store i32 0, ptr addrspace(3) %flag, align 4
br label %go
go:
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
br i1 %c, label %give, label %take
give:
store i32 7, ptr addrspace(3) @tile, align 4
store atomic i32 1, ptr addrspace(3) %flag release, align 4
ret void
take:
%f = load atomic i32, ptr addrspace(3) %flag acquire, align 4
%g = icmp eq i32 %f, 1
br i1 %g, label %got, label %take
got:
%w = load i32, ptr addrspace(3) @tile, align 4
%o = getelementptr i32, ptr addrspace(1) %out, i32 %t
store i32 %w, ptr addrspace(1) %o, align 4
ret void
)";
  expectAllClean(body, 64);
  expectAll(edit(body, "%flag acquire", "%flag monotonic"),
            ReportKind::ReadAfterWrite, at(body, "%w = load"),
            at(body, "store i32 7"), 64);
}

TEST(Race, UncheckedRunsReportOnlyWhatIsOutOfBounds) {
  std::string body =
      edit(kExchange,
           "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 2)", "");
  TestKernel kernel = TestKernel::make(kParameters, body, kGlobals);
  LaunchConfig config = oneBlock(128);
  config.check = false;
  Array<uint32_t> in(256), out(256);
  expectClean(kernel.launch(config, {in.buffer("in"), out.buffer("out")},
                            {in.argument(), out.argument()}));
}

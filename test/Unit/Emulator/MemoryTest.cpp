//===- MemoryTest.cpp - global, local and parameter memory ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace harness;

namespace {
const char *kCopy = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%b = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
%n = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
%m = mul i32 %b, %n
%i = add i32 %m, %t
%g = getelementptr i32, ptr addrspace(1) %in, i32 %i
%v = load i32, ptr addrspace(1) %g, align 4
%o = getelementptr i32, ptr addrspace(1) %out, i32 %i
store i32 %v, ptr addrspace(1) %o, align 4
ret void
)";
const char *kParameters = "ptr addrspace(1) %in, ptr addrspace(1) %out";
} // namespace

TEST(Memory, BlocksInAnyNumberOfWorkers) {
  TestKernel kernel = TestKernel::make(kParameters, kCopy);
  ASSERT_EQ(kernel.error(), "");
  for (uint32_t workers : {1, 2, 3, 7}) {
    Array<uint32_t> in(640), out(640);
    for (uint32_t i = 0; i < 640; ++i)
      in[i] = i * 3;
    LaunchConfig config = oneBlock(64);
    config.grid.x = 10;
    config.workers = workers;
    Outcome outcome =
        kernel.launch(config, {in.buffer("in"), out.buffer("out")},
                      {in.argument(), out.argument()});
    expectClean(outcome);
    EXPECT_EQ(out.values, in.values);
    EXPECT_EQ(outcome.counts.bytesRead, 2560u);
    EXPECT_EQ(outcome.counts.bytesWritten, 2560u);
  }
}

// Reports of several blocks come in the order of blocks, whoever runs them.
TEST(Memory, ReportsDoNotDependOnWorkers) {
  TestKernel kernel = TestKernel::make(kParameters, kCopy);
  std::string first;
  for (uint32_t workers : {1, 2, 4}) {
    Array<uint32_t> in(640), out(500);
    LaunchConfig config = oneBlock(64);
    config.grid.x = 10;
    config.workers = workers;
    Outcome outcome =
        kernel.launch(config, {in.buffer("in"), out.buffer("out")},
                      {in.argument(), out.argument()});
    ASSERT_EQ(outcome.reports.size(), 1u);
    EXPECT_EQ(outcome.reports[0].count, 140u);
    EXPECT_EQ(outcome.reports[0].block.x, 7u);
    EXPECT_EQ(outcome.reports[0].thread, 52u);
    if (first.empty())
      first = outcome.text();
    EXPECT_EQ(outcome.text(), first);
  }
  EXPECT_EQ(first,
            "GLOBAL-OOB: block (7,0,0) thread 52 at store {k.cu:10:1} writes 4 "
            "bytes at out+2000 of 2000 (140 times)\n");
}

TEST(Memory, OutOfBoundsIsNotDone) {
  TestKernel kernel = TestKernel::make(kParameters, kCopy);
  Array<uint32_t> in(64, 5), out(64, 9);
  // Half of the array is the buffer.
  Buffer half = out.buffer("out");
  half.bytes /= 2;
  Outcome outcome = kernel.launch(oneBlock(64), {in.buffer("in"), half},
                                  {in.argument(), out.argument()});
  expectReport(outcome, ReportKind::GlobalOutOfBounds, at(kCopy, "store i32"));
  EXPECT_EQ(out[31], 5u);
  EXPECT_EQ(out[32], 9u);
  // Loads give ones, NaN in every format.
  Buffer less = in.buffer("in");
  less.bytes /= 2;
  outcome = kernel.launch(oneBlock(64), {less, out.buffer("out")},
                          {in.argument(), out.argument()});
  expectReport(outcome, ReportKind::GlobalOutOfBounds, at(kCopy, "%v = load"));
  EXPECT_EQ(out[63], ~0u);
}

TEST(Memory, ReadOnlyBuffers) {
  TestKernel kernel = TestKernel::make(kParameters, kCopy);
  Array<uint32_t> in(64, 5), out(64, 9);
  Buffer constant = out.buffer("out");
  constant.writable = false;
  Outcome outcome = kernel.launch(oneBlock(64), {in.buffer("in"), constant},
                                  {in.argument(), out.argument()});
  expectReport(outcome, ReportKind::GlobalOutOfBounds, at(kCopy, "store i32"));
  EXPECT_EQ(out[0], 9u);
}

TEST(Memory, NullPointer) {
  TestKernel kernel = TestKernel::make(kParameters, kCopy);
  Array<uint32_t> out(64);
  out.pointer = nullptr;
  Outcome outcome =
      kernel.launch(oneBlock(1), {}, {out.argument(), out.argument()});
  EXPECT_EQ(ofKind(outcome, ReportKind::GlobalOutOfBounds).size(), 2u);
}

TEST(Memory, Misaligned) {
  std::string body =
      edit(kCopy, "getelementptr i32, ptr addrspace(1) %in, i32 %i",
           "getelementptr i8, ptr addrspace(1) %in, i32 2");
  TestKernel kernel = TestKernel::make(kParameters, body);
  Array<uint32_t> in(64), out(64);
  Outcome outcome =
      kernel.launch(oneBlock(64), {in.buffer("in"), out.buffer("out")},
                    {in.argument(), out.argument()});
  expectReport(outcome, ReportKind::Misaligned, at(body, "%v = load"));
}

TEST(Memory, GenericPointersReachEverySpace) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%local = alloca [4 x i32], align 4
%g = addrspacecast ptr addrspace(1) %out to ptr
%s = addrspacecast ptr addrspace(3) @tile to ptr
%odd = and i32 %t, 1
%c = icmp eq i32 %odd, 1
store i32 40, ptr %s, align 4
store i32 2, ptr %local, align 4
%p = select i1 %c, ptr %s, ptr %local
%a = load i32, ptr %s, align 4
%b = load i32, ptr %p, align 4
%r = add i32 %a, %b
store i32 %r, ptr %g, align 4
ret void
)";
  TestKernel kernel = TestKernel::make(
      "ptr addrspace(1) %out", body,
      "@tile = internal addrspace(3) global [4 x i32] undef, align 4\n");
  ASSERT_EQ(kernel.error(), "");
  Array<uint32_t> out(1);
  expectClean(
      kernel.launch(oneBlock(1), {out.buffer("out")}, {out.argument()}));
  EXPECT_EQ(out[0], 42u);
}

TEST(Memory, ParametersByValue) {
  std::string body = R"(
%i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%p = getelementptr [4 x i32], ptr %args, i32 0, i32 %i
%v = load i32, ptr %p, align 4
%sum = add i32 %v, %more
%o = getelementptr i32, ptr addrspace(1) %out, i32 %i
store i32 %sum, ptr addrspace(1) %o, align 4
ret void
)";
  TestKernel kernel = TestKernel::make(
      "ptr byval([4 x i32]) align 16 %args, i32 %more, ptr addrspace(1) %out",
      body);
  ASSERT_EQ(kernel.error(), "");
  const Kernel &k = kernel.kernel();
  ASSERT_EQ(k.parameters.size(), 3u);
  EXPECT_EQ(k.parameters[0].bytes, 16u);
  EXPECT_EQ(k.parameters[0].alignment, 16u);
  EXPECT_TRUE(k.parameters[0].byValue);
  EXPECT_FALSE(k.parameters[1].byValue);
  Array<uint32_t> out(4);
  uint32_t values[4] = {1, 2, 3, 4}, more = 10;
  Outcome outcome = kernel.launch(oneBlock(4), {out.buffer("out")},
                                  {values, &more, out.argument()});
  expectClean(outcome);
  EXPECT_EQ(out.values, (std::vector<uint32_t>{11, 12, 13, 14}));
  EXPECT_EQ(outcome.counts.bytesRead, 0u);
}

TEST(Memory, AtomicsOnGlobalMemory) {
  std::string body = R"(
%a = atomicrmw add ptr addrspace(1) %out, i32 1 monotonic, align 4
%p = getelementptr float, ptr addrspace(1) %out, i32 1
%b = atomicrmw fadd ptr addrspace(1) %p, float 0.5 monotonic, align 4
%q = getelementptr i32, ptr addrspace(1) %out, i32 2
%c = cmpxchg ptr addrspace(1) %q, i32 0, i32 7 monotonic monotonic, align 4
ret void
)";
  TestKernel kernel = TestKernel::make("ptr addrspace(1) %out", body);
  ASSERT_EQ(kernel.error(), "");
  Array<uint32_t> out(4);
  LaunchConfig config = oneBlock(64);
  config.grid.x = 4;
  config.workers = 2;
  Outcome outcome =
      kernel.launch(config, {out.buffer("out")}, {out.argument()});
  expectClean(outcome);
  EXPECT_EQ(out[0], 256u);
  EXPECT_EQ(out[1], 0x43000000u); // 128.0
  EXPECT_EQ(out[2], 7u);
  EXPECT_EQ(outcome.counts.bytesRead, 256u * 12);
}

TEST(Memory, CopiesOfMemory) {
  std::string body = R"(
%p = getelementptr i8, ptr addrspace(1) %in, i32 4
call void @llvm.memcpy.p3.p1.i64(ptr addrspace(3) @tile, ptr addrspace(1) %p, i64 16, i1 false)
call void @llvm.memset.p3.i64(ptr addrspace(3) @tile, i8 1, i64 4, i1 false)
call void @llvm.memcpy.p1.p3.i64(ptr addrspace(1) %out, ptr addrspace(3) @tile, i64 16, i1 false)
ret void
)";
  TestKernel kernel = TestKernel::make(
      kParameters, body,
      "@tile = internal addrspace(3) global [4 x i32] undef, align 4\n");
  ASSERT_EQ(kernel.error(), "");
  Array<uint32_t> in(5), out(4);
  for (uint32_t i = 0; i < 5; ++i)
    in[i] = i;
  Outcome outcome =
      kernel.launch(oneBlock(1), {in.buffer("in"), out.buffer("out")},
                    {in.argument(), out.argument()});
  expectClean(outcome);
  EXPECT_EQ(out.values, (std::vector<uint32_t>{0x01010101, 2, 3, 4}));
  EXPECT_EQ(outcome.counts.bytesRead, 16u);
}

TEST(Memory, TrapEndsItsThread) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%c = icmp eq i32 %t, 3
br i1 %c, label %bad, label %good
bad:
call void @llvm.trap()
unreachable
good:
ret void
)";
  TestKernel kernel = TestKernel::make("", body);
  Outcome outcome = kernel.launch(oneBlock(32), {}, {});
  expectReport(outcome, ReportKind::Trap, at(body, "llvm.trap"));
  EXPECT_EQ(outcome.reports[0].thread, 3u);
  EXPECT_TRUE(outcome.completed);
}

TEST(Memory, LoopThatPollsInVain) {
  std::string body = R"(
br label %loop
loop:
%v = load volatile i32, ptr addrspace(1) %in, align 4
%c = icmp eq i32 %v, 1
br i1 %c, label %done, label %loop
done:
ret void
)";
  TestKernel kernel = TestKernel::make(kParameters, body);
  Array<uint32_t> in(1), out(1);
  LaunchConfig config = oneBlock(2);
  config.maxPolls = 10000;
  Outcome outcome = kernel.launch(config, {in.buffer("in"), out.buffer("out")},
                                  {in.argument(), out.argument()});
  expectReport(outcome, ReportKind::Deadlock, at(body, "%v = load"));
}

//===- AccumulatorTest.cpp - accumulators read before the wait ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// These defects are found when a kernel is prepared. The kernels are launched
// with one thread of nothing to do: findings come with every launch.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace harness;

namespace {
#define MMA                                                                    \
  "call { float, float, float, float } asm sideeffect \"{\\0A.reg .pred "      \
  "p;\\0Asetp.ne.b32 p, 1, "                                                   \
  "0;\\0Awgmma.mma_async.sync.aligned.m64n8k16.f32.bf16"                       \
  ".bf16 {$0, $1, $2, $3}, $4, $5, p, 1, 1, 0, 0;\\0A}\\0A\", "                \
  "\"=f,=f,=f,=f,l,l,0,1,2,3\""
#define COMMIT "call void @llvm.nvvm.wgmma.commit_group.sync.aligned()"
#define WAIT(n) "call void @llvm.nvvm.wgmma.wait_group.sync.aligned(i64 " #n ")"
#define PIN "call float asm sideeffect \"\", \"=f,0\""

/// Runs nothing: the first branch leaves.
Outcome find(const std::string &body) {
  TestKernel kernel = TestKernel::make(
      "i1 %never, i64 %a, i64 %b, float %z, ptr addrspace(1) %out", R"(
br i1 %never, label %work, label %end
work:
)" + body + R"(
end:
ret void
)");
  EXPECT_EQ(kernel.error(), "");
  uint8_t never = 0;
  uint64_t descriptor = 0;
  float zero = 0;
  Array<float> out(16);
  return kernel.launch(
      oneBlock(1), {out.buffer("out")},
      {&never, &descriptor, &descriptor, &zero, out.argument()});
}

/// Lines of `body` start at line 4.
std::string place(const std::string &body, const std::string &fragment) {
  return at("\n\n\n" + body, fragment);
}

void expectFound(const std::string &body, const std::string &use,
                 const std::string &wgmma) {
  expectReport(find(body), ReportKind::WgmmaAccumulator, place(body, use),
               place(body, wgmma));
}
} // namespace

const char *kStraight =
    "%m = " MMA
    "(i64 %a, i64 %b, float %z, float %z, float %z, float %z)\n" COMMIT
    "\n" WAIT(0) "\n"
                 "%x = extractvalue { float, float, float, float } %m, 0\n"
                 "store float %x, ptr addrspace(1) %out, align 4\n"
                 "br label %end\n";

TEST(Accumulator, ReadAfterTheWait) { expectClean(find(kStraight)); }

TEST(Accumulator, ReadBeforeTheWait) {
  std::string body = edit(kStraight, WAIT(0), "");
  expectFound(body, "store float", "%m = ");
}

TEST(Accumulator, WaitForTooFewGroups) {
  expectFound(edit(kStraight, WAIT(0), WAIT(1)), "store float", "%m = ");
}

// A wait ends groups, not what is not committed yet.
TEST(Accumulator, WaitBeforeTheCommit) {
  expectFound(edit(kStraight, COMMIT "\n" WAIT(0), WAIT(0) "\n" COMMIT),
              "store float", "%m = ");
}

const char *kTwo =
    "%m = " MMA
    "(i64 %a, i64 %b, float %z, float %z, float %z, float %z)\n" COMMIT "\n"
    "%n = " MMA
    "(i64 %a, i64 %b, float %z, float %z, float %z, float %z)\n" COMMIT
    "\n" WAIT(
        1) "\n"
           "%x = extractvalue { float, float, float, float } %m, 0\n"
           "store float %x, ptr addrspace(1) %out, align 4\n" WAIT(
               0) "\n"
                  "%y = extractvalue { float, float, float, float } %n, 0\n"
                  "%s = fadd float %y, 1.0\n"
                  "store float %s, ptr addrspace(1) %out, align 4\n"
                  "br label %end\n";

TEST(Accumulator, OlderGroupMayBeRead) {
  expectClean(find(kTwo));
  expectFound(edit(kTwo, "%m, 0", "%n, 0"), "store float %x", "%n = ");
}

// Chains need no wait between them.
TEST(Accumulator, ChainsAndPins) {
  std::string body =
      "%m = " MMA "(i64 %a, i64 %b, float %z, float %z, float %z, float %z)\n"
      "%m0 = extractvalue { float, float, float, float } %m, 0\n"
      "%n = " MMA
      "(i64 %a, i64 %b, float %m0, float %z, float %z, float %z)\n" COMMIT
      "\n" WAIT(0) "\n"
                   "%n0 = extractvalue { float, float, float, float } %n, 0\n"
                   "%p = " PIN "(float %n0)\n"
                   "%s = fadd float %p, 1.0\n"
                   "store float %s, ptr addrspace(1) %out, align 4\n"
                   "br label %end\n";
  expectClean(find(body));
  // A pin before the wait does not make the value ready.
  std::string early = edit(edit(body, WAIT(0) "\n", ""), "%s = fadd",
                           "%q = " PIN "(float %p)\n%s = fadd");
  Outcome outcome = find(early);
  std::vector<Report> reports = ofKind(outcome, ReportKind::WgmmaAccumulator);
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports[0].site.location, place(early, "%s = fadd"));
  EXPECT_EQ(reports[0].site.op, "fadd");
}

const char *kLoop =
    R"(br label %loop
loop:
%i = phi i32 [ 0, %work ], [ %in, %next ]
%c = phi float [ 0.0, %work ], [ %x, %next ]
)"
    "%m = " MMA
    "(i64 %a, i64 %b, float %c, float %z, float %z, float %z)\n" COMMIT R"(
%x = extractvalue { float, float, float, float } %m, 0
br label %next
next:
)" WAIT(0) R"(
%s = fadd float %x, 1.0
store float %s, ptr addrspace(1) %out, align 4
%in = add i32 %i, 1
%more = icmp ult i32 %in, 4
br i1 %more, label %loop, label %end
)";

// The use in a later block, and behind the loop's back edge.
TEST(Accumulator, InALaterBlock) {
  expectClean(find(kLoop));
  std::string body = edit(kLoop, WAIT(0), "");
  expectFound(body, "%s = fadd", "%m = ");
}

TEST(Accumulator, AroundTheLoop) {
  // The value of the round before is read at the top; the wait is at the end.
  std::string body = edit(kLoop,
                          "%s = fadd float %x, 1.0\nstore float %s, ptr "
                          "addrspace(1) %out, align 4\n",
                          "");
  body = edit(body, "%m = ",
              "%s = fadd float %c, 1.0\nstore float %s, ptr addrspace(1) %out, "
              "align 4\n%m = ");
  expectClean(find(body));
  expectFound(edit(body, WAIT(0), WAIT(1)), "%s = fadd", "%m = ");
}

// A wait on one of two paths is none.
TEST(Accumulator, WaitOnOnePathOnly) {
  std::string body =
      "%m = " MMA
      "(i64 %a, i64 %b, float %z, float %z, float %z, float %z)\n" COMMIT R"(
br i1 %never, label %yes, label %both
yes:
)" WAIT(0) R"(
br label %both
both:
%x = extractvalue { float, float, float, float } %m, 0
store float %x, ptr addrspace(1) %out, align 4
br label %end
)";
  expectFound(body, "store float", "%m = ");
}

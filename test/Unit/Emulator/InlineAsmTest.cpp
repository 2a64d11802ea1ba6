//===- InlineAsmTest.cpp - inline PTX -------------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace harness;

namespace {
/// The error of preparing one asm of pointers %p, %s (32 bits, shared), numbers
/// %x, %y and a descriptor %d.
std::string errorOf(const std::string &asmText) {
  return TestKernel::make("ptr %p, i32 %s, i32 %x, i32 %y, float %f, i64 %d",
                          asmText + "\nret void\n")
      .error();
}
} // namespace

TEST(InlineAsm, FormsThatAreUnderstood) {
  for (
      const char *text : {
          R"(call void asm sideeffect "bar.sync $0, $1;", "r,r,~{memory}"(i32 %x, i32 %y))",
          R"(call void asm sideeffect "bar.sync 0;", ""())",
          R"(call void asm sideeffect "bar.arrive 1, 128;", ""())",
          R"(call void asm sideeffect "barrier.cta.sync.aligned $0, $1;", "r,r"(i32 %x, i32 %y))",
          R"(call void asm sideeffect "bar.warp.sync $0;", "r"(i32 %x))",
          R"(call void asm sideeffect "mbarrier.init.shared::cta.b64 [$0], $1;", "r,r"(i32 %s, i32 %x))",
          R"(call void asm sideeffect "@$2 mbarrier.init.shared.b64 [$0], $1;", "r,r,b"(i32 %s, i32 %x, i1 true))",
          R"(call void asm sideeffect "mbarrier.arrive.shared::cta.b64 _, [$0];", "r"(i32 %s))",
          R"(%r = call i64 asm sideeffect "mbarrier.arrive.shared::cta.b64 $0, [$1];", "=l,r"(i32 %s))",
          R"(call void asm sideeffect "mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], $1;", "r,r"(i32 %s, i32 %x))",
          R"(call void asm sideeffect "mbarrier.arrive.release.cta.shared::cta.b64 _, [$0], $1;", "r,r"(i32 %s, i32 %x))",
          R"(call void asm sideeffect "mbarrier.inval.shared::cta.b64 [$0];", "r"(i32 %s))",
          R"(%r = call i32 asm sideeffect "{\0A.reg .pred P;\0Ambarrier.try_wait.parity.shared::cta.b64 P, [$1], $2;\0Aselp.b32 $0, 1, 0, P;\0A}", "=r,r,r"(i32 %s, i32 %x))",
          R"(call void asm sideeffect "fence.proxy.async.shared::cta;", ""())",
          R"(call void asm sideeffect "fence.proxy.async;", ""())",
          R"(call void asm sideeffect "fence.mbarrier_init.release.cluster;", ""())",
          R"(call void asm sideeffect "cp.async.ca.shared.global [$0], [$1], 4;", "r,l"(i32 %s, ptr %p))",
          R"(call void asm sideeffect "cp.async.cg.shared.global.L2::128B [$0], [$1], 16, $2;", "r,l,r"(i32 %s, ptr %p, i32 %x))",
          R"(call void asm sideeffect "cp.async.ca.shared.global [$0], [$1], $2;", "r,l,n"(i32 %s, ptr %p, i32 8))",
          R"(call void asm sideeffect "cp.async.wait_all;", ""())",
          R"(call void asm sideeffect "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [$0], [$1, {$2, $3, $4, $5}], [$6];", "r,l,r,r,r,r,r"(i32 %s, ptr %p, i32 %x, i32 %x, i32 %x, i32 %x, i32 %s))",
          R"(call void asm sideeffect "cp.async.bulk.tensor.4d.global.shared::cta.tile.bulk_group [$0, {$2, $3, $4, $5}], [$1];", "l,r,r,r,r,r"(ptr %p, i32 %s, i32 %x, i32 %x, i32 %x, i32 %x))",
          R"(call void asm sideeffect "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [$0], [$1], $2, [$3];", "r,l,r,r"(i32 %s, ptr %p, i32 %x, i32 %s))",
          R"(call void asm sideeffect "cp.async.bulk.global.shared::cta.bulk_group [$0], [$1], $2;", "l,r,r"(ptr %p, i32 %s, i32 %x))",
          R"(call void asm sideeffect "cp.async.bulk.commit_group;", ""())",
          R"(call void asm sideeffect "cp.async.bulk.wait_group.read $0;", "n"(i32 0))",
          R"(call void asm sideeffect "setmaxnreg.inc.sync.aligned.u32 $0;", "n"(i32 232))",
          R"(call void asm sideeffect "wgmma.fence.sync.aligned;", ""())",
          R"(call void asm sideeffect "wgmma.commit_group.sync.aligned;", ""())",
          R"(call void asm sideeffect "wgmma.wait_group.sync.aligned $0;", "n"(i32 0))",
          R"(call void asm sideeffect "stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [$0], {$1, $2, $3, $4};", "r,r,r,r,r"(i32 %s, i32 %x, i32 %x, i32 %x, i32 %x))",
          R"(%r = call i32 asm "cvt.rn.f16x2.f32 $0, $1, $2;", "=r,f,f"(float %f, float %f))",
          R"(%r = call i32 asm "cvt.rna.tf32.f32 $0, $1;", "=r,f"(float %f))",
          R"(%r = call i32 asm "prmt.b32 $0, $1, $2, $3;", "=r,r,r,r"(i32 %x, i32 %y, i32 %x))",
          R"(%r = call i32 asm sideeffect "activemask.b32 $0;", "=r"())",
          R"(call void asm sideeffect "nanosleep.u32 $0;", "r"(i32 %x))",
          R"(call void asm sideeffect "griddepcontrol.wait;", ""())",
          R"(call void asm sideeffect "", "~{memory}"())",
      })
    EXPECT_EQ(errorOf(text), "") << text;
}

TEST(InlineAsm, FormsThatAreNot) {
  for (
      const char *text : {
          // Another size than cp.async has, or none that is known.
          R"(call void asm sideeffect "cp.async.ca.shared.global [$0], [$1], 12;", "r,l"(i32 %s, ptr %p))",
          R"(call void asm sideeffect "cp.async.ca.shared.global [$0], [$1], $2;", "r,l,r"(i32 %s, ptr %p, i32 %x))",
          R"(call void asm sideeffect "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [$0], [$1, {$2, $3}], [$4], $5;", "r,l,r,r,r,h"(i32 %s, ptr %p, i32 %x, i32 %x, i32 %s, i16 3))",
          R"(call void asm sideeffect "cp.async.bulk.tensor.3d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [$0], [$1, {$2, $3, $4}], [$5], {$6};", "r,l,r,r,r,r,h"(i32 %s, ptr %p, i32 %x, i32 %x, i32 %x, i32 %s, i16 3))",
          R"(call void asm sideeffect "mbarrier.arrive.shared::cluster.b64 _, [$0];", "r"(i32 %s))",
          R"(call void asm sideeffect "bar.red.popc.u32 $0, 0;", "r"(i32 %x))",
          R"(call void asm sideeffect "fence.acq_rel.gpu;", ""())",
          // Results in another order than the asm's outputs.
          R"(%r = call { i32, i32 } asm sideeffect "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {$1, $0}, [$2];", "=r,=r,r"(i32 %s))",
          // Through memory.
          R"(call void asm sideeffect "prmt.b32 $0, $1, $1, $1;", "=*m,r"(ptr elementtype(i32) %p, i32 %x))",
      })
    EXPECT_NE(errorOf(text), "") << text;
}

TEST(InlineAsm, PredicatesGuard) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%c = icmp eq i32 %t, 5
call void asm sideeffect "@$2 mbarrier.init.shared.b64 [$0], $1;", "r,r,b"(ptr addrspace(3) @bar, i32 32, i1 %c)
call void asm sideeffect "bar.sync 0;", ""()
call void asm sideeffect "mbarrier.arrive.shared::cta.b64 _, [$0];", "r"(ptr addrspace(3) @bar)
ret void
)";
  TestKernel kernel = TestKernel::make(
      "", body, "@bar = internal addrspace(3) global i64 undef, align 8\n");
  ASSERT_EQ(kernel.error(), "");
  for (const LaunchConfig &config : allModes(32)) {
    Outcome outcome = kernel.launch(config, {}, {});
    expectClean(outcome);
    EXPECT_EQ(outcome.counts.mbarrierPhases, 1u);
  }
}

// What pins are for is to hold values where they are: they are the identity.
TEST(InlineAsm, PinsAreTheIdentity) {
  std::string body = R"(
%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%a = add i32 %t, 1
%p = call i32 asm sideeffect "", "=r,0"(i32 %a)
%q = call { i32, i32 } asm sideeffect "", "=r,=r,0,1"(i32 %p, i32 7)
%x = extractvalue { i32, i32 } %q, 0
%y = extractvalue { i32, i32 } %q, 1
%z = mul i32 %x, %y
%o = getelementptr i32, ptr addrspace(1) %out, i32 %t
store i32 %z, ptr addrspace(1) %o, align 4
ret void
)";
  TestKernel kernel = TestKernel::make("ptr addrspace(1) %out", body);
  ASSERT_EQ(kernel.error(), "");
  Array<uint32_t> out(8);
  expectClean(
      kernel.launch(oneBlock(8), {out.buffer("out")}, {out.argument()}));
  for (uint32_t i = 0; i < 8; ++i)
    EXPECT_EQ(out[i], 7 * (i + 1));
}

//===- PrepareTest.cpp - what can be prepared, and what cannot ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace harness;

/// The error of preparing the body.
static std::string errorOf(const std::string &body,
                           const std::string &globals = "") {
  return TestKernel::make("ptr addrspace(1) %p, i32 %x, i64 %d",
                          body + "\nret void\n", globals)
      .error();
}

static void expectError(const std::string &body, const std::string &error,
                        const std::string &globals = "") {
  EXPECT_EQ(errorOf(body, globals), "cannot emulate the module: " + error);
}

TEST(Prepare, UnknownIntrinsicsAreErrors) {
  expectError("%r = call i32 @llvm.nvvm.idp4a.s.s(i32 %x, i32 %x, i32 %x)",
              "unknown operation 'idp4a.s.s' at k.cu:1:1");
  expectError("call void @llvm.nvvm.barrier.cluster.arrive()",
              "unknown operation 'barrier.cluster.arrive' at k.cu:1:1");
  expectError("%r = call i32 @llvm.nvvm.read.ptx.sreg.envreg3()",
              "unknown operation 'read.ptx.sreg.envreg3' at k.cu:1:1");
}

// Forms of known families that are not modelled must not pass as other forms.
TEST(Prepare, UnknownFormsAreErrors) {
  expectError("%m = call { i32, i32 } "
              "@llvm.nvvm.ldmatrix.sync.aligned.m16n16.x1.trans.b8.p3(ptr "
              "addrspace(3) @s)",
              "unknown operation 'ldmatrix.sync.aligned.m16n16.x1.trans.b8' at "
              "k.cu:1:1",
              "@s = internal addrspace(3) global [64 x i8] undef, align 16\n");
  expectError("%m = call { <2 x half>, <2 x half> } "
              "@llvm.nvvm.mma.m16n8k16.row.col.f16.f16(<2 x half> "
              "zeroinitializer, <2 x half> zeroinitializer, <2 x half> "
              "zeroinitializer, <2 x half> zeroinitializer, <2 x half> "
              "zeroinitializer, <2 x half> zeroinitializer, <2 x half> "
              "zeroinitializer, <2 x half> zeroinitializer)",
              "unknown operation 'mma.m16n8k16.row.col.f16.f16' at k.cu:1:1");
  expectError("%r = call float @llvm.nvvm.add.rz.f(float 1.0, float 2.0)",
              "unknown operation 'add.rz.f' at k.cu:1:1");
  expectError(
      "%r = call float @llvm.nvvm.redux.sync.fmax.abs(float 1.0, i32 -1)",
      "unknown operation 'redux.sync.fmax.abs' at k.cu:1:1");
}

TEST(Prepare, UnknownAssemblyIsAnError) {
  expectError("%r = call i32 asm \"popc.b32 $0, $1;\", \"=r,r\"(i32 %x)",
              "unknown operation 'popc.b32' at k.cu:1:1");
  expectError("%r = call i32 asm \"mov.u32 $0, %smid;\", \"=r\"()",
              "unknown inline assembly 'mov.u32 $0, %smid;' at k.cu:1:1");
  expectError("%r = call i32 asm \"add.u32 $0, $1, 1; add.u32 $0, $0, 1;\", "
              "\"=r,r\"(i32 %x)",
              "unknown inline assembly 'add.u32 $0, $1, 1; add.u32 $0, $0, 1;' "
              "at k.cu:1:1");
  // f16 accumulators.
  std::string error = errorOf(
      "%m = call { i32, i32 } asm \"{ .reg .pred p; setp.ne.b32 p, 1, 0; "
      "wgmma.mma_async.sync.aligned.m64n8k16.f16.f16.f16 {$0, $1}, $2, $3, p, "
      "1, 1, 0, 0; }\", \"=r,=r,l,l,0,1\"(i64 %d, i64 %d, i32 0, i32 0)");
  EXPECT_NE(error.find("unknown inline assembly"), std::string::npos) << error;
}

TEST(Prepare, AllErrorsAtOnce) {
  expectError("call void @llvm.nvvm.barrier.cluster.arrive()\ncall void "
              "@llvm.nvvm.barrier.cluster.wait()",
              "unknown operation 'barrier.cluster.arrive' at k.cu:1:1; unknown "
              "operation 'barrier.cluster.wait' at k.cu:2:1");
}

TEST(Prepare, CallsThatCannotBeInlined) {
  expectError("%r = call float @__nv_expf(float 1.0)",
              "call of '__nv_expf', which is not there, at k.cu:1:1",
              "declare float @__nv_expf(float)\n");
  TestKernel kernel(R"(
target triple = "nvptx64-nvidia-cuda"
define i32 @f(i32 %n) {
  %m = sub i32 %n, 1
  %c = icmp eq i32 %m, 0
  br i1 %c, label %end, label %more
more:
  %r = call i32 @f(i32 %m)
  br label %end
end:
  ret i32 %n
}
define ptx_kernel void @k(i32 %n) {
  %r = call i32 @f(i32 %n)
  ret void
})");
  EXPECT_NE(kernel.error().find("cannot be inlined"), std::string::npos)
      << kernel.error();
}

TEST(Prepare, WhatNeedsALibrary) {
  std::string error = errorOf(
      "%y = sitofp i32 %x to float\n%r = call float "
      "@llvm.pow.f32(float %y, float %y)\nstore float %r, ptr addrspace(1) %p");
  EXPECT_EQ(error, "cannot emulate the module: it needs powf");
}

TEST(Prepare, Multicast) {
  expectError("call void @llvm.nvvm.cp.async.bulk.tensor.g2s.tile.2d(ptr "
              "addrspace(7) null, ptr addrspace(3) null, ptr null, i32 0, i32 "
              "0, i16 3, i64 0, i1 1, i1 0, i32 0)",
              "multicast copy at k.cu:1:1");
}

TEST(Prepare, DeviceFunctionsAreInlined) {
  TestKernel kernel(R"(
target triple = "nvptx64-nvidia-cuda"
define internal i32 @twice(i32 %x) noinline {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %s = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 -1, i32 %x, i32 1, i32 31)
  %r = add i32 %s, %t
  ret i32 %r
}
define ptx_kernel void @k(ptr addrspace(1) %out) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %r = call i32 @twice(i32 %t)
  %o = getelementptr i32, ptr addrspace(1) %out, i32 %t
  store i32 %r, ptr addrspace(1) %o, align 4
  ret void
})");
  ASSERT_EQ(kernel.error(), "");
  Array<uint32_t> out(32);
  expectClean(
      kernel.launch(oneBlock(32), {out.buffer("out")}, {out.argument()}));
  EXPECT_EQ(out[5], 6u);
}

TEST(Prepare, LocationWithoutDebugInformation) {
  TestKernel kernel(R"(
target triple = "nvptx64-nvidia-cuda"
define ptx_kernel void @k(ptr addrspace(1) %out) {
  store i32 1, ptr addrspace(1) %out, align 4
  ret void
})");
  Array<uint32_t> out(1);
  Outcome outcome = kernel.launch(oneBlock(1), {}, {out.argument()});
  ASSERT_EQ(outcome.reports.size(), 1u);
  EXPECT_EQ(outcome.reports[0].site.location,
            "store i32 1, ptr addrspace(1) %out, align 4");
}

TEST(Prepare, LimitOfThreads) {
  TestKernel kernel(R"(
target triple = "nvptx64-nvidia-cuda"
define ptx_kernel void @k() "nvvm.maxntid"="64,2,1" {
  ret void
})");
  EXPECT_EQ(kernel.kernel().maxThreads, 128u);
  EXPECT_TRUE(kernel.launch(oneBlock(128), {}, {}).clean());
  EXPECT_FALSE(kernel.launch(oneBlock(160), {}, {}).clean());
}

TEST(Prepare, ObjectIsSelfContained) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> module =
      llvm::parseAssemblyString(R"(
target triple = "nvptx64-nvidia-cuda"
@table = internal addrspace(4) constant [2 x i32] [i32 5, i32 6]
define ptx_kernel void @k(ptr addrspace(1) %out, float %x) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr i32, ptr addrspace(4) @table, i32 %t
  %v = load i32, ptr addrspace(4) %p, align 4
  %f = call float @llvm.fma.f32(float %x, float %x, float 3.0)
  %b = fptrunc float %f to bfloat
  store i32 %v, ptr addrspace(1) %out, align 4
  store bfloat %b, ptr addrspace(1) %out, align 2
  ret void
})",
                                diagnostic, context);
  ASSERT_TRUE(module);
  ASSERT_EQ(llvm::toString(prepare(*module)), "");
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  ASSERT_EQ(llvm::toString(emitObject(*module, stream)), "");
  auto object = llvm::cantFail(llvm::object::ObjectFile::createObjectFile(
      {llvm::StringRef(bytes.data(), bytes.size()), "k"}));
  bool entry = false, description = false;
  for (const auto &symbol : object->symbols()) {
    llvm::StringRef name = llvm::cantFail(symbol.getName());
    entry |= name == "k";
    description |= name == kDescriptionSymbol;
  }
  EXPECT_TRUE(entry);
  EXPECT_TRUE(description);
}

TEST(Prepare, DescriptionsOfAnotherKind) {
  std::string error;
  auto lookup = [](const std::string &) -> EntryFunction {
    return [](void *, void *const *) {};
  };
  EXPECT_EQ(Program::load("nonsense", lookup, error), nullptr);
  EXPECT_NE(error.find("expected a description that starts with"),
            std::string::npos);
  EXPECT_EQ(Program::load("qdelta-emulator\t999\n", lookup, error), nullptr);
  EXPECT_EQ(Program::load("qdelta-emulator\t1\nop\t0\t0\tno.such\tk.cu:1:1\n",
                          lookup, error),
            nullptr);
  EXPECT_EQ(
      error,
      "operations that the emulator does not know: 'no.such' at k.cu:1:1");
  EXPECT_EQ(
      Program::load("qdelta-emulator\t1\nkernel\tk\tx\t0\n", lookup, error),
      nullptr);
  EXPECT_EQ(error, "malformed line in the description: 'kernel\tk\tx\t0'");
  auto program =
      Program::load("qdelta-emulator\t1\nkernel\tk\t0\t0\n", lookup, error);
  ASSERT_NE(program, nullptr);
  EXPECT_NE(program->find("k"), nullptr);
  EXPECT_EQ(program->find("l"), nullptr);
  auto none = [](const std::string &) -> EntryFunction { return nullptr; };
  EXPECT_EQ(Program::load("qdelta-emulator\t1\nkernel\tk\t0\t0\n", none, error),
            nullptr);
  EXPECT_EQ(error, "no symbol for the kernel 'k'");
}

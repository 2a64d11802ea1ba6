//===- NVPTXTest.cpp - LLVM IR to PTX and cubins --------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Target/NVPTX.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"
#include "gtest/gtest.h"

#include <cstdlib>

using namespace qdelta;

static constexpr char scaleKernel[] = R"(
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
define ptx_kernel void @scale(ptr addrspace(1) %data) {
  %tid = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr float, ptr addrspace(1) %data, i32 %tid
  %x = load float, ptr addrspace(1) %p
  %y = fmul float %x, 2.0
  store float %y, ptr addrspace(1) %p
  ret void
}
)";

/// Selectable by no NVPTX target.
static constexpr char hostAsm[] = R"(
define ptx_kernel void @bad(ptr addrspace(1) %data) {
  %x = call double asm "", "={xmm0}"()
  store double %x, ptr addrspace(1) %data
  ret void
}
)";

static std::unique_ptr<llvm::Module> parse(llvm::LLVMContext &context,
                                           const char *text) {
  llvm::SMDiagnostic problem;
  auto module = llvm::parseAssemblyString(text, problem, context);
  EXPECT_TRUE(module) << problem.getMessage().str();
  return module;
}

TEST(NVPTX, Table) {
  for (const GpuTarget &target : gpuTargetTable())
    EXPECT_EQ(findGpuTarget(target.name), &target);
  EXPECT_EQ(findGpuTarget("sm_1"), nullptr);
  EXPECT_EQ(findGpuTarget("avx2"), nullptr);
}

TEST(NVPTX, EveryTargetHasPtx) {
  llvm::LLVMContext context;
  auto module = parse(context, scaleKernel);
  for (const GpuTarget &target : gpuTargetTable()) {
    auto ptx = emitPtx(*module, target);
    ASSERT_TRUE(bool(ptx)) << llvm::toString(ptx.takeError());
    std::string line = (".target " + target.name).str();
    EXPECT_NE(ptx->find(line), std::string::npos) << *ptx;
    EXPECT_NE(ptx->find(".visible .entry scale("), std::string::npos);
  }
  // The caller's module is as it was.
  EXPECT_TRUE(module->getTargetTriple().empty());
}

TEST(NVPTX, UnselectableCodeIsAnError) {
  llvm::LLVMContext context;
  auto module = parse(context, hostAsm);
  auto ptx = emitPtx(*module, *findGpuTarget("sm_80"));
  ASSERT_FALSE(bool(ptx));
  EXPECT_EQ(
      llvm::toString(ptx.takeError()).rfind("cannot make PTX for sm_80: ", 0),
      0u);
}

TEST(NVPTX, Assemble) {
  if (auto ptxas = findPtxas(); !ptxas)
    GTEST_SKIP() << llvm::toString(ptxas.takeError());
  llvm::LLVMContext context;
  auto module = parse(context, scaleKernel);
  for (const GpuTarget &target : gpuTargetTable()) {
    auto ptx = emitPtx(*module, target);
    ASSERT_TRUE(bool(ptx)) << llvm::toString(ptx.takeError());
    auto assembly = assemble(*ptx, target);
    ASSERT_TRUE(bool(assembly)) << llvm::toString(assembly.takeError());
    EXPECT_EQ(assembly->cubin.substr(1, 3), "ELF");
    ASSERT_EQ(assembly->functions.size(), 1u);
    EXPECT_EQ(assembly->functions[0].name, "scale");
    EXPECT_GT(assembly->functions[0].registers, 0);
    EXPECT_EQ(assembly->functions[0].spillStores, 0);
    EXPECT_TRUE(assembly->warnings.empty());
  }
}

TEST(NVPTX, WrongPtxIsAnError) {
  if (auto ptxas = findPtxas(); !ptxas)
    GTEST_SKIP() << llvm::toString(ptxas.takeError());
  auto assembly = assemble("no ptx", *findGpuTarget("sm_80"));
  ASSERT_FALSE(bool(assembly));
  EXPECT_EQ(llvm::toString(assembly.takeError())
                .rfind("ptxas cannot assemble for sm_80: ", 0),
            0u);
}

TEST(NVPTX, NoPtxas) {
  std::string path = getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  setenv("CUDA_HOME", "/nowhere/cuda", 1);
  std::vector<std::string> folders = ptxasFolders();
  auto ptxas = findPtxas({"/nowhere/cuda/bin", "/nowhere/toolkit/bin"});
  setenv("PATH", path.c_str(), 1);
  unsetenv("CUDA_HOME");
  EXPECT_EQ(folders.front(), "/nowhere/cuda/bin");
  EXPECT_EQ(folders.size(), 3u);
  EXPECT_EQ(llvm::toString(ptxas.takeError()),
            "found no ptxas in PATH, /nowhere/cuda/bin, /nowhere/toolkit/bin; "
            "tools/dev/setup.sh installs one");
}

TEST(NVPTX, PtxasOutput) {
  Assembly result = parsePtxasOutput(
      "ptxas info    : 0 bytes gmem\n"
      "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async "
      "instructions are serialized due to insufficient registers\n"
      "ptxas info    : Compiling entry function 'a' for 'sm_90a'\n"
      "ptxas info    : Function properties for a\n"
      "    56 bytes stack frame, 48 bytes spill stores, 52 bytes spill loads\n"
      "ptxas info    : Used 168 registers, used 16 barriers, 56 bytes "
      "cumulative stack size, 1024 bytes smem\n"
      "ptxas info    : Compiling entry function 'b' for 'sm_90a'\n"
      "ptxas info    : Used 24 registers, used 0 barriers\n"
      "ptxas warning : Value of threads per SM is out of range\n");
  ASSERT_EQ(result.functions.size(), 2u);
  EXPECT_EQ(result.functions[0].name, "a");
  EXPECT_EQ(result.functions[0].registers, 168);
  EXPECT_EQ(result.functions[0].stackBytes, 56);
  EXPECT_EQ(result.functions[0].spillStores, 48);
  EXPECT_EQ(result.functions[0].spillLoads, 52);
  EXPECT_EQ(result.functions[0].sharedBytes, 1024);
  EXPECT_EQ(result.functions[0].barriers, 16);
  EXPECT_EQ(result.functions[1].name, "b");
  EXPECT_EQ(result.functions[1].registers, 24);
  EXPECT_EQ(result.functions[1].sharedBytes, 0);
  EXPECT_EQ(result.functions[1].barriers, 0);
  ASSERT_EQ(result.warnings.size(), 2u);
  EXPECT_NE(result.warnings[0].find("(C7510)"), std::string::npos);
}

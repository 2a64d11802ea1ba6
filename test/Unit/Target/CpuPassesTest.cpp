//===- CpuPassesTest.cpp - LLVM IR before code generation for CPUs --------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Target/CpuPasses.h"

#include "qdelta/Target/TargetTable.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"
#include "gtest/gtest.h"

#include <vector>

using namespace qdelta;

static constexpr char doubleRow[] = R"(
define void @double(ptr %row) {
  %x = load <64 x float>, ptr %row, align 4
  %y = fadd <64 x float> %x, %x
  store <64 x float> %y, ptr %row, align 4
  ret void
}
)";

namespace {
/// Bytes from the row's start that instructions load or store, in their order.
struct Accesses {
  std::vector<int64_t> loads, stores;
};
} // namespace

static Accesses accessesOf(llvm::Function &function) {
  const llvm::DataLayout &layout = function.getParent()->getDataLayout();
  Accesses found;
  for (llvm::Instruction &op : llvm::instructions(function)) {
    const llvm::Value *pointer = llvm::getLoadStorePointerOperand(&op);
    if (!pointer)
      continue;
    llvm::APInt bytes(64, 0);
    pointer = pointer->stripAndAccumulateConstantOffsets(layout, bytes, true);
    EXPECT_EQ(pointer, function.getArg(0));
    auto &list = llvm::isa<llvm::LoadInst>(op) ? found.loads : found.stores;
    list.push_back(bytes.getSExtValue());
  }
  return found;
}

static Accesses accessesOnTarget(llvm::StringRef name) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic problem;
  auto module = llvm::parseAssemblyString(doubleRow, problem, context);
  if (!module)
    return {};
  runCpuPasses(*module, *findTarget(name));
  return accessesOf(*module->getFunction("double"));
}

TEST(CpuPasses, RegistersOfARowStandInOrderOfAddress) {
  Accesses wide = accessesOnTarget("avx512");
  std::vector<int64_t> lines{0, 64, 128, 192};
  EXPECT_EQ(wide.loads, lines);
  EXPECT_EQ(wide.stores, lines);
  Accesses narrow = accessesOnTarget("avx2");
  std::vector<int64_t> halves{0, 32, 64, 96, 128, 160, 192, 224};
  EXPECT_EQ(narrow.loads, halves);
  EXPECT_EQ(narrow.stores, halves);
}

TEST(CpuPasses, TheSlowPipelineStaysAsItIs) {
  Accesses whole = accessesOnTarget("scalar");
  EXPECT_EQ(whole.loads, std::vector<int64_t>{0});
}

//===- SharedLayout.cpp - placing shared variables ------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "SharedLayout.h"

#include "../Contract.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/ReplaceConstant.h"
#include "llvm/Support/MathExtras.h"

using namespace qdelta::emulator;
using namespace llvm;

/// Tiles with a swizzle of 128 bytes repeat every 1024 bytes; a kernel that
/// needs more alignment than it asks for needs at most this.
static constexpr uint64_t kMaxAlignment = 1024;
/// Unused bytes behind each variable.
static constexpr uint64_t kGap = 16;

/// The first place from `offset` on that is aligned, but no better than asked.
static uint64_t place(uint64_t offset, uint64_t alignment) {
  offset = alignTo(offset, alignment);
  if (alignment < kMaxAlignment && offset % (2 * alignment) == 0)
    offset += alignment;
  return offset;
}

static void replace(GlobalVariable &variable, uint64_t offset) {
  convertUsersOfConstantsToInstructions({&variable});
  auto *word = Type::getInt64Ty(variable.getContext());
  variable.replaceAllUsesWith(ConstantExpr::getIntToPtr(
      ConstantInt::get(word, kSharedBase + offset), variable.getType()));
  variable.eraseFromParent();
}

SharedLayout qdelta::emulator::placeSharedVariables(Module &module) {
  const DataLayout &layout = module.getDataLayout();
  SharedLayout result;
  std::vector<GlobalVariable *> external;
  uint64_t dynamicAlignment = 1, offset = 0, counted = 0;
  for (GlobalVariable &variable : make_early_inc_range(module.globals())) {
    if (variable.getAddressSpace() != 3)
      continue;
    variable.removeDeadConstantUsers();
    uint64_t bytes = layout.getTypeAllocSize(variable.getValueType());
    uint64_t alignment =
        variable.getAlign()
            .value_or(layout.getABITypeAlign(variable.getValueType()))
            .value();
    if (bytes == 0 && !variable.hasLocalLinkage()) {
      external.push_back(&variable);
      dynamicAlignment = std::max(dynamicAlignment, alignment);
      continue;
    }
    bytes = std::max<uint64_t>(bytes, 1);
    counted = alignTo(counted, alignment) + bytes;
    offset = place(offset, alignment);
    result.variables.push_back(
        {variable.getName().str(), static_cast<uint32_t>(offset),
         static_cast<uint32_t>(bytes), static_cast<uint32_t>(alignment)});
    replace(variable, offset);
    offset += bytes + kGap;
  }
  if (!external.empty())
    offset = place(offset, dynamicAlignment);
  for (GlobalVariable *variable : external)
    replace(*variable, offset);
  result.dynamicOffset = offset;
  result.staticBytes = counted;
  return result;
}

//===- KernelRewriter.cpp - calls of the emulator in a kernel -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "KernelRewriter.h"

#include "../Contract.h"

#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"

using namespace qdelta::emulator;
using namespace llvm;

KernelRewriter::KernelRewriter(Function &kernel, OperationTable &table)
    : kernel(kernel), table(table), builder(kernel.getContext()),
      word(builder.getInt64Ty()), pointer(builder.getPtrTy()),
      context(kernel.getArg(0)) {
  BasicBlock &entry = kernel.getEntryBlock();
  builder.SetInsertPoint(&entry, entry.getFirstInsertionPt());
  Type *slots = ArrayType::get(word, kMaxSlots);
  arguments = builder.CreateAlloca(slots, nullptr, "arguments");
  results = builder.CreateAlloca(slots, nullptr, "results");
  entries = builder.CreateLoad(
      pointer, contextField(offsetof(Context, entries)), "entries");
  bindings = builder.CreateLoad(
      pointer, contextField(offsetof(Context, bindings)), "bindings");
}

Value *KernelRewriter::contextField(size_t offset) {
  return builder.CreateConstGEP1_64(builder.getInt8Ty(), context, offset);
}

void KernelRewriter::run() {
  // What is there now; rewriting adds more.
  std::vector<Instruction *> all;
  bool started = false;
  for (Instruction &instruction : instructions(kernel)) {
    // The loads above are not the kernel's.
    if (started)
      all.push_back(&instruction);
    started |= &instruction == bindings;
  }
  for (Instruction *instruction : all) {
    if (isa<LoadInst, StoreInst, AtomicRMWInst, AtomicCmpXchgInst>(instruction))
      rewriteAccess(*instruction);
    else if (auto *memory = dyn_cast<MemIntrinsic>(instruction))
      rewriteMemoryIntrinsic(*memory);
    else if (auto *call = dyn_cast<CallInst>(instruction))
      rewriteCall(*call);
  }
}

Value *KernelRewriter::toWord(Value *value) {
  Type *type = value->getType();
  if (type->isPointerTy())
    return builder.CreatePtrToInt(value, word);
  unsigned bits = type->getPrimitiveSizeInBits().getFixedValue();
  if (bits == 0 || bits > 64)
    return nullptr;
  if (!type->isIntegerTy())
    value = builder.CreateBitCast(value, builder.getIntNTy(bits));
  return builder.CreateZExt(value, word);
}

Value *KernelRewriter::fromWord(Value *value, Type *type) {
  if (type->isPointerTy())
    return builder.CreateIntToPtr(value, type);
  unsigned bits = type->getPrimitiveSizeInBits().getFixedValue();
  if (bits == 0 || bits > 64)
    return nullptr;
  value = builder.CreateTrunc(value, builder.getIntNTy(bits));
  return type->isIntegerTy() ? value : builder.CreateBitCast(value, type);
}

void KernelRewriter::replaceByOperation(CallInst &call, const std::string &name,
                                        ArrayRef<Value *> operands) {
  builder.SetInsertPoint(&call);
  Type *type = call.getType();
  auto *structure = dyn_cast<StructType>(type);
  unsigned numResults = type->isVoidTy() ? 0
                        : structure      ? structure->getNumElements()
                                         : 1;
  std::string location = table.locationOf(call);
  uint32_t number = table.add(name, location, operands.size(), numResults);
  if (operands.size() > kMaxSlots || numResults > kMaxSlots)
    return;
  auto unsupported = [&] {
    table.addError("operand of unsupported type of '" + name + "' at " +
                   location);
  };
  for (auto [i, operand] : enumerate(operands)) {
    Value *value = toWord(operand);
    if (!value)
      return unsupported();
    builder.CreateStore(value, builder.CreateConstGEP1_64(word, arguments, i));
  }
  Value *binding = builder.CreateConstGEP1_64(builder.getInt8Ty(), bindings,
                                              number * sizeof(Binding));
  Value *handler = builder.CreateLoad(pointer, binding);
  Value *operation = builder.CreateLoad(
      pointer, builder.CreateConstGEP1_64(builder.getInt8Ty(), binding,
                                          offsetof(Binding, operation)));
  auto *handlerType = FunctionType::get(
      builder.getVoidTy(), {pointer, pointer, pointer, pointer}, false);
  builder.CreateCall(handlerType, handler,
                     {context, operation, arguments, results});
  auto result = [&](unsigned i, Type *element) {
    Value *slot = builder.CreateConstGEP1_64(word, results, i);
    return fromWord(builder.CreateLoad(word, slot), element);
  };
  if (structure) {
    Value *all = PoisonValue::get(type);
    for (unsigned i = 0; i < numResults; ++i) {
      Value *element = result(i, structure->getElementType(i));
      if (!element)
        return unsupported();
      all = builder.CreateInsertValue(all, element, i);
    }
    call.replaceAllUsesWith(all);
  } else if (numResults) {
    Value *value = result(0, type);
    if (!value)
      return unsupported();
    call.replaceAllUsesWith(value);
  }
  call.eraseFromParent();
}

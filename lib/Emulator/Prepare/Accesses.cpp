//===- Accesses.cpp - loads and stores become checked ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "../Contract.h"
#include "KernelRewriter.h"

#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"

using namespace qdelta::emulator;
using namespace llvm;

namespace {
/// What there is to know of a load, store or atomic.
struct Access {
  unsigned pointerIndex = 0;
  Type *type = nullptr;
  Align alignment;
  AtomicOrdering ordering = AtomicOrdering::NotAtomic;
  uint32_t flags = 0;
  const char *name = "load";

  explicit Access(const Instruction &instruction) {
    if (auto *load = dyn_cast<LoadInst>(&instruction)) {
      set(load->getPointerOperandIndex(), load->getType(), load->getAlign(),
          load->getOrdering(), kLoad);
    } else if (auto *store = dyn_cast<StoreInst>(&instruction)) {
      name = "store";
      set(store->getPointerOperandIndex(), store->getValueOperand()->getType(),
          store->getAlign(), store->getOrdering(), kStore);
    } else if (auto *rmw = dyn_cast<AtomicRMWInst>(&instruction)) {
      set(rmw->getPointerOperandIndex(), rmw->getType(), rmw->getAlign(),
          rmw->getOrdering(), kLoad | kStore);
    } else {
      const auto &exchange = cast<AtomicCmpXchgInst>(instruction);
      set(exchange.getPointerOperandIndex(),
          exchange.getNewValOperand()->getType(), exchange.getAlign(),
          exchange.getSuccessOrdering(), kLoad | kStore);
    }
    if (ordering == AtomicOrdering::NotAtomic)
      return;
    name = "atomic";
    flags |= kAtomic;
    if (isAcquireOrStronger(ordering))
      flags |= kAcquire;
    if (isReleaseOrStronger(ordering))
      flags |= kRelease;
  }

private:
  void set(unsigned index, Type *accessed, Align align, AtomicOrdering order,
           uint32_t kind) {
    pointerIndex = index;
    type = accessed;
    alignment = align;
    ordering = order;
    flags = kind;
  }
};

/// Whether the access is known to be one of the thread's own memory, of a
/// parameter or of a constant of the module.
bool isPrivate(const Value *address, const Function &kernel, bool writes) {
  unsigned space = address->getType()->getPointerAddressSpace();
  if (space == 4 || space == 5 || space == 101)
    return true;
  const Value *object = getUnderlyingObject(address, 0);
  if (isa<AllocaInst>(object))
    return true;
  // Parameters are reached through the array of arguments of the entry.
  if (object == kernel.getArg(1))
    return !writes;
  const auto *global = dyn_cast<GlobalVariable>(object);
  return global && global->hasInitializer() && global->getAddressSpace() != 3;
}

size_t entryOf(unsigned space) {
  if (space == 3 || space == 7)
    return offsetof(Entries, shared);
  if (space == 1)
    return offsetof(Entries, global);
  return offsetof(Entries, generic);
}
} // namespace

void KernelRewriter::rewriteAccess(Instruction &instruction) {
  Access access(instruction);
  Value *address = instruction.getOperand(access.pointerIndex);
  bool writes = access.flags & kStore;
  // A parameter that is passed by value is the address found among the
  // arguments: a load of which is not to be checked either.
  if (isPrivate(address, kernel, writes))
    return;
  if (auto *load = dyn_cast<LoadInst>(getUnderlyingObject(address, 0));
      load && !writes && load->hasMetadata("qdelta.parameter"))
    return;
  std::string location = table.locationOf(instruction);
  uint64_t bytes =
      kernel.getParent()->getDataLayout().getTypeStoreSize(access.type);
  if (bytes > 0xffff) {
    table.addError("access of " + std::to_string(bytes) + " bytes at " +
                   location);
    return;
  }
  uint32_t number = table.add(access.name, location, 0, 0);
  builder.SetInsertPoint(&instruction);
  Value *entry = builder.CreateLoad(
      pointer, builder.CreateConstGEP1_64(
                   builder.getInt8Ty(), entries,
                   entryOf(address->getType()->getPointerAddressSpace())));
  auto *type = FunctionType::get(
      pointer, {pointer, word, word, builder.getInt32Ty()}, false);
  Value *checked =
      builder.CreateCall(type, entry,
                         {context, builder.CreatePtrToInt(address, word),
                          builder.getInt64(packAccess(
                              bytes, access.alignment.value(), access.flags)),
                          builder.getInt32(number)});
  instruction.setOperand(access.pointerIndex, checked);
  instruction.dropUnknownNonDebugMetadata();
  // A misaligned access is reported, and must not fault here.
  if (auto *load = dyn_cast<LoadInst>(&instruction); load && !load->isAtomic())
    load->setAlignment(Align(1));
  if (auto *store = dyn_cast<StoreInst>(&instruction);
      store && !store->isAtomic())
    store->setAlignment(Align(1));
}

void KernelRewriter::rewriteMemoryIntrinsic(CallInst &call) {
  auto &memory = cast<MemIntrinsic>(call);
  auto space = [](Value *address) {
    unsigned number = address->getType()->getPointerAddressSpace();
    return ".p" + std::to_string(number == 7 ? 3 : number);
  };
  std::string to = space(memory.getRawDest());
  if (auto *transfer = dyn_cast<MemTransferInst>(&call))
    replaceByOperation(call, "memcpy" + to + space(transfer->getRawSource()),
                       {transfer->getRawDest(), transfer->getRawSource(),
                        transfer->getLength()});
  else
    replaceByOperation(call, "memset" + to,
                       {memory.getRawDest(), cast<MemSetInst>(call).getValue(),
                        memory.getLength()});
}

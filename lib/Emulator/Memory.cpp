//===- Memory.cpp - loads and stores of threads ---------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Block.h"

#include <cstring>

using namespace qdelta::emulator;

static constexpr uint64_t kPreemptAfter = 1 << 10;

static bool inSharedWindow(uint64_t address) {
  return address - kSharedBase < kSharedWindow;
}

bool Block::checkAlignment(Thread &thread, const Operation &op,
                           uint64_t address, uint64_t alignment) {
  if ((address & (alignment - 1)) == 0)
    return true;
  if (findings.countAgain(ReportKind::Misaligned, &op, nullptr))
    return false;
  std::string where = inSharedWindow(address)
                          ? sharedName(sharedOffset(address))
                          : plan.memory.describe(address);
  report(ReportKind::Misaligned, thread, op,
         "needs an alignment of " + std::to_string(alignment) + " bytes, but " +
             where + " has not");
  return false;
}

uint8_t *Block::shared(Thread &thread, const Operation &op, uint64_t address,
                       uint64_t bytes) {
  uint32_t offset = sharedOffset(address);
  // Small numbers are what a 32-bit pointer becomes that lost its upper bits.
  bool isShared = inSharedWindow(address) || address < kSharedWindow;
  if (isShared && offset + bytes <= plan.sharedBytes)
    return storage.shared() + offset;
  if (!findings.countAgain(ReportKind::SharedOutOfBounds, &op, nullptr))
    report(ReportKind::SharedOutOfBounds, thread, op,
           "touches " + std::to_string(bytes) + " bytes at " +
               (isShared ? "smem+" + std::to_string(offset)
                         : "an address outside shared memory") +
               " of " + std::to_string(plan.sharedBytes));
  return nullptr;
}

uint8_t *Block::global(Thread &thread, const Operation &op, uint64_t address,
                       uint64_t bytes, bool writes) {
  const GlobalMemory::Range *range = thread.lastRange;
  if (!range || !range->holds(address, bytes)) {
    range = plan.memory.find(address, bytes);
    if (range)
      thread.lastRange = range;
  }
  if (range && (range->writable || !writes)) {
    if (range->counted)
      (writes ? counts.bytesWritten : counts.bytesRead) += bytes;
    return reinterpret_cast<uint8_t *>(address);
  }
  if (!findings.countAgain(ReportKind::GlobalOutOfBounds, &op, nullptr))
    report(ReportKind::GlobalOutOfBounds, thread, op,
           std::string(writes ? "writes " : "reads ") + std::to_string(bytes) +
               " bytes at " + plan.memory.describe(address) +
               (range ? ", which is read-only" : ""));
  return nullptr;
}

/// A polling loop must let others run, and must end if nothing comes of it.
static void givePlace(Thread &thread, const Operation &op) {
  Block &block = *thread.block;
  if (thread.accesses >= block.plan.config.maxPolls) {
    block.report(ReportKind::Deadlock, thread, op,
                 "has made " + std::to_string(thread.accesses) +
                     " accesses without waiting for anything");
    block.end(thread);
  }
  thread.op = &op;
  thread.waitingFor = "its turn";
  block.yield(thread);
}

static void countAccess(Thread &thread, const Operation &op) {
  if (++thread.accesses % kPreemptAfter == 0) [[unlikely]]
    givePlace(thread, op);
}

/// All that an access can be.
static void *accessSharedSlowly(Thread &thread, uint64_t address,
                                uint64_t access, const Operation &op) {
  Block &block = *thread.block;
  countAccess(thread, op);
  ++block.counts.sharedAccesses;
  uint32_t bytes = accessBytes(access), flags = accessFlags(access);
  block.checkAlignment(thread, op, address, accessAlignment(access));
  uint8_t *host = block.shared(thread, op, address, bytes);
  if (!host)
    return block.scratch();
  if (!block.checks())
    return host;
  uint32_t offset = Block::sharedOffset(address);
  Accessor accessor = block.accessor(thread, op);
  accessor.atomic = flags & kAtomic;
  if ((flags & kAtomic) && (flags & kAcquire))
    if (auto sync = block.atomics.find(offset); sync != block.atomics.end())
      acquire(thread, sync->second.freeze(block.clocks));
  if (flags & kStore)
    block.shadow.write(accessor, offset, bytes);
  else
    block.shadow.read(accessor, offset, bytes);
  if ((flags & kAtomic) && (flags & kRelease)) {
    auto [sync, isNew] = block.atomics.try_emplace(offset);
    if (isNew)
      sync->second.reset(block.clocks);
    sync->second.arrive(thread);
  }
  return host;
}

static void *accessShared(Context *context, uint64_t address, uint64_t access,
                          uint32_t index) {
  Thread &thread = threadOf(context);
  Block &block = *thread.block;
  uint64_t offset = address - kSharedBase;
  uint32_t bytes = accessBytes(access), flags = accessFlags(access);
  if (offset + bytes <= block.plan.sharedBytes && offset < kSharedWindow &&
      !(address & (accessAlignment(access) - 1)) && !(flags & kAtomic) &&
      (thread.accesses + 1) % kPreemptAfter) [[likely]] {
    bool known =
        !block.checks() ||
        (flags & kStore ? block.shadow.isOwnWrite(thread.index, thread.clock(),
                                                  offset, bytes)
                        : block.shadow.isOwnRead(thread.index, thread.clock(),
                                                 offset, bytes));
    if (known) {
      ++thread.accesses;
      ++block.counts.sharedAccesses;
      return block.sharedMemory + offset;
    }
  }
  return accessSharedSlowly(thread, address, access,
                            *context->bindings[index].operation);
}

static void *accessGlobal(Context *context, uint64_t address, uint64_t access,
                          uint32_t index) {
  Thread &thread = threadOf(context);
  Block &block = *thread.block;
  const Operation &op = *context->bindings[index].operation;
  countAccess(thread, op);
  uint32_t bytes = accessBytes(access), flags = accessFlags(access);
  if (address & (accessAlignment(access) - 1)) [[unlikely]]
    block.checkAlignment(thread, op, address, accessAlignment(access));
  uint8_t *host = block.global(thread, op, address, bytes, flags & kStore);
  if (host && (flags & kLoad) && (flags & kStore))
    block.counts.bytesRead += bytes;
  return host ? host : block.scratch();
}

static void *accessGeneric(Context *context, uint64_t address, uint64_t access,
                           uint32_t index) {
  if (inSharedWindow(address))
    return accessShared(context, address, access, index);
  // Local memory is the stack.
  void *pointer = reinterpret_cast<void *>(address);
  if (threadOf(context).fiber.holds(pointer))
    return pointer;
  return accessGlobal(context, address, access, index);
}

const Entries qdelta::emulator::kEntries = {accessShared, accessGlobal,
                                            accessGeneric};

namespace {
void *accessBy(Context *context, int32_t space, uint64_t address,
               uint64_t access, uint32_t index) {
  AccessFunction function = space == 3   ? kEntries.shared
                            : space == 1 ? kEntries.global
                                         : kEntries.generic;
  return function(context, address, access, index);
}

/// Calls `body(offset, bytes)` for pieces that an access word can describe.
template <typename Body>
void forPieces(uint64_t bytes, Body body) {
  constexpr uint64_t kPiece = 4096;
  for (uint64_t done = 0; done < bytes; done += kPiece)
    body(done, std::min(kPiece, bytes - done));
}

/// memcpy and memmove: destination, source, bytes. `op.size` and `op.variant`
/// are their address spaces.
void runMemcpy(Context *context, const Operation *op, uint64_t *a, uint64_t *) {
  std::vector<uint8_t> buffer(a[2]);
  forPieces(a[2], [&](uint64_t at, uint64_t bytes) {
    std::memcpy(buffer.data() + at,
                accessBy(context, op->variant, a[1] + at,
                         packAccess(bytes, 1, kLoad), op->index),
                bytes);
  });
  forPieces(a[2], [&](uint64_t at, uint64_t bytes) {
    std::memcpy(accessBy(context, op->size, a[0] + at,
                         packAccess(bytes, 1, kStore), op->index),
                buffer.data() + at, bytes);
  });
}

/// memset: destination, byte, bytes.
void runMemset(Context *context, const Operation *op, uint64_t *a, uint64_t *) {
  forPieces(a[2], [&](uint64_t at, uint64_t bytes) {
    std::memset(accessBy(context, op->size, a[0] + at,
                         packAccess(bytes, 1, kStore), op->index),
                static_cast<int>(a[1]), bytes);
  });
}

/// Accesses do not go through a handler.
void runAccess(Context *, const Operation *, uint64_t *, uint64_t *) {}
} // namespace

// load, store, atomic; memcpy.pD.pS, memset.pD with address spaces.
bool qdelta::emulator::bindAccess(Operation &op) {
  NameParts parts(op.name);
  if (op.name == "load" || op.name == "store" || op.name == "atomic") {
    op.handler = runAccess;
    return true;
  }
  auto space = [](std::string_view part) {
    return part.starts_with("p") ? parseNumber(part.substr(1)) : -1;
  };
  if (parts[0] == "memcpy" && parts.size() == 3) {
    op.handler = runMemcpy;
    op.size = space(parts[1]);
    op.variant = space(parts[2]);
    return op.size >= 0 && op.variant >= 0;
  }
  if (parts[0] == "memset" && parts.size() == 2) {
    op.handler = runMemset;
    op.size = space(parts[1]);
    return op.size >= 0;
  }
  return false;
}

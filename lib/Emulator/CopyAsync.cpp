//===- CopyAsync.cpp - cp.async and its groups ----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Block.h"

#include <cstring>

using namespace qdelta::emulator;

void CopyAsync::complete() {
  if (done)
    return;
  done = true;
  if (bytes)
    std::memcpy(destination, source, bytes);
  std::memset(destination + bytes, 0, size - bytes);
}

namespace {
/// The write to shared memory is one by the thread's copy agent, in the generic
/// proxy, that knows what the thread knows.
Accessor copyAccessor(const Thread &thread, const Operation &op) {
  Accessor accessor = thread.block->accessor(thread, op);
  accessor.agent = thread.agents[kOwnCopies];
  accessor.clock = thread.copies.clock;
  accessor.inOrder = false;
  return accessor;
}

/// Arguments: destination, source, and, for some, the bytes to read.
void runCopy(Context *context, const Operation *op, uint64_t *arguments,
             uint64_t *) {
  Thread &thread = threadOf(context);
  Block &block = *thread.block;
  uint32_t size = op->size;
  uint32_t bytes = size;
  if (op->flag)
    bytes = std::min<uint32_t>(arguments[2], size);
  ++block.counts.asyncCopies;
  block.checkAlignment(thread, *op, arguments[0], size);
  block.checkAlignment(thread, *op, arguments[1], size);
  uint8_t *destination = block.shared(thread, *op, arguments[0], size);
  if (!destination)
    return;
  // A copy of nothing may have any source.
  uint8_t *source = nullptr;
  if (bytes)
    source = block.global(thread, *op, arguments[1], bytes, false);
  if (!source)
    bytes = 0;
  if (block.checks())
    block.shadow.write(copyAccessor(thread, *op),
                       Block::sharedOffset(arguments[0]), size);
  CopyAsync copy{destination, source, size, bytes, false};
  if (block.completesAtOnce())
    copy.complete();
  else
    std::memset(destination, 0xff, size);
  thread.copies.open.push_back(copy);
}

void commit(Thread &thread) {
  CopyQueue &queue = thread.copies;
  queue.groups.push_back({std::move(queue.open), queue.clock++});
  queue.open.clear();
}

void runCommit(Context *context, const Operation *, uint64_t *, uint64_t *) {
  commit(threadOf(context));
}

/// `op.flag`: wait for all, committed or not. Argument: groups left pending.
void runWait(Context *context, const Operation *op, uint64_t *arguments,
             uint64_t *) {
  Thread &thread = threadOf(context);
  CopyQueue &queue = thread.copies;
  if (op->flag)
    commit(thread);
  uint64_t left = op->flag ? 0 : arguments[0];
  for (; queue.groups.size() > left; queue.groups.pop_front()) {
    for (CopyAsync &copy : queue.groups.front().copies)
      copy.complete();
    uint32_t &known = thread.known.own[kOwnCopies];
    known = std::max(known, queue.groups.front().clock);
  }
}
} // namespace

// cp.async.{ca,cg}.shared.global.BYTES[.s], cp.async.commit.group,
// cp.async.wait.{group,all}
bool qdelta::emulator::bindCopyAsync(Operation &op) {
  NameParts parts(op.name);
  if (parts[0] != "cp" || parts[1] != "async")
    return false;
  if (op.name == "cp.async.commit.group") {
    op.handler = runCommit;
    return true;
  }
  if (op.name == "cp.async.wait.group" || op.name == "cp.async.wait.all") {
    op.handler = runWait;
    op.flag = parts[3] == "all";
    return true;
  }
  if ((parts[2] != "ca" && parts[2] != "cg") || parts[3] != "shared" ||
      parts[4] != "global")
    return false;
  op.handler = runCopy;
  op.size = parseNumber(parts[5]);
  op.flag = parts[6] == "s";
  return (op.size == 4 || op.size == 8 || op.size == 16) &&
         parts.size() == (op.flag ? 7u : 6u);
}

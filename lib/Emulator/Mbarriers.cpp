//===- Mbarriers.cpp - mbarrier objects -----------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Block.h"

#include <cstring>

using namespace qdelta::emulator;

namespace {
enum Kind {
  kInit,
  kInvalidate,
  kArrive,
  kArriveDrop,
  kExpectBytes,
  kArriveExpectBytes,
  kCompleteBytes,
  kTest,
  kWait,
  kCopyArrive,
  kCopyArriveNoIncrement,
};

void checkPhase(Block &block, Mbarrier &m) {
  if (m.pending != 0 || m.bytes != 0)
    return;
  m.released = m.sum.freeze(block.clocks);
  ++m.phase;
  ++m.clock;
  m.pending = m.count;
  ++block.counts.mbarrierPhases;
  block.wakePollers();
}

void init(Thread &thread, const Operation &op, uint32_t offset, uint8_t *bytes,
          uint32_t count) {
  Block &block = *thread.block;
  Mbarrier &m = block.mbarriers[offset];
  if (m.valid)
    block.report(ReportKind::Mbarrier, thread, op,
                 "initialises " + block.sharedName(offset) +
                     " again, an mbarrier since " + describe(*m.init),
                 m.init);
  if (count == 0 || count >= 1 << 20)
    block.report(ReportKind::Mbarrier, thread, op,
                 "expects " + std::to_string(count) + " arrivals");
  if (block.checks())
    block.shadow.beginMbarrier(block.accessor(thread, op), offset);
  std::memset(bytes, 0x5a, 8);
  if (!m.clock)
    m.agent = block.mbarrierAgent(block.mbarriers.size() - 1);
  ++m.clock;
  m.valid = true;
  m.count = m.pending = count;
  m.bytes = 0;
  m.phase = 0;
  m.init = &op;
  m.sum.reset(block.clocks);
  m.released = Release();
}

void arrive(Thread &thread, const Operation &op, Mbarrier &m, uint32_t count,
            uint64_t *results) {
  Block &block = *thread.block;
  results[0] = m.phase;
  m.sum.arrive(thread);
  if (m.pending < count) {
    block.report(ReportKind::Mbarrier, thread, op,
                 "arrives more often than the mbarrier expects, " +
                     std::to_string(m.count) + " times a phase, since " +
                     describe(*m.init),
                 m.init);
    return;
  }
  m.pending -= count;
  checkPhase(block, m);
}

/// Waits until the phase is over, or, where it may, until told that it is not.
bool waitPhase(Thread &thread, const Operation &op, uint32_t offset,
               bool byParity, uint64_t phase, bool mayFail) {
  Block &block = *thread.block;
  auto isOver = [&](const Mbarrier &m) {
    return byParity ? (m.phase & 1) != (phase & 1) : m.phase != phase;
  };
  Mbarrier &m = block.mbarriers[offset];
  while (!isOver(m)) {
    thread.op = &op;
    thread.polls = true;
    thread.mayFail = mayFail;
    block.wait(thread, "an mbarrier", offset);
    if (mayFail && !isOver(m))
      return false;
  }
  // Before the first phase is over, its predecessor counts as such.
  if (m.released.known)
    acquire(thread, m.released);
  return true;
}

/// The thread's cp.async so far arrive when they are done, which is now.
void copyArrive(Thread &thread, const Operation &op, Mbarrier &m,
                uint64_t *results) {
  for (CopyGroup<CopyAsync> &group : thread.copies.groups)
    for (CopyAsync &copy : group.copies)
      copy.complete();
  for (CopyAsync &copy : thread.copies.open)
    copy.complete();
  m.sum.known.add(thread.agents[kOwnCopies], thread.copies.clock++);
  if (op.variant == kCopyArrive)
    ++m.pending;
  arrive(thread, op, m, 1, results);
}

/// Arguments: the mbarrier, then a count, bytes, phase or parity.
void runMbarrier(Context *context, const Operation *op, uint64_t *arguments,
                 uint64_t *results) {
  Thread &thread = threadOf(context);
  Block &block = *thread.block;
  results[0] = 1;
  if (!block.checkAlignment(thread, *op, arguments[0], 8))
    return;
  uint8_t *bytes = block.shared(thread, *op, arguments[0], 8);
  if (!bytes)
    return;
  uint32_t offset = Block::sharedOffset(arguments[0]);
  uint32_t operand = arguments[1];
  if (op->variant == kInit) {
    init(thread, *op, offset, bytes, operand);
    return;
  }
  auto found = block.mbarriers.find(offset);
  if (found == block.mbarriers.end() || !found->second.valid) {
    block.report(ReportKind::Mbarrier, thread, *op,
                 "uses " + block.sharedName(offset) +
                     ", which is no initialised mbarrier");
    return;
  }
  Mbarrier &m = found->second;
  if (block.checks())
    block.shadow.useMbarrier(block.accessor(thread, *op), offset);
  uint32_t count = op->numArguments > 1 ? operand : 1;
  switch (op->variant) {
  case kInvalidate:
    m.valid = false;
    if (block.checks())
      block.shadow.endMbarrier(offset);
    return;
  case kArrive:
    arrive(thread, *op, m, count, results);
    return;
  case kArriveDrop:
    m.count -= std::min(m.count, count);
    arrive(thread, *op, m, count, results);
    return;
  case kExpectBytes:
    m.bytes += operand;
    return;
  case kArriveExpectBytes:
    m.bytes += operand;
    arrive(thread, *op, m, 1, results);
    return;
  case kCompleteBytes:
    m.bytes -= operand;
    checkPhase(block, m);
    return;
  case kTest:
    results[0] = waitPhase(thread, *op, offset, op->flag, arguments[1], true);
    return;
  case kWait:
    waitPhase(thread, *op, offset, op->flag, arguments[1], false);
    return;
  default:
    copyArrive(thread, *op, m, results);
  }
}
} // namespace

void qdelta::emulator::completeBytes(Block &block, uint32_t offset,
                                     int64_t bytes, const Release &release) {
  Mbarrier &m = block.mbarriers[offset];
  if (!m.valid)
    return;
  m.bytes -= bytes;
  m.sum.known.add(release.known);
  m.sum.fenced.add(release.fenced);
  checkPhase(block, m);
}

// mbarrier.*, cp.async.mbarrier.arrive*, and mbarrier.wait.parity, the loop of
// try_wait that only ends when the phase does.
bool qdelta::emulator::bindMbarrier(Operation &op) {
  std::string_view name = op.name;
  op.handler = runMbarrier;
  auto take = [&](std::string_view prefix) {
    if (!name.starts_with(prefix))
      return false;
    name.remove_prefix(prefix.size());
    return name.empty() || name[0] == '.';
  };
  auto restIs = [&] {
    return name.empty() || NameParts(name.substr(1))
                               .restIn(0, {"shared", "relaxed", "scope", "cta",
                                           "cluster", "space", "tl"});
  };
  if (take("cp.async.mbarrier.arrive")) {
    op.variant = take(".noinc") ? kCopyArriveNoIncrement : kCopyArrive;
    return restIs();
  }
  if (!take("mbarrier"))
    return false;
  if (take(".init"))
    op.variant = kInit;
  else if (take(".inval"))
    op.variant = kInvalidate;
  else if (take(".arrive.expect.tx"))
    op.variant = kArriveExpectBytes;
  else if (take(".arrive.drop"))
    op.variant = kArriveDrop;
  else if (take(".arrive"))
    op.variant = kArrive;
  else if (take(".expect.tx"))
    op.variant = kExpectBytes;
  else if (take(".complete.tx"))
    op.variant = kCompleteBytes;
  else if (take(".test.wait") || take(".try.wait"))
    op.variant = kTest;
  else if (take(".wait"))
    op.variant = kWait;
  else
    return false;
  if (op.variant == kTest || op.variant == kWait)
    op.flag = take(".parity");
  return restIs();
}

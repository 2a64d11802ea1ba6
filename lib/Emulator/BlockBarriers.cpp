//===- BlockBarriers.cpp - bar.sync and its relatives ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Block.h"

#include <bit>

using namespace qdelta::emulator;

void ReleaseSum::reset(ClockSpace &space) {
  known.reset(space);
  fenced.reset(space);
}

void ReleaseSum::arrive(Thread &thread) {
  known.add(thread.known, thread.agents);
  fenced.add(thread.fenced, thread.agents);
  thread.tick();
}

Release ReleaseSum::freeze(ClockSpace &space) const {
  return {known.freeze(space), fenced.freeze(space)};
}

void qdelta::emulator::acquire(Thread &thread, const Release &release) {
  ClockSpace &clocks = thread.block->clocks;
  thread.known.join(release.known, thread.agents, clocks);
  thread.fenced.join(release.fenced, thread.agents, clocks);
}

namespace {
enum Kind { kSync, kArrive, kPopc, kAnd, kOr };

/// The result of a reduction, once all predicates are in.
uint64_t reduce(const BlockBarrier &barrier, int32_t kind) {
  if (kind == kPopc)
    return barrier.trues;
  if (kind == kAnd)
    return barrier.trues == barrier.predicates;
  return barrier.trues != 0;
}

/// All lanes of a warp must come to an .aligned operation.
void checkAligned(Block &block, const BlockBarrier &barrier) {
  for (size_t i = 0; i < block.warps.size(); ++i) {
    const Warp &warp = block.warps[i];
    uint32_t missing = warp.existing & ~barrier.ended[i] & ~barrier.aligned[i];
    if (barrier.aligned[i] && missing)
      block.report(ReportKind::WarpDivergence,
                   *warp.lanes[std::countr_zero(missing)], *barrier.first,
                   "is not there, where other lanes of its warp are");
  }
}

/// Arguments: barrier, count of threads if `op.flag`, predicate of a reduction.
/// `op.size`: whether it is .aligned.
void runBarrier(Context *context, const Operation *op, uint64_t *arguments,
                uint64_t *results) {
  Thread &thread = threadOf(context);
  Block &block = *thread.block;
  uint32_t id = arguments[0];
  uint32_t count = op->flag ? arguments[1] : 0;
  if (id >= 16) {
    block.report(ReportKind::Barrier, thread, *op,
                 "names barrier " + std::to_string(id) + " of 16");
    return;
  }
  if (op->flag && (count == 0 || count % 32)) {
    block.report(ReportKind::Barrier, thread, *op,
                 "expects " + std::to_string(count) +
                     " threads, not a multiple of 32");
    return;
  }
  BlockBarrier &barrier = block.barriers[id];
  if (!barrier.active) {
    barrier.active = true;
    barrier.expected = count;
    barrier.arrived = barrier.predicates = barrier.trues = 0;
    barrier.first = op;
    barrier.sum.reset(block.clocks);
    barrier.aligned.assign(block.warps.size(), 0);
    barrier.ended.assign(block.warps.size(), 0);
  } else if (barrier.expected != count) {
    block.report(ReportKind::Barrier, thread, *op,
                 "expects " + std::to_string(count) + " threads at barrier " +
                     std::to_string(id) + ", but " +
                     std::to_string(barrier.expected) +
                     " are expected (0: all) at " + describe(*barrier.first),
                 barrier.first);
  }
  if (op->size) {
    uint32_t warp = thread.index / 32;
    if (!barrier.aligned[warp])
      barrier.ended[warp] = thread.warp->ended;
    barrier.aligned[warp] |= 1u << thread.lane;
  }
  thread.op = op;
  thread.results = results;
  barrier.sum.arrive(thread);
  ++barrier.arrived;
  if (op->variant >= kPopc) {
    ++barrier.predicates;
    barrier.trues += arguments[op->flag ? 2 : 1] & 1;
  }
  if (op->variant == kArrive) {
    checkBarrier(block, barrier);
    return;
  }
  barrier.waiting.push_back(&thread);
  checkBarrier(block, barrier);
  if (barrier.active)
    block.wait(thread, "the barrier");
}
} // namespace

void qdelta::emulator::checkBarrier(Block &block, BlockBarrier &barrier) {
  uint32_t expected = barrier.expected ? barrier.expected : block.live;
  if (barrier.arrived < expected || barrier.arrived == 0)
    return;
  ++block.counts.barriers;
  checkAligned(block, barrier);
  Release release = barrier.sum.freeze(block.clocks);
  for (Thread *thread : barrier.waiting) {
    acquire(*thread, release);
    if (thread->op->variant >= kPopc)
      thread->results[0] = reduce(barrier, thread->op->variant);
    block.wake(*thread);
  }
  if (barrier.waiting.size() >= block.live)
    block.shadow.allThreadsMet();
  barrier.waiting.clear();
  barrier.active = false;
}

// barrier.cta.{sync,arrive,red.OP}[.aligned].{all,count}
bool qdelta::emulator::bindBlockBarrier(Operation &op) {
  NameParts parts(op.name);
  if (parts[0] != "barrier" || parts[1] != "cta")
    return false;
  size_t next = 3;
  if (parts[2] == "sync") {
    op.variant = kSync;
  } else if (parts[2] == "arrive") {
    op.variant = kArrive;
  } else if (parts[2] == "red") {
    op.variant = parts[3] == "popc"  ? kPopc
                 : parts[3] == "and" ? kAnd
                 : parts[3] == "or"  ? kOr
                                     : -1;
    next = 4;
  } else {
    return false;
  }
  op.size = parts[next] == "aligned";
  if (op.size)
    ++next;
  op.flag = parts[next] == "count";
  op.handler = runBarrier;
  return op.variant >= 0 && next + 1 == parts.size() &&
         (op.flag || (parts[next] == "all" && op.variant != kArrive));
}

//===- WarpMeeting.cpp - operations that lanes execute together -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "WarpMeeting.h"

#include <algorithm>

using namespace qdelta::emulator;

static void meetIn(Thread &thread, const Operation &op, uint64_t *arguments,
                   uint64_t *results, uint32_t mask, Meeting kind, bool aligned,
                   Finish finish) {
  Block &block = *thread.block;
  Warp &warp = *thread.warp;
  uint32_t bit = 1u << thread.lane;
  thread.op = &op;
  thread.arguments = arguments;
  thread.results = results;
  mask &= warp.existing;
  if (!(mask & bit)) {
    block.report(ReportKind::WarpMask, thread, op,
                 "is not in the member mask it gives");
    return;
  }
  auto meeting = std::find_if(
      warp.open.begin(), warp.open.end(), [&](const Rendezvous &other) {
        return other.mask == mask && other.kind == static_cast<int32_t>(kind) &&
               !(other.arrived & bit);
      });
  if (meeting == warp.open.end()) {
    warp.open.push_back({mask, 0, static_cast<int32_t>(kind), &op});
    meeting = std::prev(warp.open.end());
  }
  if (aligned && meeting->op != &op)
    block.report(ReportKind::WarpDivergence, thread, op,
                 "meets lanes that are at " + describe(*meeting->op),
                 meeting->op);
  meeting->arrived |= bit;
  if (mask & warp.ended)
    block.report(ReportKind::ExitedLane, thread, op,
                 "waits for lanes that have ended");
  if ((meeting->arrived | warp.ended) != (mask | warp.ended)) {
    block.wait(thread, "lanes of its warp");
    return;
  }
  uint32_t lanes = meeting->arrived;
  warp.open.erase(meeting);
  if (kind != Meeting::Mma)
    ++block.counts.warpOperations;
  finish(warp, lanes, op);
  forLanes(warp, lanes, [&](Thread &lane) { block.wake(lane); });
}

void qdelta::emulator::meet(Thread &thread, const Operation &op,
                            uint64_t *arguments, uint64_t *results,
                            uint32_t mask, Meeting kind, Finish finish) {
  meetIn(thread, op, arguments, results, mask, kind, false, finish);
}

void qdelta::emulator::meetAligned(Thread &thread, const Operation &op,
                                   uint64_t *arguments, uint64_t *results,
                                   Meeting kind, Finish finish) {
  Warp &warp = *thread.warp;
  if (warp.existing != ~0u) {
    thread.block->report(ReportKind::WarpDivergence, thread, op,
                         "needs a whole warp, but the block ends in the middle "
                         "of one");
    return;
  }
  meetIn(thread, op, arguments, results, ~0u, kind, true, finish);
}

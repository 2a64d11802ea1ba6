//===- WarpMeeting.cpp - operations that lanes execute together -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "WarpMeeting.h"

#include <algorithm>
#include <bit>

using namespace qdelta::emulator;

/// Whether all have come that still can.
static bool isComplete(const Rendezvous &meeting, const Warp &warp) {
  return ((meeting.arrived | warp.ended) & meeting.mask) == meeting.mask;
}

static void complete(Warp &warp, size_t place) {
  Rendezvous meeting = warp.open[place];
  warp.open.erase(warp.open.begin() + place);
  Block &block = *warp.lanes[std::countr_zero(meeting.arrived)]->block;
  if (meeting.kind != static_cast<int32_t>(Meeting::Mma))
    ++block.counts.warpOperations;
  meeting.finish(warp, meeting.arrived, *meeting.op);
  forLanes(warp, meeting.arrived, [&](Thread &lane) { block.wake(lane); });
}

static void meetIn(Thread &thread, const Operation &op, uint64_t *arguments,
                   uint64_t *results, uint32_t mask, Meeting kind, bool aligned,
                   Finish finish) {
  Block &block = *thread.block;
  Warp &warp = *thread.warp;
  uint32_t bit = 1u << thread.lane;
  auto number = static_cast<int32_t>(kind);
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
        return other.mask == mask && other.kind == number &&
               !(other.arrived & bit);
      });
  if (meeting == warp.open.end()) {
    warp.open.push_back({mask, 0, number, aligned, &op, finish});
    meeting = std::prev(warp.open.end());
  }
  if (aligned && meeting->op != &op)
    block.report(ReportKind::WarpDivergence, thread, op,
                 "meets lanes that are at " + describe(*meeting->op),
                 meeting->op);
  // Lanes that have ended are not waited for; only operations of the whole warp
  // need them.
  if (aligned && (mask & warp.ended))
    block.report(ReportKind::ExitedLane, thread, op,
                 "needs a whole warp, lanes of which have ended");
  meeting->arrived |= bit;
  if (isComplete(*meeting, warp))
    complete(warp, meeting - warp.open.begin());
  else
    block.wait(thread, "lanes of its warp");
}

void qdelta::emulator::leaveMeetings(Thread &thread) {
  Warp &warp = *thread.warp;
  for (size_t i = 0; i < warp.open.size();) {
    const Rendezvous &meeting = warp.open[i];
    bool isMember = meeting.mask >> thread.lane & 1;
    if (isMember && meeting.aligned)
      thread.block->report(ReportKind::ExitedLane, thread, *meeting.op,
                           "ends while lanes of its warp are there");
    if (isMember && isComplete(meeting, warp))
      complete(warp, i);
    else
      ++i;
  }
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

//===- WarpOps.cpp - shuffles, votes and their relatives ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "WarpMeeting.h"

#include <algorithm>
#include <bit>
#include <cmath>

using namespace qdelta::emulator;

namespace {
enum ShuffleKind { kIdx, kUp, kDown, kBfly };
enum VoteKind { kAll, kAny, kUni, kBallot };
enum ReduceKind {
  kAdd,
  kMin,
  kMax,
  kUMin,
  kUMax,
  kAnd,
  kOr,
  kXor,
  kFMin,
  kFMax
};

/// The source lane of a shuffle, and whether it is in range.
std::pair<uint32_t, bool> shuffleSource(int32_t kind, uint32_t lane, uint32_t b,
                                        uint32_t c) {
  uint32_t clamp = c & 31, segment = c >> 8 & 31;
  int32_t last = (lane & segment) | (clamp & ~segment);
  int32_t first = lane & segment;
  int32_t offset = b & 31, source = lane;
  bool inRange = false;
  switch (kind) {
  case kUp:
    source -= offset;
    inRange = source >= last;
    break;
  case kDown:
    source += offset;
    inRange = source <= last;
    break;
  case kBfly:
    source ^= offset;
    inRange = source <= last;
    break;
  default:
    source = first | (offset & ~segment);
    inRange = source <= last;
  }
  return {inRange ? source : lane, inRange};
}

/// Arguments: mask, value, lane or delta, clamp.
void finishShuffle(Warp &warp, uint32_t lanes, const Operation &op) {
  uint64_t values[32] = {};
  forLanes(warp, lanes,
           [&](Thread &thread) { values[thread.lane] = thread.arguments[1]; });
  forLanes(warp, lanes, [&](Thread &thread) {
    auto [source, inRange] =
        shuffleSource(thread.op->variant, thread.lane, thread.arguments[2],
                      thread.arguments[3]);
    if (!(lanes >> source & 1)) {
      thread.block->report(ReportKind::WarpMask, thread, *thread.op,
                           "reads lane " + std::to_string(source) +
                               ", which takes no part");
      source = thread.lane;
    }
    thread.results[0] = values[source];
    if (thread.op->flag)
      thread.results[1] = inRange;
  });
}

uint64_t vote(int32_t kind, uint32_t ballot, uint32_t lanes) {
  switch (kind) {
  case kAll:
    return ballot == lanes;
  case kAny:
    return ballot != 0;
  case kUni:
    return ballot == 0 || ballot == lanes;
  default:
    return ballot;
  }
}

void finishVote(Warp &warp, uint32_t lanes, const Operation &op) {
  uint32_t ballot = 0;
  forLanes(warp, lanes, [&](Thread &thread) {
    ballot |= (thread.arguments[1] & 1) << thread.lane;
  });
  forLanes(warp, lanes, [&](Thread &thread) {
    thread.results[0] = vote(thread.op->variant, ballot, lanes);
  });
}

/// `op.flag`: match.all, whose second result says whether all are equal.
void finishMatch(Warp &warp, uint32_t lanes, const Operation &op) {
  forLanes(warp, lanes, [&](Thread &thread) {
    uint32_t equal = 0;
    forLanes(warp, lanes, [&](Thread &other) {
      if (other.arguments[1] == thread.arguments[1])
        equal |= 1u << other.lane;
    });
    if (!thread.op->flag) {
      thread.results[0] = equal;
      return;
    }
    thread.results[0] = equal == lanes ? lanes : 0;
    thread.results[1] = equal == lanes;
  });
}

uint32_t reduce(int32_t kind, uint32_t x, uint32_t y) {
  float fx = std::bit_cast<float>(x), fy = std::bit_cast<float>(y);
  switch (kind) {
  case kAdd:
    return x + y;
  case kMin:
    return std::min<int32_t>(x, y);
  case kMax:
    return std::max<int32_t>(x, y);
  case kUMin:
    return std::min(x, y);
  case kUMax:
    return std::max(x, y);
  case kAnd:
    return x & y;
  case kOr:
    return x | y;
  case kXor:
    return x ^ y;
  case kFMin:
    return std::bit_cast<uint32_t>(std::fmin(fx, fy));
  default:
    return std::bit_cast<uint32_t>(std::fmax(fx, fy));
  }
}

/// Arguments: value, mask.
void finishReduce(Warp &warp, uint32_t lanes, const Operation &op) {
  bool first = true;
  uint32_t result = 0;
  forLanes(warp, lanes, [&](Thread &thread) {
    uint32_t value = thread.arguments[0];
    result = first ? value : reduce(op.variant, result, value);
    first = false;
  });
  forLanes(warp, lanes, [&](Thread &thread) { thread.results[0] = result; });
}

void finishElect(Warp &warp, uint32_t lanes, const Operation &op) {
  uint32_t leader = std::countr_zero(lanes);
  forLanes(warp, lanes, [&](Thread &thread) {
    thread.results[0] = leader;
    thread.results[1] = thread.lane == leader;
  });
}

void finishSync(Warp &warp, uint32_t lanes, const Operation &op) {
  Block &block = *warp.lanes[std::countr_zero(lanes)]->block;
  ReleaseSum sum;
  sum.reset(block.clocks);
  forLanes(warp, lanes, [&](Thread &thread) { sum.arrive(thread); });
  Release release = sum.freeze(block.clocks);
  forLanes(warp, lanes, [&](Thread &thread) { acquire(thread, release); });
}

void runShuffle(Context *context, const Operation *op, uint64_t *a,
                uint64_t *r) {
  meet(threadOf(context), *op, a, r, a[0], Meeting::Shuffle, finishShuffle);
}
void runVote(Context *context, const Operation *op, uint64_t *a, uint64_t *r) {
  meet(threadOf(context), *op, a, r, a[0], Meeting::Vote, finishVote);
}
void runMatch(Context *context, const Operation *op, uint64_t *a, uint64_t *r) {
  meet(threadOf(context), *op, a, r, a[0], Meeting::Match, finishMatch);
}
void runReduce(Context *context, const Operation *op, uint64_t *a,
               uint64_t *r) {
  meet(threadOf(context), *op, a, r, a[1], Meeting::Reduce, finishReduce);
}
void runElect(Context *context, const Operation *op, uint64_t *a, uint64_t *r) {
  meet(threadOf(context), *op, a, r, a[0], Meeting::Elect, finishElect);
}
void runSync(Context *context, const Operation *op, uint64_t *a, uint64_t *r) {
  meet(threadOf(context), *op, a, r, a[0], Meeting::Sync, finishSync);
}

/// Which lanes are active depends on the schedule; those that have not ended is
/// one of the possible answers.
void runActiveMask(Context *context, const Operation *, uint64_t *,
                   uint64_t *results) {
  const Warp &warp = *threadOf(context).warp;
  results[0] = warp.existing & ~warp.ended;
}

int32_t indexIn(std::string_view name,
                std::initializer_list<std::string_view> names) {
  auto place = std::find(names.begin(), names.end(), name);
  return place == names.end() ? -1 : place - names.begin();
}
} // namespace

// shfl.sync.MODE.TYPE[p], vote.MODE.sync, match.{any,all}.sync.TYPE[p],
// redux.sync.OP, elect.sync, bar.warp.sync, activemask
bool qdelta::emulator::bindWarp(Operation &op) {
  NameParts parts(op.name);
  if (parts[0] == "shfl" && parts[1] == "sync" && parts.size() == 4) {
    op.handler = runShuffle;
    op.variant = indexIn(parts[2], {"idx", "up", "down", "bfly"});
    op.flag = parts[3].ends_with('p');
    return op.variant >= 0;
  }
  if (parts[0] == "vote" && parts[2] == "sync") {
    op.handler = runVote;
    op.variant = indexIn(parts[1], {"all", "any", "uni", "ballot"});
    return op.variant >= 0;
  }
  if (parts[0] == "match" && parts[2] == "sync") {
    op.handler = runMatch;
    op.flag = parts[1] == "all";
    return op.flag || parts[1] == "any";
  }
  if (parts[0] == "redux" && parts[1] == "sync" && parts.size() == 3) {
    op.handler = runReduce;
    op.variant = indexIn(parts[2], {"add", "min", "max", "umin", "umax", "and",
                                    "or", "xor", "fmin", "fmax"});
    return op.variant >= 0;
  }
  if (op.name == "elect.sync")
    op.handler = runElect;
  else if (op.name == "bar.warp.sync")
    op.handler = runSync;
  else if (op.name == "activemask")
    op.handler = runActiveMask;
  return op.handler != nullptr;
}

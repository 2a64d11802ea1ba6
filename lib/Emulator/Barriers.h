//===- Barriers.h - state of block barriers and mbarriers -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_BARRIERS_H
#define QDELTA_EMULATOR_BARRIERS_H

#include "Clock.h"
#include "Operation.h"

namespace qdelta::emulator {

class Block;
struct Thread;

/// What waiting threads learn: knowledge and the part a proxy fence covers.
struct Release {
  ClockVector known, fenced;
};

/// Gathers releases.
struct ReleaseSum {
  KnowledgeSum known, fenced;

  void reset(ClockSpace &space);
  /// Adds what the thread knows, which then begins a new epoch.
  void arrive(Thread &thread);
  Release freeze(ClockSpace &space) const;
};

/// Makes the thread know what was released.
void acquire(Thread &thread, const Release &release);

/// One of the sixteen barriers of bar.sync.
struct BlockBarrier {
  bool active = false;
  /// 0 while all threads of the block are expected.
  uint32_t expected = 0;
  uint32_t arrived = 0;
  /// Of arrivals, for reductions.
  uint32_t predicates = 0, trues = 0;
  std::vector<Thread *> waiting;
  ReleaseSum sum;
  const Operation *first = nullptr;
  /// Lanes that have arrived at an .aligned operation, warp by warp, and those
  /// that had ended when the first one did.
  std::vector<uint32_t> aligned, ended;
};

/// Completes the barrier if enough threads have arrived.
void checkBarrier(Block &block, BlockBarrier &barrier);

/// An mbarrier. Its bytes in shared memory are left unreadable.
struct Mbarrier {
  bool valid = false;
  uint32_t count = 0, pending = 0;
  int64_t bytes = 0;
  uint64_t phase = 0;
  /// Bulk loads that it counts are one agent, whose clock is the number of
  /// phases begun: loads for other mbarriers complete in any order.
  uint32_t agent = 0, clock = 0;
  ReleaseSum sum;
  Release released;
  const Operation *init = nullptr;
};

/// Counts bytes that an asynchronous copy has brought to the mbarrier at
/// `offset`, with what its agent releases.
void completeBytes(Block &block, uint32_t offset, int64_t bytes,
                   const Release &release);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_BARRIERS_H

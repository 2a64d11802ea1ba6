//===- Block.h - a block of GPU threads while it runs -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_BLOCK_H
#define QDELTA_EMULATOR_BLOCK_H

#include "Async.h"
#include "Barriers.h"
#include "Clock.h"
#include "Fiber.h"
#include "Findings.h"
#include "GlobalMemory.h"
#include "ProgramImpl.h"
#include "Shadow.h"

#include <deque>
#include <map>
#include <optional>

namespace qdelta::emulator {

class Block;
struct Warp;
struct Warpgroup;

/// A GPU thread. Prepared code sees the context that it begins with.
struct Thread : Context {
  enum class State { Ready, Waiting, Ended };

  Block *block = nullptr;
  Warp *warp = nullptr;
  Warpgroup *warpgroup = nullptr;
  uint32_t index = 0;
  uint32_t lane = 0;
  State state = State::Ready;
  Fiber fiber;

  OwnAgents agents{};
  Knowledge known, fenced;

  /// The operation in progress, for those that complete it on its behalf.
  const Operation *op = nullptr;
  uint64_t *arguments = nullptr, *results = nullptr;
  /// Why it waits, for the report of a deadlock.
  const char *waitingFor = nullptr;
  uint32_t waitingAt = 0;
  /// Waits for the phase of an mbarrier to end; with `mayFail`, as a test that
  /// can also be told that it has not.
  bool polls = false, mayFail = false;

  /// Its non-bulk and bulk copies.
  CopyQueue copies;
  BulkQueue bulks;
  WgmmaState wgmma;

  /// Accesses since it last waited.
  uint64_t accesses = 0;
  /// The buffer of its last global access.
  const GlobalMemory::Range *lastRange = nullptr;

  uint32_t clock() const { return known.own[kOwnThread]; }
  /// Begins a new epoch, after others may have learned of the last.
  void tick() { ++known.own[kOwnThread]; }
};

/// Computes the results of the lanes in `lanes` from their arguments.
using Finish = void (*)(Warp &warp, uint32_t lanes, const Operation &op);

/// A meeting of lanes.
struct Rendezvous {
  uint32_t mask = 0;
  uint32_t arrived = 0;
  int32_t kind = 0;
  bool aligned = false;
  const Operation *op = nullptr;
  Finish finish = nullptr;
};

/// Completes what lanes of the thread's warp wait for, now that it has ended.
void leaveMeetings(Thread &thread);

struct Warp {
  Thread *lanes[32] = {};
  uint32_t existing = 0, ended = 0;
  /// Groups of lanes may be at different operations.
  std::vector<Rendezvous> open;
};

/// Four warps that execute wgmma together.
struct Warpgroup {
  uint32_t index = 0;
  /// Threads; 128 when it is whole.
  std::vector<Thread *> members;
  std::vector<Thread *> waiting;
  uint32_t agent = 0;
  /// The clock of the group that is being filled, and of those committed.
  uint32_t clock = 1;
  std::vector<uint32_t> committed;
};

/// What all blocks of a launch share.
struct LaunchPlan {
  const Kernel *kernel;
  LaunchConfig config;
  GlobalMemory memory;
  void *const *arguments;
  uint32_t sharedBytes;
};

/// What is worth keeping from one block to the next: stacks, threads, memory.
class BlockStorage {
public:
  Thread &thread(uint32_t index);
  uint8_t *shared() { return sharedMemory.data(); }
  /// Where accesses go that would be out of bounds; reads as NaN.
  void *scratch();
  /// Room for `count` floats, which the next call invalidates.
  float *floats(size_t count);

  Shadow shadow;

private:
  std::vector<std::unique_ptr<Thread>> threads;
  std::vector<uint8_t> sharedMemory = std::vector<uint8_t>(kSharedWindow);
  std::vector<uint8_t> scratchMemory;
  std::vector<float> floatMemory;
};

/// One running block.
class Block {
public:
  Block(const LaunchPlan &plan, Dim3 position, BlockStorage &storage);
  ~Block();

  /// Runs all threads; false when they got stuck.
  bool run();

  // Scheduling.

  /// Stops the thread until someone wakes it.
  void wait(Thread &thread, const char *reason, uint32_t at = 0);
  void wake(Thread &thread);
  /// Lets others go first.
  void yield(Thread &thread);
  /// Ends the thread; does not return.
  [[noreturn]] void end(Thread &thread);
  /// Wakes those that poll an mbarrier.
  void wakePollers();
  uint64_t random();
  /// Whether an asynchronous copy should complete now, at its issue.
  bool completesAtOnce();

  // Memory.

  /// The address in this process of `bytes` of shared memory; null, after a
  /// report, when they are not all there. Pointers of 32 bits will do.
  uint8_t *shared(Thread &thread, const Operation &op, uint64_t address,
                  uint64_t bytes);
  /// The same for global memory.
  uint8_t *global(Thread &thread, const Operation &op, uint64_t address,
                  uint64_t bytes, bool writes);
  static uint32_t sharedOffset(uint64_t address) {
    return address & (kSharedWindow - 1);
  }
  void *scratch() { return storage.scratch(); }
  bool checkAlignment(Thread &thread, const Operation &op, uint64_t address,
                      uint64_t alignment);
  /// How the thread itself accesses memory.
  Accessor accessor(const Thread &thread, const Operation &op) const;

  // Reports.

  void report(ReportKind kind, const Thread &thread, const Operation &op,
              const std::string &what, const Operation *other = nullptr);
  std::string agentName(uint32_t agent) const;
  /// The agent of the loads for the n-th mbarrier.
  uint32_t mbarrierAgent(uint32_t n) const {
    return 3 * numThreads + warpgroups.size() +
           std::min(n, kMaxMbarrierAgents - 1);
  }
  static constexpr uint32_t kMaxMbarrierAgents = 64;
  /// "smem+64 (tile+32)".
  std::string sharedName(uint32_t offset) const;

  bool checks() const { return plan.config.check; }
  bool isLazy() const { return plan.config.completion == Completion::Lazy; }

  const LaunchPlan &plan;
  const ProgramImpl &program;
  Dim3 position;
  BlockStorage &storage;
  uint8_t *sharedMemory;
  uint32_t numThreads, live;
  ClockSpace clocks;
  Shadow &shadow;
  Findings findings;
  Counts counts;
  std::vector<Thread *> threads;
  std::vector<Warp> warps;
  std::vector<Warpgroup> warpgroups;
  BlockBarrier barriers[16];
  std::map<uint32_t, Mbarrier> mbarriers;
  /// What releasing atomics have published, by their offset.
  std::map<uint32_t, ReleaseSum> atomics;
  /// Bulk loads that nothing but time completes.
  std::deque<BulkCopy> inFlight;

private:
  static void runThread(void *thread);
  void setUp(Thread &thread, uint32_t index);
  Thread *pick();
  void dispatch(Thread &from, bool ends);
  void endQuietly(Thread &thread);
  /// Completes something asynchronous; false when there is nothing left.
  bool progress();
  void reportDeadlock();
  void checkAtExit(Thread &thread);
  void checkMbarriers();
  /// Grows whenever a thread does anything but wait.
  uint64_t work() const;
  void addReport(Report report, const Operation &op, const Operation *other);
  void onConflict(const Accessor &accessor, const Shadow::Conflict &conflict);

  Fiber main;
  std::deque<Thread *> ready;
  uint64_t randomState;
  /// `work` when tests of mbarriers were last told that they had failed.
  uint64_t workAtLastPoll = ~uint64_t(0);
};

/// What a handler was called for.
inline Thread &threadOf(Context *context) {
  return *static_cast<Thread *>(context);
}

extern const Entries kEntries;

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_BLOCK_H

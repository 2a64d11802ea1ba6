//===- Block.cpp - running and scheduling a block's threads ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Block.h"

#include <cstring>

using namespace qdelta::emulator;

static constexpr uint32_t kWarpSize32 = 32, kWarpgroupSize = 128;

Thread &BlockStorage::thread(uint32_t index) {
  while (threads.size() <= index)
    threads.push_back(std::make_unique<Thread>());
  return *threads[index];
}

void *BlockStorage::scratch() {
  scratchMemory.assign(0x10000, 0xff);
  return scratchMemory.data();
}

float *BlockStorage::floats(size_t count) {
  if (floatMemory.size() < count)
    floatMemory.resize(count);
  return floatMemory.data();
}

static uint32_t ceilDiv(uint32_t a, uint32_t b) { return (a + b - 1) / b; }

Block::Block(const LaunchPlan &plan, Dim3 position, BlockStorage &storage)
    : plan(plan), program(*plan.kernel->program), position(position),
      storage(storage), sharedMemory(storage.shared()),
      numThreads(plan.config.block.count()), live(numThreads),
      clocks(3 * numThreads + ceilDiv(numThreads, kWarpgroupSize) +
             kMaxMbarrierAgents),
      shadow(storage.shadow), findings(plan.config.maxReports),
      warps(ceilDiv(numThreads, kWarpSize32)),
      warpgroups(ceilDiv(numThreads, kWarpgroupSize)) {
  const Dim3 &grid = plan.config.grid;
  uint64_t number =
      position.x + grid.x * (position.y + uint64_t(grid.y) * position.z);
  randomState = (plan.config.seed + 1) * 0x9e3779b97f4a7c15 ^
                (number + 1) * 0xbf58476d1ce4e5b9;
  if (!randomState)
    randomState = 1;

  shadow.reset(
      plan.config.check ? plan.sharedBytes : 0,
      [this](const Accessor &accessor, const Shadow::Conflict &conflict) {
        onConflict(accessor, conflict);
      });
  // Reads as NaN, in every format.
  std::memset(storage.shared(), 0xff, plan.sharedBytes);
  uint32_t end = 0;
  for (const SharedVariable &variable : program.variables) {
    shadow.addGap(end, variable.offset - end);
    end = variable.offset + variable.bytes;
  }
  if (plan.config.check && program.dynamicOffset > end)
    shadow.addGap(end, program.dynamicOffset - end);

  for (uint32_t i = 0; i < warpgroups.size(); ++i) {
    warpgroups[i].index = i;
    warpgroups[i].agent = 3 * numThreads + i;
  }
  for (uint32_t i = 0; i < numThreads; ++i)
    setUp(storage.thread(i), i);
}

// Threads outlive the block but not its clocks.
Block::~Block() {
  for (Thread *thread : threads) {
    thread->known = thread->fenced = Knowledge();
    thread->copies = CopyQueue();
    thread->bulks = BulkQueue();
  }
}

void Block::setUp(Thread &thread, uint32_t index) {
  const Dim3 &size = plan.config.block, &grid = plan.config.grid;
  thread.entries = &kEntries;
  thread.bindings = program.bindings.data();
  thread.block = this;
  thread.index = index;
  thread.lane = index % kWarpSize32;
  thread.warp = &warps[index / kWarpSize32];
  thread.warpgroup = &warpgroups[index / kWarpgroupSize];
  thread.state = Thread::State::Ready;
  thread.op = nullptr;
  thread.polls = false;
  thread.accesses = 0;
  thread.lastRange = nullptr;
  thread.wgmma = WgmmaState();
  thread.agents = {index, numThreads + index, 2 * numThreads + index,
                   thread.warpgroup->agent};
  thread.known.base = thread.fenced.base = clocks.zero();
  thread.known.own = {1, 0, 0, 0};
  thread.fenced.own = {};

  uint32_t *r = thread.registers;
  r[kTidX] = index % size.x;
  r[kTidY] = index / size.x % size.y;
  r[kTidZ] = index / size.x / size.y;
  r[kNtidX] = size.x;
  r[kNtidY] = size.y;
  r[kNtidZ] = size.z;
  r[kCtaidX] = position.x;
  r[kCtaidY] = position.y;
  r[kCtaidZ] = position.z;
  r[kNctaidX] = grid.x;
  r[kNctaidY] = grid.y;
  r[kNctaidZ] = grid.z;
  r[kLaneId] = thread.lane;
  r[kWarpId] = index / kWarpSize32;
  r[kNwarpId] = warps.size();
  r[kWarpSize] = kWarpSize32;
  uint32_t bit = 1u << thread.lane;
  r[kLanemaskEq] = bit;
  r[kLanemaskLt] = bit - 1;
  r[kLanemaskLe] = bit | (bit - 1);
  r[kLanemaskGe] = ~(bit - 1);
  r[kLanemaskGt] = ~(bit | (bit - 1));
  r[kDynamicSmemSize] = plan.config.dynamicSharedBytes;
  r[kZero] = 0;
  r[kOne] = 1;

  thread.warp->lanes[thread.lane] = &thread;
  thread.warp->existing |= bit;
  thread.warpgroup->members.push_back(&thread);
  thread.fiber.start(runThread, &thread);
  threads.push_back(&thread);
  ready.push_back(&thread);
}

void Block::runThread(void *argument) {
  auto &thread = *static_cast<Thread *>(argument);
  Block &block = *thread.block;
  block.plan.kernel->entry(static_cast<Context *>(&thread),
                           block.plan.arguments);
  block.end(thread);
}

bool Block::run() {
  while (true) {
    if (Thread *next = pick()) {
      Fiber::switchTo(main, next->fiber);
      continue;
    }
    if (live == 0)
      break;
    if (!progress()) {
      reportDeadlock();
      return false;
    }
  }
  while (!inFlight.empty())
    progress();
  checkMbarriers();
  return true;
}

uint64_t Block::random() {
  randomState ^= randomState << 13;
  randomState ^= randomState >> 7;
  randomState ^= randomState << 17;
  return randomState;
}

bool Block::completesAtOnce() {
  return plan.config.completion == Completion::Eager ||
         (plan.config.completion == Completion::Random && random() >> 32 & 1);
}

Thread *Block::pick() {
  if (!inFlight.empty() && plan.config.completion == Completion::Random &&
      (random() >> 32) % 8 == 0)
    progress();
  if (ready.empty())
    return nullptr;
  Thread *next;
  switch (plan.config.schedule) {
  case Schedule::Fifo:
    next = ready.front();
    ready.pop_front();
    return next;
  case Schedule::Lifo:
    next = ready.back();
    ready.pop_back();
    return next;
  case Schedule::Random:
    std::swap(ready[(random() >> 32) % ready.size()], ready.back());
    next = ready.back();
    ready.pop_back();
    return next;
  }
  return nullptr;
}

void Block::dispatch(Thread &from, bool ends) {
  Thread *next = pick();
  if (next != &from)
    Fiber::switchTo(from.fiber, next ? next->fiber : main, ends);
}

void Block::wait(Thread &thread, const char *reason, uint32_t at) {
  thread.state = Thread::State::Waiting;
  thread.waitingFor = reason;
  thread.waitingAt = at;
  thread.accesses = 0;
  dispatch(thread, false);
}

void Block::wake(Thread &thread) {
  if (thread.state != Thread::State::Waiting)
    return;
  thread.state = Thread::State::Ready;
  ready.push_back(&thread);
}

void Block::yield(Thread &thread) {
  // Behind all others, in every schedule that could else pick it for ever.
  if (plan.config.schedule == Schedule::Lifo)
    ready.push_front(&thread);
  else
    ready.push_back(&thread);
  dispatch(thread, false);
}

void Block::wakePollers() {
  for (Thread *thread : threads) {
    if (!thread->polls)
      continue;
    thread->polls = false;
    wake(*thread);
  }
}

void Block::end(Thread &thread) {
  endQuietly(thread);
  dispatch(thread, true);
  __builtin_unreachable();
}

// Apart from `end`, so that nothing is left to destroy on the stack.
void Block::endQuietly(Thread &thread) {
  checkAtExit(thread);
  thread.state = Thread::State::Ended;
  thread.warp->ended |= 1u << thread.lane;
  --live;
  for (BulkCopy &copy : thread.bulks.open)
    copy.complete(*this);
  for (CopyGroup<BulkCopy> &group : thread.bulks.groups)
    for (BulkCopy &copy : group.copies)
      copy.complete(*this);
  leaveMeetings(thread);
  for (BlockBarrier &barrier : barriers)
    if (barrier.active)
      checkBarrier(*this, barrier);
}

uint64_t Block::work() const {
  return counts.bytesRead + counts.bytesWritten + counts.sharedAccesses +
         counts.barriers + counts.mbarrierPhases + counts.mma + counts.wgmma +
         counts.asyncCopies + counts.bulkCopies + counts.warpOperations;
}

bool Block::progress() {
  if (!inFlight.empty()) {
    size_t i = plan.config.completion == Completion::Random
                   ? (random() >> 32) % inFlight.size()
                   : 0;
    BulkCopy copy = std::move(inFlight[i]);
    inFlight.erase(inFlight.begin() + i);
    copy.complete(*this);
    return true;
  }
  if (work() == workAtLastPoll)
    return false;
  // A test of an mbarrier may fail; its thread may have better to do.
  workAtLastPoll = work();
  bool any = false;
  for (Thread *thread : threads) {
    if (!thread->polls || !thread->mayFail)
      continue;
    any = true;
    thread->polls = false;
    wake(*thread);
  }
  return any;
}

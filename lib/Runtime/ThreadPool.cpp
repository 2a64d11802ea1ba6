//===- ThreadPool.cpp - threads that spin a little, then sleep -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Runtime/ThreadPool.h"

#include <algorithm>
#include <chrono>

#ifdef __linux__
#include <sched.h>
#endif

using namespace qdelta::runtime;

namespace {
/// A call word holds a serial number and, in its low bits, how many threads
/// take part in the call; `stopWord` in those bits ends the threads.
constexpr uint32_t threadBits = 12;
constexpr uint32_t threadMask = (1u << threadBits) - 1;
constexpr uint32_t stopWord = threadMask;

constexpr auto spinTime = std::chrono::microseconds(50);
constexpr int64_t sharesPerThread = 4;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Waits until `word` is no longer `old` and returns what it is: spins for as
/// long as a launch or two, then sleeps.
uint32_t waitForChange(const std::atomic<uint32_t> &word, uint32_t old) {
  auto end = std::chrono::steady_clock::now() + spinTime;
  do {
    for (int i = 0; i < 64; ++i) {
      uint32_t now = word.load(std::memory_order_acquire);
      if (now != old)
        return now;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  while (true) {
    word.wait(old, std::memory_order_acquire);
    uint32_t now = word.load(std::memory_order_acquire);
    if (now != old)
      return now;
  }
}
} // namespace

ThreadPool::~ThreadPool() {
  call.store(stopWord, std::memory_order_release);
  call.notify_all();
  for (std::thread &worker : workers)
    worker.join();
}

int32_t ThreadPool::countCores() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return CPU_COUNT(&set);
#endif
  unsigned count = std::thread::hardware_concurrency();
  return count ? static_cast<int32_t>(count) : 1;
}

void ThreadPool::runShares() {
  // Several shares a thread, so that one slow core does not set the time.
  int64_t size = std::max<int64_t>(1, items / (threads * sharesPerThread));
  while (true) {
    int64_t begin = next.fetch_add(size, std::memory_order_relaxed);
    if (begin >= items)
      return;
    (*body)(begin, std::min(begin + size, items));
  }
}

void ThreadPool::work(int32_t index, uint32_t seen) {
  while (true) {
    seen = waitForChange(call, seen);
    uint32_t taking = seen & threadMask;
    if (taking == stopWord)
      return;
    // A thread that takes no part must not look at the call: the caller does
    // not wait for it.
    if (static_cast<uint32_t>(index) >= taking)
      continue;
    runShares();
    if (pending.fetch_sub(1, std::memory_order_acq_rel) == 1)
      pending.notify_one();
  }
}

void ThreadPool::run(int64_t numItems, int32_t numThreads,
                     const Body &theBody) {
  if (numThreads <= 1) {
    theBody(0, numItems);
    return;
  }
  std::lock_guard<std::mutex> turn(mutex);
  uint32_t last = call.load(std::memory_order_relaxed);
  while (static_cast<int32_t>(workers.size()) < numThreads - 1) {
    auto index = static_cast<int32_t>(workers.size()) + 1;
    workers.emplace_back([this, index, last] { work(index, last); });
  }
  items = numItems;
  threads = numThreads;
  next.store(0, std::memory_order_relaxed);
  body = &theBody;
  pending.store(static_cast<uint32_t>(numThreads - 1),
                std::memory_order_relaxed);
  uint32_t serial = (last >> threadBits) + 1;
  call.store(serial << threadBits | static_cast<uint32_t>(numThreads),
             std::memory_order_release);
  call.notify_all();
  runShares();
  uint32_t left = pending.load(std::memory_order_acquire);
  while (left != 0)
    left = waitForChange(pending, left);
}

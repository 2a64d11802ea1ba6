//===- ThreadPoolTest.cpp - every item exactly once ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Runtime/ThreadPool.h"

#include "gtest/gtest.h"

#include <chrono>

using qdelta::runtime::ThreadPool;

/// Runs and checks that every item is computed once, in shares of at least one
/// item.
static void expectCovered(ThreadPool &pool, int64_t items, int32_t threads) {
  std::vector<std::atomic<int>> counts(static_cast<size_t>(items));
  std::atomic<int> empty = 0;
  pool.run(items, threads, [&](int64_t begin, int64_t end) {
    empty += threads > 1 && begin >= end;
    for (int64_t i = begin; i < end; ++i)
      ++counts[static_cast<size_t>(i)];
  });
  EXPECT_EQ(empty, 0);
  for (const std::atomic<int> &count : counts)
    ASSERT_EQ(count, 1) << items << " items, " << threads << " threads";
}

TEST(ThreadPool, CoversEveryItemOnce) {
  ThreadPool pool;
  for (int32_t threads : {1, 2, 3, 4, 7, 16})
    for (int64_t items : {0, 1, 2, 3, 5, 15, 16, 17, 1000})
      expectCovered(pool, items, threads);
}

TEST(ThreadPool, ChangesItsNumberOfThreads) {
  ThreadPool pool;
  for (int round = 0; round < 200; ++round)
    expectCovered(pool, 13, 1 + round * 7 % 5);
}

TEST(ThreadPool, WakesAfterSleep) {
  ThreadPool pool;
  for (int round = 0; round < 5; ++round) {
    expectCovered(pool, 64, 3);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

TEST(ThreadPool, WaitsForSlowShares) {
  ThreadPool pool;
  std::atomic<int> done = 0;
  pool.run(2, 2, [&](int64_t begin, int64_t) {
    if (begin == 1)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ++done;
  });
  EXPECT_EQ(done, 2);
}

TEST(ThreadPool, SharesRunTogether) {
  // Each share waits for the other: one after the other would not do.
  ThreadPool pool;
  std::atomic<int> arrived = 0, together = 0;
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  pool.run(2, 2, [&](int64_t, int64_t) {
    ++arrived;
    while (arrived < 2 && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    together += arrived == 2;
  });
  EXPECT_EQ(together, 2);
}

TEST(ThreadPool, CountsCores) { EXPECT_GE(ThreadPool::countCores(), 1); }

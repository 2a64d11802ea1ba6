//===- ThreadPool.h - threads that share a range of work items -*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_RUNTIME_THREADPOOL_H
#define QDELTA_RUNTIME_THREADPOOL_H

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace qdelta::runtime {

/// Starts threads when they are first needed and keeps them. Between calls
/// they spin for some microseconds, so that a stream of launches pays no
/// wake-up, and then sleep.
class ThreadPool {
public:
  /// Computes items begin .. end-1. Must not throw.
  using Body = std::function<void(int64_t begin, int64_t end)>;

  ThreadPool() = default;
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;
  ~ThreadPool();

  /// Calls `body` on contiguous shares of 0 .. items-1 from `threads` (at most
  /// 4094) threads, the caller's among them, each taking the next share when it
  /// is free, and returns when all are done. Calls from several threads take
  /// turns, except that one share runs at once. Throws std::system_error if a
  /// thread cannot be started; nothing has run then.
  void run(int64_t items, int32_t threads, const Body &body);

  /// The cores that this process may use.
  static int32_t countCores();

private:
  void work(int32_t index, uint32_t seen);
  void runShares();

  std::mutex mutex;
  std::vector<std::thread> workers;
  std::atomic<uint32_t> call{0};
  std::atomic<uint32_t> pending{0};
  /// The call in progress; written only when no thread takes part in one.
  int64_t items = 0;
  int32_t threads = 0;
  /// The first item that no thread has taken yet.
  std::atomic<int64_t> next{0};
  const Body *body = nullptr;
};

} // namespace qdelta::runtime

#endif // QDELTA_RUNTIME_THREADPOOL_H

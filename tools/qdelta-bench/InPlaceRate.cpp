//===- InPlaceRate.cpp - the memory's rate for updates in place ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "InPlaceRate.h"

#include "qdelta/Runtime/ThreadPool.h"

#include <chrono>

/// A line of the cache.
using Line = float __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) void scaleLines(Line *lines,
                                                             int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    lines[i] *= 0.99999f;
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void scaleByAvx512(Line *lines,
                                                             int64_t count) {
  scaleLines(lines, count);
}

__attribute__((target("avx2"))) static void scaleByAvx2(Line *lines,
                                                        int64_t count) {
  scaleLines(lines, count);
}
#endif

static void scale(Line *lines, int64_t count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    return scaleByAvx512(lines, count);
  if (__builtin_cpu_supports("avx2"))
    return scaleByAvx2(lines, count);
#endif
  scaleLines(lines, count);
}

double qdelta::tools::measureInPlaceRate(void *data, int64_t bytes,
                                         int32_t threads) {
  static runtime::ThreadPool pool;
  // Buffers start at a line, or a few before one.
  auto address = reinterpret_cast<uintptr_t>(data);
  auto *lines = reinterpret_cast<Line *>((address + 63) / 64 * 64);
  auto count = static_cast<int64_t>(bytes / 64) - 1;
  auto start = std::chrono::steady_clock::now();
  pool.run(count, threads, [&](int64_t begin, int64_t end) {
    scale(lines + begin, end - begin);
  });
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  return static_cast<double>(bytes) / time.count();
}

//===- FakeCuda.h - a driver without a GPU ----------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TEST_UNIT_RUNTIME_FAKECUDA_H
#define QDELTA_TEST_UNIT_RUNTIME_FAKECUDA_H

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

/// What the library of FakeCuda.cpp does and has seen. Its memory is the
/// machine's own; it has two devices and runs no kernel.
struct FakeCuda {
  // What it does.
  int deviceCount = 2, major = 9, minor = 0, maxSharedBytes = 232448;
  int cacheBytes = 8 << 20;
  /// Calls that fail, with the error's number.
  std::map<std::string, int> failures;
  /// What the JIT compiler prints when a module fails to load.
  std::string jitLog;
  /// Begin and end of memory that is on a device.
  struct Range {
    uintptr_t begin, end;
    int device;
  };
  std::vector<Range> memory;
  /// Milliseconds that pass with a launch and with each byte copied or
  /// overwritten on the device.
  float launchMs = 0.25f, byteMs = 1e-7f;
  /// Called by a launch in the place of the kernel.
  std::function<void(const std::vector<int64_t> &)> kernel;
  /// How much of a launch's parameters to copy.
  size_t words = 0, maps = 0;

  // What it has seen.
  /// Names of calls, in order, but for queries.
  std::vector<std::string> calls;
  std::string image, entry;
  int dynamicShared = -1;
  unsigned grid[3] = {}, block[3] = {}, shared = 0;
  void *stream = nullptr;
  std::vector<int64_t> parameter;
  std::vector<std::string> mapBytes;
  /// Entries of the functions that were found, and of those launched, in order.
  std::deque<std::string> functions;
  std::vector<std::string> launched;
  /// Pools made less destroyed; their memory, by address, until it is freed.
  int pools = 0;
  std::map<unsigned long long, std::vector<char>> pooled;
  /// Of the last tensor map.
  struct {
    int type = 0, interleave = 0, swizzle = 0, l2Promotion = 0, fill = 0;
    uint32_t rank = 0;
    void *address = nullptr;
    std::vector<uint64_t> sizes, strides;
    std::vector<uint32_t> box, elementStrides;
  } map;
  /// Contexts pushed less contexts popped; retained less released; modules.
  int pushed = 0, retained = 0, modules = 0;
  /// Events made less destroyed, memory allocated less freed.
  int events = 0, allocations = 0;
  /// The device's clock, and what it read when an event was recorded.
  double clock = 0;
  std::map<void *, double> recorded;
};

/// The symbol of `FakeCuda *fakeCudaState()` in the library.
constexpr const char *kFakeCudaState = "fakeCudaState";

#endif // QDELTA_TEST_UNIT_RUNTIME_FAKECUDA_H

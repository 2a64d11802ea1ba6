//===- GlobalMemory.h - the buffers of a launch -----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_GLOBALMEMORY_H
#define QDELTA_EMULATOR_GLOBALMEMORY_H

#include "qdelta/Emulator/Emulator.h"

namespace qdelta::emulator {

/// Knows which addresses a kernel may touch.
class GlobalMemory {
public:
  struct Range {
    uint64_t begin = 1, end = 0;
    bool writable = false;
    /// Parameters are not global memory; they do not count as traffic.
    bool counted = true;
    std::string name;

    bool holds(uint64_t address, uint64_t bytes) const {
      return address >= begin && address <= end && bytes <= end - address;
    }
  };

  void add(const Buffer &buffer, bool counted);
  /// To be called once all are there.
  void sort();

  /// The range that all the bytes are in; null for none.
  const Range *find(uint64_t address, uint64_t bytes) const;
  /// Where `address` lies, seen from the nearest buffer: "C+65552 of 65536".
  std::string describe(uint64_t address) const;

private:
  std::vector<Range> ranges;
};

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_GLOBALMEMORY_H

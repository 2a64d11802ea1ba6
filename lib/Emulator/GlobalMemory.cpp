//===- GlobalMemory.cpp - the buffers of a launch -------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "GlobalMemory.h"

#include <algorithm>

using namespace qdelta::emulator;

void GlobalMemory::add(const Buffer &buffer, bool counted) {
  uint64_t begin = reinterpret_cast<uint64_t>(buffer.data);
  ranges.push_back(
      {begin, begin + buffer.bytes, buffer.writable, counted, buffer.name});
}

void GlobalMemory::sort() {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range &a, const Range &b) { return a.begin < b.begin; });
}

const GlobalMemory::Range *GlobalMemory::find(uint64_t address,
                                              uint64_t bytes) const {
  auto after = std::upper_bound(
      ranges.begin(), ranges.end(), address,
      [](uint64_t value, const Range &range) { return value < range.begin; });
  if (after == ranges.begin() || !std::prev(after)->holds(address, bytes))
    return nullptr;
  return &*std::prev(after);
}

std::string GlobalMemory::describe(uint64_t address) const {
  const Range *nearest = nullptr;
  uint64_t best = 1 << 20;
  for (const Range &range : ranges) {
    uint64_t distance = address < range.begin  ? range.begin - address
                        : address >= range.end ? address - range.end
                                               : 0;
    if (distance < best) {
      best = distance;
      nearest = &range;
    }
  }
  if (!nearest) {
    char text[32];
    snprintf(text, sizeof(text), "address 0x%llx",
             static_cast<unsigned long long>(address));
    return std::string(text) + " near no buffer";
  }
  int64_t offset = static_cast<int64_t>(address - nearest->begin);
  return nearest->name + (offset < 0 ? "" : "+") + std::to_string(offset) +
         " of " + std::to_string(nearest->end - nearest->begin);
}

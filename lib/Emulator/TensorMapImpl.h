//===- TensorMapImpl.h - what a tensor map holds ----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_TENSORMAPIMPL_H
#define QDELTA_EMULATOR_TENSORMAPIMPL_H

#include "qdelta/Emulator/TensorMap.h"

#include <optional>

namespace qdelta::emulator {

constexpr uint32_t kMaxRank = 5;

/// The content of a tensor map, as stored in its 128 bytes.
struct TensorMapContent {
  uint32_t magic;
  uint8_t elementBytes, rank, swizzle, unused;
  uint64_t base;
  /// Bytes from one index to the next, dimension by dimension.
  uint64_t strides[kMaxRank];
  uint32_t sizes[kMaxRank];
  uint16_t box[kMaxRank];
  uint8_t steps[kMaxRank];
  uint8_t checksum;

  uint32_t boxBytes() const;
};
static_assert(sizeof(TensorMapContent) <= sizeof(TensorMap));

/// Nothing when the bytes are no tensor map of the emulator.
std::optional<TensorMapContent> decode(const void *map);

/// The address where the hardware puts the byte that belongs at `address`:
/// 16-byte units are exchanged by address bits 7 and up.
inline uint64_t swizzled(uint64_t address, Swizzle swizzle) {
  switch (swizzle) {
  case Swizzle::B128:
    return address ^ ((address >> 7 & 7) << 4);
  case Swizzle::B64:
    return address ^ ((address >> 7 & 3) << 4);
  case Swizzle::B32:
    return address ^ ((address >> 7 & 1) << 4);
  default:
    return address;
  }
}

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_TENSORMAPIMPL_H

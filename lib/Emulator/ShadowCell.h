//===- ShadowCell.h - what the shadow knows of two bytes --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_SHADOWCELL_H
#define QDELTA_EMULATOR_SHADOWCELL_H

#include <cstdint>

namespace qdelta::emulator {

/// Bytes of shared memory that one cell stands for.
constexpr uint32_t kGranule = 2;

/// Words of the shadow: clock (24 bits), agent (12), operation (20), flags (8).
constexpr int kAgentShift = 24, kOpShift = 36, kFlagShift = 56;
constexpr uint32_t kMaxClock = (1 << 24) - 1;
constexpr uint32_t kMaxAgents = 1 << 12;
constexpr uint32_t kMaxOperations = 1 << 20;
/// Clock and agent.
constexpr uint64_t kWhoMask = (uint64_t(1) << kOpShift) - 1;

constexpr uint64_t shadowFlag(int bit) {
  return uint64_t(1) << (kFlagShift + bit);
}
/// Of the word of the last write; the last two mark bytes that may not be
/// touched plainly or at all.
constexpr uint64_t kWritten = shadowFlag(0), kAsync = shadowFlag(1),
                   kAtomicWrite = shadowFlag(2), kMbarrierCell = shadowFlag(3),
                   kGap = shadowFlag(4);
/// Of the word of reads: one reader, or the number of a list of them.
constexpr uint64_t kSingle = shadowFlag(0), kSeveral = shadowFlag(1),
                   kAtomicRead = shadowFlag(2), kAsyncRead = shadowFlag(3);

inline uint32_t clockOf(uint64_t word) { return word & kMaxClock; }
inline uint32_t agentOf(uint64_t word) {
  return word >> kAgentShift & (kMaxAgents - 1);
}
inline uint32_t opOf(uint64_t word) {
  return word >> kOpShift & (kMaxOperations - 1);
}
/// The number of a list of readers.
inline uint32_t indexOf(uint64_t word) { return static_cast<uint32_t>(word); }

/// The last write of two bytes, and the reads since.
struct ShadowCell {
  uint64_t write = 0, read = 0;

  /// Written last, and plainly, by this agent at this clock.
  bool isWrittenBy(uint64_t who) const {
    constexpr uint64_t mask = kWhoMask | uint64_t(0xff) << kFlagShift;
    return ((write ^ (who | kWritten)) & mask) == 0;
  }
};

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_SHADOWCELL_H

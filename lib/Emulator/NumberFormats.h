//===- NumberFormats.h - the short floating-point formats -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_NUMBERFORMATS_H
#define QDELTA_EMULATOR_NUMBERFORMATS_H

#include <bit>
#include <cstdint>

namespace qdelta::emulator {

inline float asFloat(uint64_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits));
}
inline uint32_t asBits(float value) { return std::bit_cast<uint32_t>(value); }

inline float fromF16(uint16_t bits) {
  return static_cast<float>(std::bit_cast<_Float16>(bits));
}
/// Rounds to nearest, ties to even, as all conversions here.
inline uint16_t toF16(float value) {
  return std::bit_cast<uint16_t>(static_cast<_Float16>(value));
}

inline float fromBF16(uint16_t bits) { return asFloat(uint32_t(bits) << 16); }
inline uint16_t toBF16(float value) {
  uint32_t bits = asBits(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return 0x7fff;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/// What tensor cores read of a float: they drop the lower 13 bits.
inline float readTF32(uint32_t bits) { return asFloat(bits & 0xffffe000); }

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_NUMBERFORMATS_H

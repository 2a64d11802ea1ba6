//===- Format.cpp - rounding to bf16, f16 and tf32 ------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Reference/Format.h"

#include <algorithm>
#include <bit>

using namespace qdelta::reference;

static constexpr std::string_view kNames[] = {"f32", "bf16", "f16", "tf32",
                                              "f64", "i32",  "i64"};

std::string_view qdelta::reference::formatName(Format format) {
  return kNames[static_cast<size_t>(format)];
}

std::optional<Format> qdelta::reference::findFormat(std::string_view name) {
  for (Format format : {Format::F64, Format::F32, Format::BF16, Format::F16})
    if (formatName(format) == name)
      return format;
  return std::nullopt;
}

double qdelta::reference::unitRoundoff(Format format) {
  switch (format) {
  case Format::F32:
    return 0x1p-24;
  case Format::BF16:
    return 0x1p-8;
  case Format::F16:
  case Format::TF32:
    break;
  case Format::F64:
    return 0x1p-53;
  case Format::I32:
  case Format::I64:
    return 0;
  }
  return 0x1p-11;
}

/// Drops the lowest `count` bits: up if more than half, or half and odd.
static uint32_t dropBits(uint32_t bits, unsigned count) {
  uint32_t half = (1u << (count - 1)) - 1;
  return (bits + half + (bits >> count & 1)) >> count;
}

static uint16_t toHalf(float x) {
  auto bits = std::bit_cast<uint32_t>(x);
  uint32_t sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  if (bits >= 0x7f800000)
    return sign | (bits > 0x7f800000 ? 0x7e00 : 0x7c00);
  // Below 2^-14 numbers are multiples of 2^-24, as floats from 1/2 to 1 are.
  if (bits < 0x38800000) {
    auto shifted = std::bit_cast<float>(bits) + 0.5f;
    return sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000);
  }
  return sign | std::min(dropBits(bits - 0x38000000, 13), 0x7c00u);
}

uint16_t qdelta::reference::toBits(Format format, float x) {
  if (format == Format::F16)
    return toHalf(x);
  auto bits = std::bit_cast<uint32_t>(x);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return bits >> 16 | 0x40;
  return dropBits(bits, 16);
}

float qdelta::reference::fromBits(Format format, uint16_t bits) {
  if (format == Format::BF16)
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  uint32_t sign = (bits & 0x8000u) << 16, rest = (bits & 0x7fffu) << 13;
  if (rest >= 0x7c00u << 13)
    return std::bit_cast<float>(sign | 0x7f800000 | rest);
  // A float with half's exponent is 2^-112 of it.
  auto magnitude = std::bit_cast<float>(rest) * 0x1p112f;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
}

/// Half of the last place kept is added to the magnitude; a carry out of the
/// mantissa is the next power of two, or infinity.
static float toTf32(float x) {
  auto bits = std::bit_cast<uint32_t>(x);
  if ((bits & 0x7fffffff) >= 0x7f800000)
    return x;
  return std::bit_cast<float>((bits + 0x1000) & 0xffffe000);
}

float qdelta::reference::roundTo(Format format, float x) {
  if (format != Format::TF32 && formatBytes(format) != 2)
    return x;
  return format == Format::TF32 ? toTf32(x)
                                : fromBits(format, toBits(format, x));
}

double qdelta::reference::roundTo(Format format, double x) {
  bool isWide =
      format == Format::F64 || format == Format::I32 || format == Format::I64;
  return isWide ? x : roundTo(format, static_cast<float>(x));
}

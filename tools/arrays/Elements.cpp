//===- Elements.cpp - numbers as a format stores them --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "arrays/Elements.h"

#include <algorithm>

using namespace qdelta::tools;
namespace reference = qdelta::reference;

template <typename To, typename From>
static void copyNumbers(const From *from, size_t count, To *to) {
  std::transform(from, from + count, to,
                 [](From x) { return static_cast<To>(x); });
}

void qdelta::tools::storeElements(std::span<const double> numbers,
                                  Format format, void *to) {
  if (format == Format::F64)
    return copyNumbers(numbers.data(), numbers.size(),
                       static_cast<double *>(to));
  if (format == Format::F32)
    return copyNumbers(numbers.data(), numbers.size(),
                       static_cast<float *>(to));
  if (format == Format::I32)
    return copyNumbers(numbers.data(), numbers.size(),
                       static_cast<int32_t *>(to));
  if (format == Format::I64)
    return copyNumbers(numbers.data(), numbers.size(),
                       static_cast<int64_t *>(to));
  auto *elements = static_cast<uint16_t *>(to);
  for (double x : numbers)
    *elements++ = reference::toBits(format, static_cast<float>(x));
}

void qdelta::tools::loadElements(const void *from, Format format,
                                 std::span<double> numbers) {
  if (format == Format::F64)
    return copyNumbers(static_cast<const double *>(from), numbers.size(),
                       numbers.data());
  if (format == Format::F32)
    return copyNumbers(static_cast<const float *>(from), numbers.size(),
                       numbers.data());
  if (format == Format::I32)
    return copyNumbers(static_cast<const int32_t *>(from), numbers.size(),
                       numbers.data());
  if (format == Format::I64)
    return copyNumbers(static_cast<const int64_t *>(from), numbers.size(),
                       numbers.data());
  const auto *elements = static_cast<const uint16_t *>(from);
  for (double &x : numbers)
    x = reference::fromBits(format, *elements++);
}

DLDataType qdelta::tools::typeOf(Format format) {
  bool isInteger = format == Format::I32 || format == Format::I64;
  uint8_t code = isInteger                ? kDLInt
                 : format == Format::BF16 ? kDLBfloat
                                          : kDLFloat;
  return {code, static_cast<uint8_t>(8 * reference::formatBytes(format)), 1};
}

Format qdelta::tools::formatOf(DLDataType type) {
  if (type.code == kDLInt)
    return type.bits == 64 ? Format::I64 : Format::I32;
  if (type.bits >= 32)
    return type.bits == 64 ? Format::F64 : Format::F32;
  return type.code == kDLBfloat ? Format::BF16 : Format::F16;
}

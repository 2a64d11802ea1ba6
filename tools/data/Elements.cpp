//===- Elements.cpp - numbers as a format stores them --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Elements.h"

#include <algorithm>

using namespace qdelta;
using namespace qdelta::tools;

template <typename To, typename From>
static void copyNumbers(const From *from, size_t count, To *to) {
  std::transform(from, from + count, to,
                 [](From x) { return static_cast<To>(x); });
}

void tools::storeElements(llvm::ArrayRef<double> numbers, Format format,
                          void *to) {
  if (format == Format::F64)
    return copyNumbers(numbers.data(), numbers.size(),
                       static_cast<double *>(to));
  if (format == Format::F32)
    return copyNumbers(numbers.data(), numbers.size(),
                       static_cast<float *>(to));
  auto *elements = static_cast<uint16_t *>(to);
  for (double x : numbers)
    *elements++ = reference::toBits(format, static_cast<float>(x));
}

void tools::loadElements(const void *from, Format format,
                         llvm::MutableArrayRef<double> numbers) {
  if (format == Format::F64)
    return copyNumbers(static_cast<const double *>(from), numbers.size(),
                       numbers.data());
  if (format == Format::F32)
    return copyNumbers(static_cast<const float *>(from), numbers.size(),
                       numbers.data());
  const auto *elements = static_cast<const uint16_t *>(from);
  for (double &x : numbers)
    x = reference::fromBits(format, *elements++);
}

//===- Elements.cpp - numbers as a format stores them --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Elements.h"

#include "llvm/ADT/STLExtras.h"

using namespace qdelta;
using namespace qdelta::tools;

void tools::storeElements(llvm::ArrayRef<float> numbers, Format format,
                          void *to) {
  if (format == Format::F32) {
    llvm::copy(numbers, static_cast<float *>(to));
    return;
  }
  auto *elements = static_cast<uint16_t *>(to);
  for (float x : numbers)
    *elements++ = reference::toBits(format, x);
}

void tools::loadElements(const void *from, Format format,
                         llvm::MutableArrayRef<float> numbers) {
  if (format == Format::F32) {
    std::copy_n(static_cast<const float *>(from), numbers.size(),
                numbers.begin());
    return;
  }
  const auto *elements = static_cast<const uint16_t *>(from);
  for (float &x : numbers)
    x = reference::fromBits(format, *elements++);
}

//===- Products.cpp - small matrix products -------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Products.h"

#include <cstring>

namespace {
typedef float Vector8 __attribute__((vector_size(32), aligned(4)));
} // namespace

#if defined(__has_feature)
#if !__has_feature(address_sanitizer)
#define QDELTA_EMULATOR_CLONES                                                 \
  __attribute__((target_clones("arch=x86-64-v3", "default")))
#endif
#endif
#ifndef QDELTA_EMULATOR_CLONES
#define QDELTA_EMULATOR_CLONES
#endif

// Compiled with -ffp-contract=off.
QDELTA_EMULATOR_CLONES
void qdelta::emulator::multiplyInto(float *d, const float *a, const float *b,
                                    uint32_t rows, uint32_t depth,
                                    uint32_t columns) {
  for (uint32_t row = 0; row < rows; ++row) {
    for (uint32_t column = 0; column < columns; column += 8) {
      Vector8 *to = reinterpret_cast<Vector8 *>(d + row * columns + column);
      Vector8 sum = *to;
      for (uint32_t k = 0; k < depth; ++k)
        sum += a[row * depth + k] *
               *reinterpret_cast<const Vector8 *>(b + k * columns + column);
      *to = sum;
    }
  }
}

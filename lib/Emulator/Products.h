//===- Products.h - small matrix products -----------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_PRODUCTS_H
#define QDELTA_EMULATOR_PRODUCTS_H

#include <cstdint>

namespace qdelta::emulator {

/// d += a b for row-major matrices: a is rows x depth with rows `depth` apart,
/// b is depth x columns and d rows x columns with rows `columns` apart. Columns
/// are a multiple of 8. Sums in the order of k, without fused operations, the
/// same on every machine.
void multiplyInto(float *d, const float *a, const float *b, uint32_t rows,
                  uint32_t depth, uint32_t columns);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_PRODUCTS_H

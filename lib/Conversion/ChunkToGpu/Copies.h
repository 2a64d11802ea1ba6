//===- Copies.h - a chunk's tiles into shared memory -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_COPIES_H
#define QDELTA_CONVERSION_CHUNKTOGPU_COPIES_H

#include "Kernel.h"

namespace qdelta::gpu {

/// Starts the copies of chunk `index`'s tiles to its stage, all threads of the
/// CTA together. Tokens past the last, channels past K and columns past V
/// become zeros.
void startCopies(Kernel &kernel, Num index);

/// Bytes that pointers and strides of `argument` must be multiples of.
int64_t copyAlignment(Plan &plan, unsigned argument);

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_COPIES_H

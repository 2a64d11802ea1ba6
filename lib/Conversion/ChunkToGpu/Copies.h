//===- Copies.h - a chunk's tiles into shared memory -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_COPIES_H
#define QDELTA_CONVERSION_CHUNKTOGPU_COPIES_H

#include "Kernel.h"

namespace qdelta::gpu {

/// Starts the copies of chunk `index` of `chunks` to its stage. Tokens past the
/// last, channels past K and columns past V become zeros. All threads of the
/// CTA call this together; with tensor maps one thread of the Gram role acts.
void startCopies(Kernel &kernel, Num index, Num chunks, bool gramRole);

/// Waits until chunk `index`'s tiles have arrived. Without tensor maps the end
/// of the chunk before it has done so.
void waitForTiles(Kernel &kernel, Num index);

/// Makes zeros of the rows past the last token of a packed sequence, where
/// tensor maps bring tokens of the next one. All threads of the Gram role call
/// this together when chunk `index` has arrived, before anything reads it.
void clearAbsent(Kernel &kernel, Num index);

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_COPIES_H

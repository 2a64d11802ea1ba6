//===- NonFinite.h - NaN and infinity among a chunk's tokens ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_NONFINITE_H
#define QDELTA_CONVERSION_CHUNKTOGPU_NONFINITE_H

#include "Kernel.h"

namespace qdelta::gpu {

/// Whether a number is finite as an operand of a product.
Num isOperand(Emitter &e, Format format, Num value);

/// Whether one of the warp's numbers is not finite as an operand of a product,
/// the same in all its threads. May be said of numbers above 1e19, too.
Num anyNonFinite(Kernel &kernel, llvm::ArrayRef<Num> values);

/// Before sum += E M^T for a lower triangular M [C x C], where `packed` is E:
/// zeros of M times NaN would be NaN in every token. If `isNeeded`, the same in
/// a warp's threads, makes zeros of the numbers of E that are not finite, and
/// NaN of the sum from the first of them on in each value column; from the
/// token after it unless M is `inclusive`.
void keepTokensApart(Kernel &kernel, Num isNeeded, Fragment &sum,
                     Fragment &packed, bool inclusive);

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_NONFINITE_H

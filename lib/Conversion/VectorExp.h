//===- VectorExp.h - e^x of vectors -----------------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_VECTOREXP_H
#define QDELTA_CONVERSION_VECTOREXP_H

#include "mlir/IR/PatternMatch.h"

namespace qdelta {

/// `math.exp` of f32 vectors in 18 instructions, within 1 ulp, from 88.5 on 6:
/// 0 from -87.7 on down instead of numbers below 2^-126, infinity where e^x has
/// no number, NaN for NaN.
void populateVectorExpPatterns(mlir::RewritePatternSet &patterns);

} // namespace qdelta

#endif // QDELTA_CONVERSION_VECTOREXP_H

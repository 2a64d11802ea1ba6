//===- VectorExp.h - e^x of vectors -----------------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_VECTOREXP_H
#define QDELTA_CONVERSION_VECTOREXP_H

#include "mlir/IR/PatternMatch.h"

namespace qdelta {

/// `math.exp` of f32 vectors in 17 instructions, within 1 ulp of numbers at
/// least 2^-126: 0 from -87.7 on down, 2.4e38 from 88.376 on up, NaN for NaN.
void populateVectorExpPatterns(mlir::RewritePatternSet &patterns);

} // namespace qdelta

#endif // QDELTA_CONVERSION_VECTOREXP_H

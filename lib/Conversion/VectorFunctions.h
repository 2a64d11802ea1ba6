//===- VectorFunctions.h - functions of vectors as polynomials --*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_VECTORFUNCTIONS_H
#define QDELTA_CONVERSION_VECTORFUNCTIONS_H

#include "mlir/IR/PatternMatch.h"

namespace qdelta {

/// `math.exp` of f32 vectors in 14 instructions, within 1 ulp: 0 from -87 on
/// down instead of numbers below 2^-125.5, infinity where e^x has no number,
/// NaN for NaN. In 6 where `rangeOf` x is within 0.41 of 0.
void populateVectorExpPatterns(mlir::RewritePatternSet &patterns);

/// `math.log` and `math.log1p` of f32 vectors of one dimension, within 1 and
/// 1.6 ulp, for all numbers; vectors with zeros, negative and subnormal
/// numbers, infinities or NaN take a longer way.
void populateVectorLogPatterns(mlir::RewritePatternSet &patterns);

/// `math.sin` and `math.cos` of f32 vectors of one dimension, within 1.6 ulp,
/// for all numbers; vectors with some beyond 2^20 take a longer way.
void populateVectorTrigPatterns(mlir::RewritePatternSet &patterns);

} // namespace qdelta

#endif // QDELTA_CONVERSION_VECTORFUNCTIONS_H

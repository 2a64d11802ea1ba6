//===- VectorRanges.h - what numbers of vectors lie between -----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_VECTORRANGES_H
#define QDELTA_CONVERSION_VECTORRANGES_H

#include "mlir/IR/Value.h"

#include <limits>

namespace qdelta {

/// The least and the largest number that a lane may hold, unless it is NaN.
struct VectorRange {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();

  bool isWithin(float least, float most) const {
    return low >= least && high <= most;
  }
};

/// The range of a vector of f32, as far as the ops that make it tell:
/// constants, signs, products of bounded numbers, e^x of what is not positive,
/// and x / (c + |x|) with c >= 0, which is from -1 to 1. Else all numbers.
VectorRange rangeOf(mlir::Value value);

} // namespace qdelta

#endif // QDELTA_CONVERSION_VECTORRANGES_H

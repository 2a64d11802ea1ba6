//===- ValueRanges.h - what a step's numbers lie between --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_VALUERANGES_H
#define QDELTA_TRANSFORMS_VALUERANGES_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// Two numbers, infinities included, that a scalar or all entries of a vector
/// lie between, unless they are NaN.
struct Interval {
  double low, high;
};

/// The range of a value of the step, from the domains that its arguments state
/// and the ops between, in real numbers. States may hold anything.
Interval findRange(RecurrenceOp recurrence, mlir::Value value);

/// The lower bound of a log decay that is finite and at most 0, if the range
/// shows one.
std::optional<double> findLogLowerBound(RecurrenceOp recurrence,
                                        mlir::Value log);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_VALUERANGES_H

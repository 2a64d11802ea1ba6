//===- CheckSummary.h - summaries against what they are of ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_REFERENCE_CHECKSUMMARY_H
#define QDELTA_LIB_REFERENCE_CHECKSUMMARY_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// Checks a recurrence that was derived from another one to summarise it, at
/// random points of the prime field: that P S + Q is what tokens make of a
/// state S, that a summary which starts from another one is that of both, and
/// that rows are multiplied as they should. Emits an error that says what
/// differs.
mlir::LogicalResult checkSummary(RecurrenceOp summary, uint64_t seed);

} // namespace qdelta

#endif // QDELTA_LIB_REFERENCE_CHECKSUMMARY_H

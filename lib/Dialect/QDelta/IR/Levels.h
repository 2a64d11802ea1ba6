//===- Levels.h - checks of recurrences with levels -------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_IR_LEVELS_H
#define QDELTA_LIB_IR_LEVELS_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// recurrence_c8: at most one token input has levels; then there is one state,
/// a matrix, and the step is affine in it, outputs included.
mlir::LogicalResult verifyLevels(RecurrenceOp op);

/// Whether `tokens` tokens fit into `levels` levels. Unknown sizes do.
bool fitLevels(int64_t tokens, int64_t levels);

} // namespace qdelta

#endif // QDELTA_LIB_IR_LEVELS_H

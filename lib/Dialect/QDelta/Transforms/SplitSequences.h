//===- SplitSequences.h - functions that are run by segments ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_SPLITSEQUENCES_H
#define QDELTA_TRANSFORMS_SPLITSEQUENCES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LogicalResult.h"

namespace qdelta {

/// Marks each function that runs a recurrence forward with kSegmentsAttr, and
/// gives the module the functions that this names. `segments` is their number,
/// or 0 to choose it for each function whose sizes are static. Emits an error
/// if the recurrence has no summary.
mlir::LogicalResult splitSequences(mlir::ModuleOp module, int64_t segments);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_SPLITSEQUENCES_H

//===- DeriveLevels.h - a list that is run for each level -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_DERIVELEVELS_H
#define QDELTA_TRANSFORMS_DERIVELEVELS_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// The sequence [B, T, HV, L] that `run` passes for the levels of `recurrence`.
mlir::Value levelsOf(RunOpInterface run, RecurrenceOp recurrence);

/// Turns the plain list of `op`, which has `levels`, into the list of one level
/// (docs/Decisions/0021): blocks of tokens that begin with a reset, whose first
/// half is written and whose second half reads. `like` is [B, T, HV, L], and
/// `position` [B] says how many tokens came before each sequence.
void deriveLevels(AffineScanOp op, mlir::Value like, mlir::Value position);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_DERIVELEVELS_H

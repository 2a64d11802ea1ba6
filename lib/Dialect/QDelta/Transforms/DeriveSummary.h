//===- DeriveSummary.h - what a run of tokens does to a state ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_DERIVESUMMARY_H
#define QDELTA_TRANSFORMS_DERIVESUMMARY_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Dialect/QDelta/Transforms/Segments.h"

#include "mlir/IR/BuiltinOps.h"

namespace qdelta {

/// The kind of a recurrence of the states that are no matrices alone, which a
/// recurrence without such states does not get.
inline constexpr llvm::StringLiteral kAdvanceKind = "advance";

/// Whether a recurrence's tokens are the rows of summaries: compose and apply.
bool runsOverRows(RecurrenceOp recurrence);

/// Puts a recurrence of `kind` behind `of`, called `<name>_<kind>`, unless it
/// is there already. Emits an error if `of` has no summary.
mlir::LogicalResult deriveSummary(RecurrenceOp of, llvm::StringRef kind);

/// The same for each recurrence of `module` that is no summary itself.
mlir::LogicalResult deriveSummaries(mlir::ModuleOp module,
                                    llvm::StringRef kind);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_DERIVESUMMARY_H

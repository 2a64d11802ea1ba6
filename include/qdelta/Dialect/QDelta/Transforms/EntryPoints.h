//===- EntryPoints.h - functions that run one recurrence --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_DIALECT_QDELTA_TRANSFORMS_ENTRYPOINTS_H
#define QDELTA_DIALECT_QDELTA_TRANSFORMS_ENTRYPOINTS_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qdelta {

/// The attribute of a function that runs exactly one recurrence over its
/// arguments: tokens, parameters, initial states; results: outputs, final
/// states. It names the recurrence and stays through every phase.
inline constexpr llvm::StringLiteral kRecurrenceAttr = "qdelta.recurrence";

/// The attribute of an entry function from the buffers phase on: for each of
/// its buffers a dictionary of `name`, `role` (a qdeltaRole), `shape` (sizes,
/// or the negative QDELTA_DIM_* of qdelta-c/Runtime.h) and `dtype`, its element
/// type, which is f32 where a dump of an older version lacks it.
inline constexpr llvm::StringLiteral kArgumentsAttr = "qdelta.arguments";

/// The attribute of a recurrence from the affine phase on: the `#qdelta.facts`
/// of each of its lists, in order.
inline constexpr llvm::StringLiteral kFactsAttr = "qdelta.facts";

/// The name of the entry function that `addEntryPoints` gives `recurrence`.
std::string entryPointName(llvm::StringRef recurrence);

/// Gives every recurrence that no scan uses an entry function, and marks
/// functions that are such an entry already.
void addEntryPoints(mlir::ModuleOp module);

/// The recurrence that entry function `func` runs, or null if it is none.
RecurrenceOp recurrenceOf(mlir::func::FuncOp func);

} // namespace qdelta

#endif // QDELTA_DIALECT_QDELTA_TRANSFORMS_ENTRYPOINTS_H

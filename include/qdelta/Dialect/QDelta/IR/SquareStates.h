//===- SquareStates.h - states whose columns are keys too -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_DIALECT_QDELTA_IR_SQUARESTATES_H
#define QDELTA_DIALECT_QDELTA_IR_SQUARESTATES_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// The attribute of a matrix state that is K x K.
inline constexpr llvm::StringLiteral kSquareAttr = "qdelta.square";

/// The attribute of a recurrence that was derived from another one, which it
/// names, to summarise it (docs/Spec.md, Summaries).
inline constexpr llvm::StringLiteral kSummaryOfAttr = "qdelta.summary_of";

/// Whether `state`, a matrix state of a recurrence's step or a later version of
/// it, is K x K. What is read from it is a key vector then.
bool isSquare(mlir::Value state);

/// Whether `value` depends on what a K x K state of the step holds.
bool readsSquare(mlir::Value value);

} // namespace qdelta

#endif // QDELTA_DIALECT_QDELTA_IR_SQUARESTATES_H

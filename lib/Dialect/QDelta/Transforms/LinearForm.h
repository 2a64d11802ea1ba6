//===- LinearForm.h - a vector as a combination of others -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_LINEARFORM_H
#define QDELTA_TRANSFORMS_LINEARFORM_H

#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace qdelta {

/// sum_i coefficient_i * term_i. A null coefficient is 1. Coefficients are
/// scalars; terms are whatever `linearize` did not take apart.
using LinearForm = llvm::MapVector<mlir::Value, mlir::Value>;

/// Takes additions, subtractions, negations and `qdelta.scale` apart, unless
/// `isTerm` holds for their result. What they leave becomes a term through
/// `termOf`; the factors of scales pass through `scalarOf`. New scalar
/// arithmetic is created at `b`.
LinearForm linearize(mlir::OpBuilder &b, mlir::Value value,
                     llvm::function_ref<bool(mlir::Value)> isTerm,
                     llvm::function_ref<mlir::Value(mlir::Value)> termOf,
                     llvm::function_ref<mlir::Value(mlir::Value)> scalarOf);

/// The sum of two forms over one set of terms, with coefficients of type
/// `scalar`.
LinearForm sumOf(mlir::OpBuilder &b, mlir::Location loc, LinearForm lhs,
                 const LinearForm &rhs, mlir::Type scalar);

/// Whether `linearize` can take `op` apart with respect to operands for which
/// `depends` holds: the op is linear in all of them together.
bool isLinearIn(mlir::Operation *op,
                llvm::function_ref<bool(mlir::Value)> depends);

/// a * b for scalars or tiles of them, where null is 1.
mlir::Value multiply(mlir::OpBuilder &b, mlir::Location loc, mlir::Value lhs,
                     mlir::Value rhs);

/// `value`, or the constant 1 of scalar type `type` if it is null.
mlir::Value oneIfNull(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value,
                      mlir::Type type);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_LINEARFORM_H

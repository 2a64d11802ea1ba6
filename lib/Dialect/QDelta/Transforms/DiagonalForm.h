//===- DiagonalForm.h - the update of a vector or scalar state --*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_DIAGONALFORM_H
#define QDELTA_TRANSFORMS_DIAGONALFORM_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace qdelta {

/// factor * state + addend, entry by entry. Without `usesState` the factor is
/// 0; a null factor is then meaningless, else 1. A null addend is 0. The factor
/// is a scalar or of the state's type.
struct DiagonalForm {
  bool usesState = false;
  mlir::Value factor, addend;
};

/// The form of `value`, proven diagonal in the state for which `depends` holds.
/// What does not depend on it comes from `local`; new arithmetic is created at
/// `b`.
DiagonalForm makeDiagonal(mlir::OpBuilder &b, mlir::Value value,
                          mlir::Value state,
                          llvm::function_ref<bool(mlir::Value)> depends,
                          llvm::function_ref<mlir::Value(mlir::Value)> local);

/// `vector`, or a scalar, times `factor`: a scalar or of the same type. Null
/// stands for 1.
mlir::Value scaleBy(mlir::OpBuilder &b, mlir::Location loc, mlir::Value vector,
                    mlir::Value factor);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_DIAGONALFORM_H

//===- Levels.h - recurrences with a state for each level -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_REFERENCE_LEVELS_H
#define QDELTA_LIB_REFERENCE_LEVELS_H

#include "Interpreter.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta::reference {

/// Runs a recurrence with levels token by token, merging levels as docs/Spec.md
/// says: `args` are the token inputs, the parameters and the state, [B, HV L,
/// K, V], and `results` the outputs and the final state. `position` [B] says
/// how many tokens came before each sequence; none, if it is empty.
template <typename Scalar>
mlir::LogicalResult
runLevels(Interpreter<Scalar> &interpreter, mlir::Operation *op,
          RecurrenceOp recurrence, Args<Scalar> args,
          llvm::ArrayRef<int64_t> cuSeqlens, llvm::ArrayRef<int64_t> position,
          Data<Scalar> &results);

/// Runs a list with levels: `run` once for each of them, with its own numbers
/// and states. Outputs are the sums.
template <typename Scalar>
mlir::LogicalResult runEachLevel(
    Interpreter<Scalar> &interpreter, AffineScanOp op, Args<Scalar> args,
    Data<Scalar> &results,
    llvm::function_ref<mlir::LogicalResult(Args<Scalar>, Data<Scalar> &)> run);

/// The handler of `qdelta.fenwick`.
template <typename Scalar>
mlir::LogicalResult runFenwick(Interpreter<Scalar> &interpreter, FenwickOp op,
                               Args<Scalar> args, Data<Scalar> &results);

/// The handler of `qdelta.add_levels`.
template <typename Scalar>
mlir::LogicalResult runAddLevels(Interpreter<Scalar> &interpreter,
                                 AddLevelsOp op, Args<Scalar> args,
                                 Data<Scalar> &results);

} // namespace qdelta::reference

#endif // QDELTA_LIB_REFERENCE_LEVELS_H

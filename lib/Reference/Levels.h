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
/// says: `args` are the token inputs and parameters, `results` the outputs.
template <typename Scalar>
mlir::LogicalResult runLevels(Interpreter<Scalar> &interpreter,
                              mlir::Operation *op, RecurrenceOp recurrence,
                              Args<Scalar> args, Data<Scalar> &results);

/// Runs a list with levels: `run` once for each of them, with its own numbers
/// and states of zeros. Outputs are the sums, final states the last level's.
template <typename Scalar>
mlir::LogicalResult runEachLevel(
    Interpreter<Scalar> &interpreter, AffineScanOp op, Args<Scalar> args,
    Data<Scalar> &results,
    llvm::function_ref<mlir::LogicalResult(Args<Scalar>, Data<Scalar> &)> run);

/// The handler of `qdelta.fenwick`.
template <typename Scalar>
mlir::LogicalResult runFenwick(Interpreter<Scalar> &interpreter, FenwickOp op,
                               Args<Scalar> args, Data<Scalar> &results);

} // namespace qdelta::reference

#endif // QDELTA_LIB_REFERENCE_LEVELS_H

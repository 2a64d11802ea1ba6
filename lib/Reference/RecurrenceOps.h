//===- RecurrenceOps.h - what decays, reads and writes do -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_REFERENCE_RECURRENCEOPS_H
#define QDELTA_LIB_REFERENCE_RECURRENCEOPS_H

#include "Interpreter.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta::reference {

/// S <- Diag(e^log) S in place; `log` is a scalar or one number per row.
/// Errors of these functions are reported at `op`.
template <typename Scalar>
mlir::LogicalResult decayState(Interpreter<Scalar> &interpreter,
                               mlir::Operation *op, Datum<Scalar> &state,
                               const Datum<Scalar> &log);

/// S^T at.
template <typename Scalar>
mlir::FailureOr<Datum<Scalar>>
readState(Interpreter<Scalar> &interpreter, mlir::Operation *op,
          const Datum<Scalar> &state, const Datum<Scalar> &at);

/// S <- S + key value^T in place.
template <typename Scalar>
mlir::LogicalResult writeState(Interpreter<Scalar> &interpreter,
                               mlir::Operation *op, Datum<Scalar> &state,
                               const Datum<Scalar> &key,
                               llvm::ArrayRef<Scalar> value);

/// Runs `recurrence` over sequences: `args` are the token inputs, parameters
/// and initial states, `results` the outputs and final states.
template <typename Scalar>
mlir::LogicalResult runRecurrence(Interpreter<Scalar> &interpreter,
                                  mlir::Operation *op, RecurrenceOp recurrence,
                                  Args<Scalar> args, Data<Scalar> &results);

} // namespace qdelta::reference

#endif // QDELTA_LIB_REFERENCE_RECURRENCEOPS_H

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

/// S <- Diag(e^log) S in place, for a matrix, vector or scalar S; `log` is a
/// scalar or one number per row or entry.
/// Errors of these functions are reported at `op`.
template <typename Scalar>
mlir::LogicalResult decayState(Interpreter<Scalar> &interpreter,
                               mlir::Operation *op, Datum<Scalar> &state,
                               const Datum<Scalar> &log);

/// S <- S Diag(e^log) in place, for a matrix S and one log per column.
template <typename Scalar>
mlir::LogicalResult decayColumns(Interpreter<Scalar> &interpreter,
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

/// S <- S + by M in place.
template <typename Scalar>
mlir::LogicalResult mixStates(Interpreter<Scalar> &interpreter,
                              mlir::Operation *op, Datum<Scalar> &state,
                              const Datum<Scalar> &source, Scalar by);

/// max(state + decay, input); `decay` may be one number for all entries.
template <typename Scalar>
Datum<Scalar> maxPlus(Datum<Scalar> state, const Datum<Scalar> &decay,
                      const Datum<Scalar> &input);

/// Runs `recurrence` over sequences: `args` are the token inputs, parameters
/// and initial states, `results` the outputs and final states. Sequences are
/// packed unless `cuSeqlens` is empty; `position` is that of levels.
template <typename Scalar>
mlir::LogicalResult
runRecurrence(Interpreter<Scalar> &interpreter, mlir::Operation *op,
              RecurrenceOp recurrence, Args<Scalar> args,
              llvm::ArrayRef<int64_t> cuSeqlens,
              llvm::ArrayRef<int64_t> position, Data<Scalar> &results);

} // namespace qdelta::reference

#endif // QDELTA_LIB_REFERENCE_RECURRENCEOPS_H

//===- Evaluate.h - the reference interpreter -------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_REFERENCE_EVALUATE_H
#define QDELTA_REFERENCE_EVALUATE_H

#include "qdelta/Reference/Format.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <vector>

namespace qdelta {
class RecurrenceOp;
} // namespace qdelta

namespace qdelta::reference {

/// A dense tensor, row-major. Rank 0 holds one element.
template <typename Scalar>
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<Scalar> data;

  int64_t size() const { return static_cast<int64_t>(data.size()); }
};

/// Evaluates `function`, in any phase up to linalg, on `inputs` (one tensor per
/// argument) and returns one tensor per result. All floating-point arithmetic
/// is done in `Scalar`: double is the reference engine, float the plain
/// same-precision token loop that tolerances are measured by, and `Exact` (see
/// Exact.h) the prime field. For recurrences in f64 long double is the
/// reference and double the loop. An op that the interpreter does not know is
/// an error that names it; so are inputs that do not fit the function. Elements
/// that no op has written are poison: NaN, or `Exact::poison()`.
/// Arguments of integers, those of packed functions, are `cuSeqlens` and no
/// inputs; but a position, which goes with levels, is an input, of whole
/// numbers. A `cuSeqlens` that does not fit the inputs is an error.
template <typename Scalar>
llvm::Expected<std::vector<Tensor<Scalar>>>
evaluate(mlir::func::FuncOp function, const std::vector<Tensor<Scalar>> &inputs,
         llvm::ArrayRef<int64_t> cuSeqlens = {});

/// Runs `recurrence` token by token, as `qdelta.scan` would, without a scan.
/// `inputs` are the token inputs, the parameters, the initial states and, with
/// levels, the position, in this order and with the shapes of `qdelta.scan`;
/// the results are the outputs and the final states. Sequences are packed
/// unless `cuSeqlens` is empty.
template <typename Scalar>
llvm::Expected<std::vector<Tensor<Scalar>>>
evaluateRecurrence(RecurrenceOp recurrence,
                   const std::vector<Tensor<Scalar>> &inputs,
                   llvm::ArrayRef<int64_t> cuSeqlens = {});

/// The plain token loop that an engine with products in `format` is measured
/// by: in float, with the state in float, but what `qdelta.read` and
/// `qdelta.write` multiply (state and key, key and value) is rounded to
/// `format` first, and so are the outputs if they are stored in it: not with
/// TF32. For F32 that is the float token loop. Inputs are taken as they are.
llvm::Expected<std::vector<Tensor<float>>>
evaluateTokenLoop(RecurrenceOp recurrence,
                  const std::vector<Tensor<float>> &inputs, Format format,
                  llvm::ArrayRef<int64_t> cuSeqlens = {});

} // namespace qdelta::reference

#endif // QDELTA_REFERENCE_EVALUATE_H

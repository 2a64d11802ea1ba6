//===- StatePool.h - states that an index chooses from a pool ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_REFERENCE_STATEPOOL_H
#define QDELTA_LIB_REFERENCE_STATEPOOL_H

#include "Interpreter.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta::reference {

/// Runs sequences, parameters and initial states, `args`, with the states in
/// place. With `isIndexed` the last of `args` is a state index [B] and the
/// `numStates` before it are pools [N, ...]: `run` gets the entries that the
/// index names, and what it returns of them goes back into the pools.
template <typename Scalar>
mlir::LogicalResult runInPlace(
    Interpreter<Scalar> &interpreter, mlir::Operation *op, Args<Scalar> args,
    size_t numStates, bool isIndexed, Data<Scalar> &results,
    llvm::function_ref<mlir::LogicalResult(Args<Scalar>, Data<Scalar> &)> run) {
  int64_t most = StepOp::kMostTokens;
  if (args[0].shape().size() > 1 && args[0].shape()[1] > most)
    return interpreter.fail(op, "expected at most " + llvm::Twine(most) +
                                    " tokens in place, but got " +
                                    llvm::Twine(args[0].shape()[1]));
  if (!isIndexed)
    return run(args, results);
  std::vector<int64_t> index = args.back().integers().data;
  args = args.drop_back();
  Args<Scalar> states = args.take_back(numStates);
  llvm::DenseSet<int64_t> seen;
  for (auto [b, entry] : llvm::enumerate(index)) {
    int64_t count = states.empty() ? 0 : states[0].shape()[0];
    if (!states.empty() && (entry < 0 || entry >= count))
      return interpreter.fail(op, "expected state_index to be from 0 to " +
                                      llvm::Twine(count - 1) + ", but entry " +
                                      llvm::Twine(b) + " is " +
                                      llvm::Twine(entry));
    if (!seen.insert(entry).second)
      return interpreter.fail(op, "expected state_index to have distinct "
                                  "numbers, but got " +
                                      llvm::Twine(entry) + " twice");
  }
  Data<Scalar> pools(states);
  for (Datum<Scalar> &state : states) {
    Tensor<Scalar> chosen{state.shape(), {}};
    int64_t size =
        *checkedSize(chosen.shape) / std::max<int64_t>(chosen.shape[0], 1);
    chosen.shape[0] = static_cast<int64_t>(index.size());
    for (int64_t entry : index) {
      auto begin = state.reals().data.begin() + entry * size;
      chosen.data.insert(chosen.data.end(), begin, begin + size);
    }
    state = Datum<Scalar>(std::move(chosen));
  }
  if (failed(run(args, results)))
    return mlir::failure();
  auto finals = llvm::MutableArrayRef(results).take_back(numStates);
  for (auto [final, pool] : llvm::zip_equal(finals, pools)) {
    Tensor<Scalar> &whole = pool.mutableReals();
    int64_t size =
        *checkedSize(whole.shape) / std::max<int64_t>(whole.shape[0], 1);
    for (auto [b, entry] : llvm::enumerate(index))
      std::copy_n(final.reals().data.begin() + b * size, size,
                  whole.data.begin() + entry * size);
    final = std::move(pool);
  }
  return mlir::success();
}

} // namespace qdelta::reference

#endif // QDELTA_LIB_REFERENCE_STATEPOOL_H

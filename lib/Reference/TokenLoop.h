//===- TokenLoop.h - the loop over batch, heads and tokens ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_REFERENCE_TOKENLOOP_H
#define QDELTA_LIB_REFERENCE_TOKENLOOP_H

#include "Interpreter.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta::reference {

/// What `qdelta.scan` and `qdelta.affine_scan` have in common: sequences,
/// parameters and states go through one step per token, for every batch entry
/// and value head, and the outputs are collected.
template <typename Scalar>
class TokenLoop {
public:
  /// Does one token: the step's arguments (tokens, then parameters) are
  /// `inputs`; updates `states` and fills `outputs` with value vectors.
  using Step = llvm::function_ref<mlir::LogicalResult(
      Data<Scalar> &inputs, Data<Scalar> &states, Data<Scalar> &outputs)>;

  /// `args` are the token inputs, parameters and initial states. `inputs` are
  /// the step's arguments for the first two, `names` their names and `dims`
  /// the dimensions that they run over.
  TokenLoop(Interpreter<Scalar> &interpreter, mlir::Operation *op,
            size_t numTokens, llvm::SmallVector<mlir::Value> inputs,
            llvm::SmallVector<std::string> names,
            const llvm::DenseMap<mlir::Value, TokenDim> &dims,
            Args<Scalar> args);

  /// Runs the loop; `results` gets `numOutputs` outputs, then the states.
  mlir::LogicalResult run(size_t numOutputs, Step step, Data<Scalar> &results);

private:
  mlir::LogicalResult bindSizes();
  mlir::LogicalResult bind(char symbol, int64_t size, const llvm::Twine &name);
  Datum<Scalar> slice(size_t input, int64_t batch, int64_t token,
                      int64_t head) const;
  mlir::LogicalResult runHead(int64_t batch, int64_t head, Step step,
                              llvm::MutableArrayRef<Tensor<Scalar>> outputs);

  Interpreter<Scalar> &interpreter;
  mlir::Operation *op;
  size_t numTokens;
  llvm::SmallVector<mlir::Value> inputs;
  llvm::SmallVector<std::string> names;
  const llvm::DenseMap<mlir::Value, TokenDim> &dims;
  Args<Scalar> sequences, states;
  /// Sizes by symbol, with the name of the operand that set them.
  llvm::DenseMap<char, std::pair<int64_t, std::string>> sizes;
};

} // namespace qdelta::reference

#endif // QDELTA_LIB_REFERENCE_TOKENLOOP_H

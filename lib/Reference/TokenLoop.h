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

/// What `qdelta.scan`, `qdelta.affine_scan` and `qdelta.prescan` have in
/// common: sequences, parameters and states go through one step per token, for
/// every batch entry and value head, and the outputs are collected.
template <typename Scalar>
class TokenLoop {
public:
  /// Does one token: the step's arguments (tokens, then parameters) are
  /// `inputs`; updates `states` and fills `outputs`.
  using Step = llvm::function_ref<mlir::LogicalResult(
      Data<Scalar> &inputs, Data<Scalar> &states, Data<Scalar> &outputs)>;

  /// The shape of one token of each output. By default all are value vectors.
  using OutputShapes = std::vector<std::vector<int64_t>>;

  /// `args` are the token inputs, parameters and initial states. `inputs` are
  /// the step's arguments for the first two, with their `names` and the
  /// dimensions that they run over; `stateDims` are those of the states.
  TokenLoop(Interpreter<Scalar> &interpreter, mlir::Operation *op,
            size_t numTokens, llvm::ArrayRef<TokenDim> inputDims,
            llvm::SmallVector<std::string> names,
            llvm::ArrayRef<TokenDim> stateDims, Args<Scalar> args);

  /// States the number of value heads, for a step that has no states.
  void setHeads(int64_t heads) { sizes['H'] = {heads, "heads"}; }

  /// States V, for a step that has no states.
  void setValues(int64_t values) { sizes['V'] = {values, "states"}; }
  /// Says which states are K x K; none otherwise.
  void setSquares(llvm::SmallVector<bool> states) {
    squares = std::move(states);
  }

  /// Packs the sequences: `args` have B = 1, and states N in place of B. Does
  /// nothing if `bounds` is empty; it must outlive the loop.
  void setCuSeqlens(llvm::ArrayRef<int64_t> bounds) { cuSeqlens = bounds; }

  /// Where the step is that runs: of which batch entry and head, which token of
  /// its sequence, and how many that has.
  struct Place {
    int64_t batch = 0, head = 0, token = 0, length = 0;
  };
  const Place &place() const { return current; }

  /// Runs the loop; `results` gets the outputs, then the states.
  mlir::LogicalResult run(size_t numOutputs, Step step, Data<Scalar> &results);
  /// The same with outputs that may be key vectors.
  mlir::LogicalResult run(llvm::ArrayRef<TokenDim> outputDims, Step step,
                          Data<Scalar> &results);
  mlir::LogicalResult run(const OutputShapes &shapes, Step step,
                          Data<Scalar> &results);

private:
  mlir::LogicalResult bindSizes();
  mlir::LogicalResult bindShape(TokenDim dim, llvm::ArrayRef<int64_t> shape,
                                size_t lead, const llvm::Twine &name,
                                bool isSquare = false);
  mlir::LogicalResult bind(char symbol, int64_t size, const llvm::Twine &name);
  mlir::LogicalResult bindTokens(llvm::ArrayRef<int64_t> shape,
                                 const llvm::Twine &name);
  Datum<Scalar> slice(size_t input, int64_t batch, int64_t token,
                      int64_t head) const;
  mlir::LogicalResult runHead(int64_t batch, int64_t head,
                              const OutputShapes &shapes, Step step,
                              llvm::MutableArrayRef<Tensor<Scalar>> outputs);

  Interpreter<Scalar> &interpreter;
  mlir::Operation *op;
  size_t numTokens;
  llvm::SmallVector<TokenDim> inputDims, stateDims;
  llvm::SmallVector<bool> squares;
  llvm::SmallVector<std::string> names;
  Args<Scalar> sequences, states;
  llvm::ArrayRef<int64_t> cuSeqlens;
  Place current;
  /// Sizes by symbol, with the name of the operand that set them.
  llvm::DenseMap<char, std::pair<int64_t, std::string>> sizes;
};

/// Fails unless `cuSeqlens` begins with 0, never decreases and ends with
/// `tokens`.
template <typename Scalar>
mlir::LogicalResult
checkCuSeqlens(Interpreter<Scalar> &interpreter, mlir::Operation *op,
               llvm::ArrayRef<int64_t> cuSeqlens, int64_t tokens);

/// Takes the cu_seqlens of a scan, a list or a prescan off the end of its
/// `args`; empty if it has none.
template <typename Scalar, typename OpTy>
llvm::ArrayRef<int64_t> takeCuSeqlens(OpTy op, Args<Scalar> &args) {
  if (!op.getCuSeqlens())
    return {};
  const Datum<Scalar> &last = args.back();
  args = args.drop_back();
  return last.integers().data;
}

} // namespace qdelta::reference

#endif // QDELTA_LIB_REFERENCE_TOKENLOOP_H

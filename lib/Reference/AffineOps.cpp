//===- AffineOps.cpp - the affine list, token by token --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "RecurrenceOps.h"
#include "TokenLoop.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

/// sum_i c_i v_i, where coefficients and vectors are the two halves of `args`.
template <typename Scalar>
static FailureOr<Tensor<Scalar>> combine(Interpreter<Scalar> &interpreter,
                                         Operation *op, Args<Scalar> args) {
  size_t count = args.size() / 2;
  if (count == 0)
    return interpreter.fail(op, "expected at least one term");
  std::vector<int64_t> shape = args[count].shape();
  Tensor<Scalar> sum{
      shape, std::vector<Scalar>(shape[0], ScalarTraits<Scalar>::integer(0))};
  for (size_t i = 0; i < count; ++i) {
    const auto &term = args[count + i].reals();
    if (term.shape != shape)
      return interpreter.fail(op, "terms have shapes " + spell(shape) +
                                      " and " + spell(term.shape));
    Scalar coefficient = args[i].scalar();
    for (int64_t v = 0; v < shape[0]; ++v)
      sum.data[v] += coefficient * term.data[v];
  }
  return sum;
}

template <typename Scalar>
static LogicalResult runScan(Interpreter<Scalar> &interpreter, AffineScanOp op,
                             Args<Scalar> args, Data<Scalar> &results) {
  Block &list = op.getBody().front();
  SmallVector<Value> inputs(list.getArguments());
  SmallVector<std::string> names;
  for (Attribute name : op.getArgNames())
    names.push_back(cast<StringAttr>(name).getValue().str());
  auto dims = inferTokenDims(list);
  auto step = [&](Data<Scalar> &stepInputs, Data<Scalar> &states,
                  Data<Scalar> &outputs) -> LogicalResult {
    for (auto [value, input] : llvm::zip_equal(inputs, stepInputs))
      interpreter.bind(value, std::move(input));
    auto *outerStates = std::exchange(interpreter.listStates, &states);
    auto *outerOutputs = std::exchange(interpreter.listOutputs, &outputs);
    LogicalResult result = interpreter.runBody(list);
    interpreter.listStates = outerStates;
    interpreter.listOutputs = outerOutputs;
    return result;
  };
  TokenLoop<Scalar> loop(interpreter, op, op.getTokens().size(), inputs, names,
                         dims, args);
  return loop.run(op.getOutputs().size(), step, results);
}

template <typename Scalar>
static LogicalResult runDecay(Interpreter<Scalar> &interpreter,
                              AffineDecayOp op, Args<Scalar> args,
                              Data<Scalar> &) {
  return decayState(interpreter, op, (*interpreter.listStates)[op.getState()],
                    args[0]);
}

template <typename Scalar>
static LogicalResult runRead(Interpreter<Scalar> &interpreter, AffineReadOp op,
                             Args<Scalar> args, Data<Scalar> &results) {
  auto at = combine(interpreter, op, args);
  if (failed(at))
    return failure();
  auto readout =
      readState(interpreter, op, (*interpreter.listStates)[op.getState()],
                Datum<Scalar>(std::move(*at)));
  if (failed(readout))
    return failure();
  results.push_back(std::move(*readout));
  return success();
}

template <typename Scalar>
static LogicalResult runWrite(Interpreter<Scalar> &interpreter,
                              AffineWriteOp op, Args<Scalar> args,
                              Data<Scalar> &) {
  // A write of no terms is a write of zero.
  if (op.getTerms().empty())
    return success();
  auto value = combine(interpreter, op, args.drop_front());
  if (failed(value))
    return failure();
  return writeState<Scalar>(interpreter, op,
                            (*interpreter.listStates)[op.getState()], args[0],
                            value->data);
}

template <typename Scalar>
static LogicalResult runOutput(Interpreter<Scalar> &interpreter,
                               AffineOutputOp op, Args<Scalar> args,
                               Data<Scalar> &) {
  if (op.getTerms().empty()) {
    int64_t width = interpreter.listStates->front().shape()[1];
    interpreter.listOutputs->push_back(Datum<Scalar>(Tensor<Scalar>{
        {width},
        std::vector<Scalar>(width, ScalarTraits<Scalar>::integer(0))}));
    return success();
  }
  auto value = combine(interpreter, op, args);
  if (failed(value))
    return failure();
  interpreter.listOutputs->push_back(Datum<Scalar>(std::move(*value)));
  return success();
}

template <typename Scalar>
void reference::addAffineOps(Interpreter<Scalar> &table) {
  table.template add<AffineScanOp>(runScan<Scalar>);
  table.template add<AffineDecayOp>(runDecay<Scalar>);
  table.template add<AffineReadOp>(runRead<Scalar>);
  table.template add<AffineWriteOp>(runWrite<Scalar>);
  table.template add<AffineOutputOp>(runOutput<Scalar>);
}

namespace qdelta::reference {
QDELTA_REFERENCE_INSTANTIATE(addAffineOps)
} // namespace qdelta::reference

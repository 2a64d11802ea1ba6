//===- TokenLoop.cpp - the loop over batch, heads and tokens --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "TokenLoop.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

/// The symbols of sizes: batch, tokens, value heads, key and value dimension.
static constexpr char kBatch = 'B', kTime = 'T', kHeads = 'H', kKey = 'K',
                      kValue = 'V';
static constexpr char kStateSymbols[] = {kBatch, kHeads, kKey, kValue};

template <typename Scalar>
TokenLoop<Scalar>::TokenLoop(Interpreter<Scalar> &interpreter, Operation *op,
                             size_t numTokens, SmallVector<Value> inputs,
                             SmallVector<std::string> names,
                             const llvm::DenseMap<Value, TokenDim> &dims,
                             Args<Scalar> args)
    : interpreter(interpreter), op(op), numTokens(numTokens),
      inputs(std::move(inputs)), names(std::move(names)), dims(dims),
      sequences(args.take_front(this->inputs.size())),
      states(args.drop_front(this->inputs.size())) {}

template <typename Scalar>
LogicalResult TokenLoop<Scalar>::bind(char symbol, int64_t size,
                                      const Twine &name) {
  auto [entry, isNew] = sizes.try_emplace(symbol, size, name.str());
  if (isNew || entry->second.first == size)
    return success();
  StringRef spelling = symbol == kHeads ? "HV" : StringRef(&symbol, 1);
  return interpreter.fail(op, "expected " + name + " to have " + spelling +
                                  " = " + Twine(entry->second.first) + " as " +
                                  entry->second.second + " has, but got " +
                                  Twine(size));
}

template <typename Scalar>
LogicalResult TokenLoop<Scalar>::bindSizes() {
  for (auto [index, state] : llvm::enumerate(states)) {
    std::string name = "initial state " + std::to_string(index);
    if (state.shape().size() != 4)
      return interpreter.fail(op, "expected " + name +
                                      " to have shape [B, HV, K, V], but got " +
                                      spell(state.shape()));
    for (auto [symbol, size] : llvm::zip(kStateSymbols, state.shape()))
      if (failed(bind(symbol, size, name)))
        return failure();
  }
  for (auto [index, sequence] : llvm::enumerate(sequences)) {
    bool isToken = index < numTokens;
    ArrayRef<int64_t> shape = sequence.shape();
    TokenDim dim = dims.lookup(inputs[index]);
    size_t rank = (isToken ? 3 : 1) + (dim != TokenDim::Scalar);
    if (shape.size() != rank)
      return interpreter.fail(op, "expected " + names[index] +
                                      " to have rank " + Twine(rank) +
                                      ", but got shape " + spell(shape));
    if (isToken && (failed(bind(kBatch, shape[0], names[index])) ||
                    failed(bind(kTime, shape[1], names[index]))))
      return failure();
    if (!isToken && failed(bind(kHeads, shape[0], names[index])))
      return failure();
    int64_t heads = sizes[kHeads].first;
    if (isToken && (shape[2] == 0 ? heads != 0 : heads % shape[2] != 0))
      return interpreter.fail(
          op, "expected HV = " + Twine(heads) + " of " + sizes[kHeads].second +
                  " to be a multiple of H = " + Twine(shape[2]) + " of " +
                  names[index]);
    if (dim == TokenDim::Key && failed(bind(kKey, shape.back(), names[index])))
      return failure();
    if (dim == TokenDim::Value &&
        failed(bind(kValue, shape.back(), names[index])))
      return failure();
  }
  return success();
}

template <typename Scalar>
Datum<Scalar> TokenLoop<Scalar>::slice(size_t input, int64_t batch,
                                       int64_t token, int64_t head) const {
  const Tensor<Scalar> &whole = sequences[input].reals();
  int64_t row = head;
  if (input < numTokens) {
    int64_t heads = whole.shape[2], group = sizes.lookup(kHeads).first / heads;
    row = (batch * whole.shape[1] + token) * heads + head / group;
  }
  if (dims.lookup(inputs[input]) == TokenDim::Scalar)
    return Datum<Scalar>(whole.data[row]);
  int64_t width = whole.shape.back();
  auto begin = whole.data.begin() + row * width;
  return Datum<Scalar>(Tensor<Scalar>{{width}, {begin, begin + width}});
}

template <typename Scalar>
LogicalResult
TokenLoop<Scalar>::runHead(int64_t batch, int64_t head, Step step,
                           MutableArrayRef<Tensor<Scalar>> outputs) {
  int64_t heads = sizes[kHeads].first, key = sizes[kKey].first,
          value = sizes[kValue].first, time = sizes[kTime].first;
  int64_t stateStart = (batch * heads + head) * key * value;
  Data<Scalar> current, stepInputs, stepOutputs;
  for (Datum<Scalar> &state : states) {
    auto begin = state.reals().data.begin() + stateStart;
    current.push_back(Datum<Scalar>(
        Tensor<Scalar>{{key, value}, {begin, begin + key * value}}));
  }
  for (int64_t token = 0; token < time; ++token) {
    stepInputs.clear();
    stepOutputs.clear();
    for (size_t input = 0; input < sequences.size(); ++input)
      stepInputs.push_back(slice(input, batch, token, head));
    if (failed(step(stepInputs, current, stepOutputs)))
      return failure();
    int64_t row = ((batch * time + token) * heads + head) * value;
    for (auto [output, vector] : llvm::zip_equal(outputs, stepOutputs)) {
      if (vector.shape() != std::vector<int64_t>{value})
        return interpreter.fail(op, "expected an output of shape " +
                                        spell({value}) + ", but got " +
                                        spell(vector.shape()));
      llvm::copy(vector.reals().data, output.data.begin() + row);
    }
  }
  for (auto [state, final] : llvm::zip_equal(states, current))
    llvm::copy(final.reals().data,
               state.mutableReals().data.begin() + stateStart);
  return success();
}

template <typename Scalar>
LogicalResult TokenLoop<Scalar>::run(size_t numOutputs, Step step,
                                     Data<Scalar> &results) {
  if (failed(bindSizes()))
    return failure();
  if (!sizes.contains(kTime))
    return interpreter.fail(op, "expected at least one token input");
  int64_t batch = sizes[kBatch].first, heads = sizes[kHeads].first;
  SmallVector<Tensor<Scalar>> outputs;
  for (size_t i = 0; i < numOutputs; ++i) {
    auto output = interpreter.allocate(
        op, {batch, sizes[kTime].first, heads, sizes[kValue].first},
        ScalarTraits<Scalar>::poison());
    if (failed(output))
      return failure();
    outputs.push_back(std::move(*output));
  }
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t h = 0; h < heads; ++h)
      if (failed(runHead(b, h, step, outputs)))
        return failure();
  for (Tensor<Scalar> &output : outputs)
    results.push_back(Datum<Scalar>(std::move(output)));
  for (Datum<Scalar> &state : states)
    results.push_back(std::move(state));
  return success();
}

template class reference::TokenLoop<long double>;
template class reference::TokenLoop<double>;
template class reference::TokenLoop<float>;
template class reference::TokenLoop<Exact>;

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

template <typename Scalar>
TokenLoop<Scalar>::TokenLoop(Interpreter<Scalar> &interpreter, Operation *op,
                             size_t numTokens, ArrayRef<TokenDim> inputDims,
                             SmallVector<std::string> names,
                             ArrayRef<TokenDim> stateDims, Args<Scalar> args)
    : interpreter(interpreter), op(op), numTokens(numTokens),
      inputDims(inputDims), stateDims(stateDims), names(std::move(names)),
      sequences(args.take_front(inputDims.size())),
      states(args.drop_front(inputDims.size())) {}

template <typename Scalar>
LogicalResult TokenLoop<Scalar>::bind(char symbol, int64_t size,
                                      const Twine &name) {
  auto [entry, isNew] = sizes.try_emplace(symbol, size, name.str());
  if (isNew || entry->second.first == size)
    return success();
  StringRef spelling = symbol == kHeads ? "HV"
                       : symbol == kBatch && !cuSeqlens.empty()
                           ? "N"
                           : StringRef(&symbol, 1);
  return interpreter.fail(op, "expected " + name + " to have " + spelling +
                                  " = " + Twine(entry->second.first) + " as " +
                                  entry->second.second + " has, but got " +
                                  Twine(size));
}

/// Dimensions that a value of the step adds to those of its sequence.
static size_t rankOf(TokenDim dim) {
  return dim == TokenDim::Scalar ? 0 : dim == TokenDim::State ? 2 : 1;
}

/// Binds what `shape` has behind `lead` dimensions.
template <typename Scalar>
LogicalResult TokenLoop<Scalar>::bindShape(TokenDim dim,
                                           ArrayRef<int64_t> shape, size_t lead,
                                           const Twine &name, bool isSquare) {
  if (shape.size() != lead + rankOf(dim))
    return interpreter.fail(op, "expected " + name + " to have rank " +
                                    Twine(lead + rankOf(dim)) +
                                    ", but got shape " + spell(shape));
  switch (dim) {
  case TokenDim::Scalar:
  case TokenDim::Unknown:
    return success();
  case TokenDim::Key:
    return bind(kKey, shape.back(), name);
  case TokenDim::HalfKey:
    return bind(kKey, 2 * shape.back(), "twice the pairs of " + name);
  case TokenDim::Value:
    return bind(kValue, shape.back(), name);
  case TokenDim::State:
    return failure(
        failed(bind(kKey, shape[lead], name)) ||
        failed(bind(isSquare ? kKey : kValue, shape[lead + 1], name)));
  }
  return failure();
}

template <typename Scalar>
LogicalResult
reference::checkCuSeqlens(Interpreter<Scalar> &interpreter, Operation *op,
                          ArrayRef<int64_t> cuSeqlens, int64_t tokens) {
  if (cuSeqlens.empty() || cuSeqlens[0] != 0)
    return interpreter.fail(
        op, "expected cu_seqlens to begin with 0, but got " +
                (cuSeqlens.empty() ? "nothing" : Twine(cuSeqlens[0])));
  for (size_t n = 1; n < cuSeqlens.size(); ++n)
    if (cuSeqlens[n] < cuSeqlens[n - 1])
      return interpreter.fail(
          op, "expected cu_seqlens not to decrease, but got " +
                  Twine(cuSeqlens[n - 1]) + " and then " + Twine(cuSeqlens[n]) +
                  " at index " + Twine(n));
  if (cuSeqlens.back() != tokens)
    return interpreter.fail(
        op, "expected cu_seqlens to end with T = " + Twine(tokens) +
                ", but got " + Twine(cuSeqlens.back()));
  return success();
}

/// Binds the B and T of a token input.
template <typename Scalar>
LogicalResult TokenLoop<Scalar>::bindTokens(ArrayRef<int64_t> shape,
                                            const Twine &name) {
  if (failed(bind(kTime, shape[1], name)))
    return failure();
  if (cuSeqlens.empty())
    return bind(kBatch, shape[0], name);
  if (shape[0] != 1)
    return interpreter.fail(op, "expected " + name +
                                    " to have B = 1 with cu_seqlens, but got " +
                                    Twine(shape[0]));
  return success();
}

template <typename Scalar>
LogicalResult TokenLoop<Scalar>::bindSizes() {
  if (!cuSeqlens.empty() &&
      failed(bind(kBatch, static_cast<int64_t>(cuSeqlens.size()) - 1,
                  "cu_seqlens")))
    return failure();
  for (auto [index, state] : llvm::enumerate(states)) {
    std::string name = "initial state " + std::to_string(index);
    ArrayRef<int64_t> shape = state.shape();
    if (shape.size() != 2 + rankOf(stateDims[index]))
      return interpreter.fail(
          op, "expected " + name + " to have shape " +
                  (stateDims[index] == TokenDim::State    ? "[B, HV, K, V]"
                   : stateDims[index] == TokenDim::Scalar ? "[B, HV]"
                                                          : "[B, HV, D]") +
                  ", but got " + spell(shape));
    if (failed(bind(kBatch, shape[0], name)) ||
        failed(bind(kHeads, shape[1], name)) ||
        failed(bindShape(stateDims[index], shape, 2, name,
                         !squares.empty() && squares[index])))
      return failure();
  }
  for (auto [index, sequence] : llvm::enumerate(sequences)) {
    bool isToken = index < numTokens;
    ArrayRef<int64_t> shape = sequence.shape();
    if (failed(
            bindShape(inputDims[index], shape, isToken ? 3 : 1, names[index])))
      return failure();
    if (isToken && failed(bindTokens(shape, names[index])))
      return failure();
    if (!isToken && failed(bind(kHeads, shape[0], names[index])))
      return failure();
    int64_t heads = sizes[kHeads].first;
    if (isToken && (shape[2] == 0 ? heads != 0 : heads % shape[2] != 0))
      return interpreter.fail(
          op, "expected HV = " + Twine(heads) + " of " + sizes[kHeads].second +
                  " to be a multiple of H = " + Twine(shape[2]) + " of " +
                  names[index]);
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
  if (inputDims[input] == TokenDim::Scalar)
    return Datum<Scalar>(whole.data[row]);
  int64_t width = whole.shape.back();
  auto begin = whole.data.begin() + row * width;
  return Datum<Scalar>(Tensor<Scalar>{{width}, {begin, begin + width}});
}

/// The `index`-th part of `whole`, of shape `shape`; empty for a scalar.
template <typename Scalar>
static Datum<Scalar> partOf(const Tensor<Scalar> &whole,
                            std::vector<int64_t> shape, int64_t index) {
  if (shape.empty())
    return Datum<Scalar>(whole.data[index]);
  int64_t size = *checkedSize(shape);
  auto begin = whole.data.begin() + index * size;
  return Datum<Scalar>(Tensor<Scalar>{std::move(shape), {begin, begin + size}});
}

/// Its inverse.
template <typename Scalar>
static void setPart(Tensor<Scalar> &whole, const Datum<Scalar> &part,
                    int64_t index) {
  if (part.isScalar()) {
    whole.data[index] = part.scalar();
    return;
  }
  const std::vector<Scalar> &data = part.reals().data;
  llvm::copy(data,
             whole.data.begin() + index * static_cast<int64_t>(data.size()));
}

template <typename Scalar>
LogicalResult
TokenLoop<Scalar>::runHead(int64_t batch, int64_t head,
                           const OutputShapes &shapes, Step step,
                           MutableArrayRef<Tensor<Scalar>> outputs) {
  int64_t heads = sizes[kHeads].first, time = sizes[kTime].first;
  int64_t item = batch * heads + head;
  Data<Scalar> own, stepInputs, stepOutputs;
  for (Datum<Scalar> &state : states) {
    const std::vector<int64_t> &shape = state.shape();
    own.push_back(
        partOf<Scalar>(state.reals(), {shape.begin() + 2, shape.end()}, item));
  }
  int64_t begin = 0, end = time;
  current.batch = batch, current.head = head;
  if (!cuSeqlens.empty()) {
    begin = cuSeqlens[batch], end = cuSeqlens[batch + 1];
    batch = 0;
  }
  for (int64_t token = begin; token < end; ++token) {
    current.token = token - begin, current.length = end - begin;
    stepInputs.clear();
    stepOutputs.clear();
    for (size_t input = 0; input < sequences.size(); ++input)
      stepInputs.push_back(slice(input, batch, token, head));
    if (failed(step(stepInputs, own, stepOutputs)))
      return failure();
    int64_t row = (batch * time + token) * heads + head;
    for (auto [output, shape, value] :
         llvm::zip_equal(outputs, shapes, stepOutputs)) {
      if (value.shape() != shape)
        return interpreter.fail(op, "expected an output of shape " +
                                        spell(shape) + ", but got " +
                                        spell(value.shape()));
      setPart(output, value, row);
    }
  }
  for (auto [state, final] : llvm::zip_equal(states, own))
    setPart(state.mutableReals(), final, item);
  return success();
}

template <typename Scalar>
LogicalResult TokenLoop<Scalar>::run(const OutputShapes &shapes, Step step,
                                     Data<Scalar> &results) {
  if (failed(bindSizes()))
    return failure();
  if (!sizes.contains(kTime))
    return interpreter.fail(op, "expected at least one token input");
  int64_t batch = sizes[kBatch].first, heads = sizes[kHeads].first;
  int64_t time = sizes[kTime].first;
  bool isPacked = !cuSeqlens.empty();
  if (isPacked && failed(checkCuSeqlens(interpreter, op, cuSeqlens, time)))
    return failure();
  SmallVector<Tensor<Scalar>> outputs;
  for (const std::vector<int64_t> &shape : shapes) {
    std::vector<int64_t> whole{isPacked ? 1 : batch, time, heads};
    whole.insert(whole.end(), shape.begin(), shape.end());
    auto output = interpreter.allocate(op, std::move(whole),
                                       ScalarTraits<Scalar>::poison());
    if (failed(output))
      return failure();
    outputs.push_back(std::move(*output));
  }
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t h = 0; h < heads; ++h)
      if (failed(runHead(b, h, shapes, step, outputs)))
        return failure();
  for (Tensor<Scalar> &output : outputs)
    results.push_back(Datum<Scalar>(std::move(output)));
  for (Datum<Scalar> &state : states)
    results.push_back(std::move(state));
  return success();
}

template <typename Scalar>
LogicalResult TokenLoop<Scalar>::run(size_t numOutputs, Step step,
                                     Data<Scalar> &results) {
  if (failed(bindSizes()))
    return failure();
  return run(OutputShapes(numOutputs, {sizes[kValue].first}), step, results);
}

template <typename Scalar>
LogicalResult TokenLoop<Scalar>::run(ArrayRef<TokenDim> outputDims, Step step,
                                     Data<Scalar> &results) {
  if (failed(bindSizes()))
    return failure();
  OutputShapes shapes;
  for (TokenDim dim : outputDims)
    shapes.push_back({sizes[dim == TokenDim::Key ? kKey : kValue].first});
  return run(shapes, step, results);
}

#define QDELTA_INSTANTIATE_LOOP(Scalar)                                        \
  template class reference::TokenLoop<Scalar>;                                 \
  template LogicalResult reference::checkCuSeqlens(                            \
      Interpreter<Scalar> &, Operation *, ArrayRef<int64_t>, int64_t);
QDELTA_INSTANTIATE_LOOP(long double)
QDELTA_INSTANTIATE_LOOP(double)
QDELTA_INSTANTIATE_LOOP(float)
QDELTA_INSTANTIATE_LOOP(Exact)
#undef QDELTA_INSTANTIATE_LOOP

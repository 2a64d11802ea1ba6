//===- RecurrenceOps.cpp - the token loop as the spec states it -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "RecurrenceOps.h"
#include "Levels.h"
#include "StatePool.h"
#include "TokenLoop.h"

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

template <typename Scalar>
LogicalResult reference::decayState(Interpreter<Scalar> &interpreter,
                                    Operation *op, Datum<Scalar> &state,
                                    const Datum<Scalar> &log) {
  if (state.isScalar()) {
    state = Datum<Scalar>(exponential(log.scalar()) * state.scalar());
    return success();
  }
  Tensor<Scalar> &rows = state.mutableReals();
  if (log.isScalar()) {
    Scalar factor = exponential(log.scalar());
    for (Scalar &element : rows.data)
      element = factor * element;
    return success();
  }
  if (log.shape()[0] != rows.shape[0])
    return interpreter.fail(op, "expected one log decay for each row of " +
                                    spell(rows.shape) + ", but got " +
                                    spell(log.shape()));
  int64_t width = rows.shape.size() == 1 ? 1 : rows.shape[1];
  for (int64_t k = 0; k < rows.shape[0]; ++k) {
    Scalar factor = exponential(log.reals().data[k]);
    Scalar *row = rows.data.data() + k * width;
    for (int64_t v = 0; v < width; ++v)
      row[v] = factor * row[v];
  }
  return success();
}

template <typename Scalar>
LogicalResult reference::decayColumns(Interpreter<Scalar> &interpreter,
                                      Operation *op, Datum<Scalar> &state,
                                      const Datum<Scalar> &log) {
  Tensor<Scalar> &rows = state.mutableReals();
  int64_t width = rows.shape[1];
  if (log.shape()[0] != width)
    return interpreter.fail(op, "expected one log decay for each column of " +
                                    spell(rows.shape) + ", but got " +
                                    spell(log.shape()));
  std::vector<Scalar> factors;
  for (Scalar element : log.reals().data)
    factors.push_back(exponential(element));
  for (size_t i = 0; i < rows.data.size(); ++i)
    rows.data[i] = factors[i % width] * rows.data[i];
  return success();
}

/// S at.
template <typename Scalar>
static FailureOr<Datum<Scalar>>
readColumns(Interpreter<Scalar> &interpreter, Operation *op,
            const Datum<Scalar> &state, const Datum<Scalar> &at) {
  const Tensor<Scalar> &rows = state.reals();
  int64_t width = rows.shape[1];
  if (at.shape()[0] != width)
    return interpreter.fail(op, "expected a value vector for a state of "
                                "shape " +
                                    spell(rows.shape) + ", but got " +
                                    spell(at.shape()));
  std::vector<Scalar> out;
  for (int64_t k = 0; k < rows.shape[0]; ++k) {
    Scalar sum = ScalarTraits<Scalar>::integer(0);
    for (int64_t v = 0; v < width; ++v)
      sum += rows.data[k * width + v] * at.reals().data[v];
    out.push_back(sum);
  }
  return Datum<Scalar>(Tensor<Scalar>{{rows.shape[0]}, std::move(out)});
}

template <typename Scalar>
FailureOr<Datum<Scalar>>
reference::readState(Interpreter<Scalar> &interpreter, Operation *op,
                     const Datum<Scalar> &state, const Datum<Scalar> &at) {
  const Tensor<Scalar> &rows = state.reals();
  if (at.shape()[0] != rows.shape[0])
    return interpreter.fail(op, "expected a key vector for a state of shape " +
                                    spell(rows.shape) + ", but got " +
                                    spell(at.shape()));
  int64_t width = rows.shape[1];
  std::vector<Scalar> out(width, ScalarTraits<Scalar>::integer(0));
  for (int64_t k = 0; k < rows.shape[0]; ++k) {
    Scalar x = at.reals().data[k];
    const Scalar *row = rows.data.data() + k * width;
    for (int64_t v = 0; v < width; ++v)
      out[v] += x * row[v];
  }
  return Datum<Scalar>(Tensor<Scalar>{{width}, std::move(out)});
}

template <typename Scalar>
LogicalResult reference::writeState(Interpreter<Scalar> &interpreter,
                                    Operation *op, Datum<Scalar> &state,
                                    const Datum<Scalar> &key,
                                    ArrayRef<Scalar> value) {
  Tensor<Scalar> &rows = state.mutableReals();
  int64_t width = rows.shape[1];
  if (key.shape()[0] != rows.shape[0] ||
      static_cast<int64_t>(value.size()) != width)
    return interpreter.fail(op, "expected a key and a value for a state of "
                                "shape " +
                                    spell(rows.shape) + ", but got " +
                                    spell(key.shape()) + " and [" +
                                    Twine(value.size()) + "]");
  for (int64_t k = 0; k < rows.shape[0]; ++k) {
    Scalar a = key.reals().data[k];
    Scalar *row = rows.data.data() + k * width;
    for (int64_t v = 0; v < width; ++v)
      row[v] += a * value[v];
  }
  return success();
}

template <typename Scalar>
LogicalResult reference::mixStates(Interpreter<Scalar> &interpreter,
                                   Operation *op, Datum<Scalar> &state,
                                   const Datum<Scalar> &source, Scalar by) {
  if (state.shape() != source.shape())
    return interpreter.fail(op, "expected states of one shape, but got " +
                                    spell(state.shape()) + " and " +
                                    spell(source.shape()));
  std::vector<Scalar> &data = state.mutableReals().data;
  for (size_t i = 0; i < data.size(); ++i)
    data[i] += by * source.reals().data[i];
  return success();
}

template <typename Scalar>
LogicalResult
reference::runRecurrence(Interpreter<Scalar> &interpreter, Operation *op,
                         RecurrenceOp recurrence, Args<Scalar> args,
                         ArrayRef<int64_t> cuSeqlens,
                         ArrayRef<int64_t> position, Data<Scalar> &results) {
  if (recurrence.getLevels())
    return runLevels(interpreter, op, recurrence, args, cuSeqlens, position,
                     results);
  Block &body = recurrence.getBody().front();
  size_t numStates = recurrence.getNumStates();
  SmallVector<Value> inputs(body.getArguments().drop_front(numStates));
  if (args.size() != inputs.size() + numStates)
    return interpreter.fail(op, "expected " + Twine(inputs.size() + numStates) +
                                    " inputs for @" + recurrence.getSymName() +
                                    ", but got " + Twine(args.size()));
  SmallVector<std::string> names;
  for (size_t i = 0; i < inputs.size(); ++i)
    names.push_back(recurrence.getArgName(numStates + i).str());
  auto dims = inferTokenDims(body);
  auto dimOf = [&](Value value) { return dims.lookup(value); };
  auto step = [&](Data<Scalar> &stepInputs, Data<Scalar> &states,
                  Data<Scalar> &outputs) -> LogicalResult {
    for (auto [value, state] : llvm::zip_equal(recurrence.getStates(), states))
      interpreter.bind(value, std::move(state));
    for (auto [value, input] : llvm::zip_equal(inputs, stepInputs))
      interpreter.bind(value, std::move(input));
    states.clear();
    if (failed(interpreter.run(body, states)))
      return failure();
    outputs.append(std::make_move_iterator(states.begin() + numStates),
                   std::make_move_iterator(states.end()));
    states.truncate(numStates);
    return success();
  };
  TokenLoop<Scalar> loop(interpreter, op, recurrence.getNumTokens(),
                         llvm::map_to_vector(inputs, dimOf), names,
                         llvm::map_to_vector(recurrence.getStates(), dimOf),
                         args);
  loop.setCuSeqlens(cuSeqlens);
  loop.setSquares(llvm::map_to_vector(
      recurrence.getStates(), [](Value state) { return isSquare(state); }));
  SmallVector<TokenDim> outputDims =
      llvm::map_to_vector(recurrence.getYield().getOutputs(), dimOf);
  return loop.run(outputDims, step, results);
}

/// `datum` as products take it.
template <typename Scalar>
static Datum<Scalar> asOperand(Interpreter<Scalar> &interpreter,
                               Datum<Scalar> datum) {
  if (interpreter.roundOperand)
    for (Scalar &element : datum.mutableReals().data)
      element = interpreter.roundOperand(element);
  return datum;
}

template <typename Scalar>
static LogicalResult runScale(Interpreter<Scalar> &interpreter, ScaleOp op,
                              Args<Scalar> args, Data<Scalar> &results) {
  Datum<Scalar> &vector = args[0];
  ArrayRef<int64_t> shape = vector.shape();
  if (args[1].isReals() && ArrayRef(args[1].shape()) != shape.drop_back())
    return interpreter.fail(op, "cannot scale " + spell(shape) + " by " +
                                    spell(args[1].shape()));
  Tensor<Scalar> &out = vector.mutableReals();
  int64_t width = out.shape.back();
  for (size_t i = 0; i < out.data.size(); ++i)
    out.data[i] =
        out.data[i] * (args[1].isScalar() ? args[1].scalar()
                                          : args[1].reals().data[i / width]);
  results.push_back(std::move(vector));
  return success();
}

template <typename Scalar>
Datum<Scalar> reference::maxPlus(Datum<Scalar> state,
                                 const Datum<Scalar> &decay,
                                 const Datum<Scalar> &input) {
  auto larger = [](Scalar a, Scalar b) {
    using Traits = ScalarTraits<Scalar>;
    Order order = Traits::extremumOrder(a, b);
    return order == Order::Unordered ? Traits::poison()
           : order == Order::Greater ? a
                                     : b;
  };
  if (state.isScalar())
    return Datum<Scalar>(
        larger(state.scalar() + decay.scalar(), input.scalar()));
  std::vector<Scalar> &data = state.mutableReals().data;
  for (size_t i = 0; i < data.size(); ++i)
    data[i] = larger(
        data[i] + (decay.isScalar() ? decay.scalar() : decay.reals().data[i]),
        input.reals().data[i]);
  return state;
}

/// Sums over the last dimension of `shape`, divided by `divisor`, as a scalar
/// or a tensor without that dimension.
template <typename Scalar, typename F>
static Datum<Scalar> sumRows(ArrayRef<int64_t> shape, F entry,
                             int64_t divisor = 1) {
  int64_t width = shape.back();
  Tensor<Scalar> sums{{shape.begin(), shape.end() - 1}, {}};
  int64_t rows = *checkedSize(sums.shape);
  for (int64_t row = 0; row < rows; ++row) {
    Scalar sum = ScalarTraits<Scalar>::integer(0);
    for (int64_t i = 0; i < width; ++i)
      sum += entry(row * width + i);
    sums.data.push_back(
        divisor == 1 ? sum : sum / ScalarTraits<Scalar>::integer(divisor));
  }
  if (sums.shape.empty())
    return Datum<Scalar>(sums.data[0]);
  return Datum<Scalar>(std::move(sums));
}

template <typename Scalar>
static LogicalResult runDot(Interpreter<Scalar> &interpreter, DotOp op,
                            Args<Scalar> args, Data<Scalar> &results) {
  if (args[0].shape() != args[1].shape())
    return interpreter.fail(op, "operands have shapes " +
                                    spell(args[0].shape()) + " and " +
                                    spell(args[1].shape()));
  const auto &lhs = args[0].reals().data, &rhs = args[1].reals().data;
  auto entry = [&](int64_t i) { return lhs[i] * rhs[i]; };
  results.push_back(sumRows<Scalar>(args[0].shape(), entry));
  return success();
}

template <typename Scalar>
static LogicalResult runMean(Interpreter<Scalar> &, MeanOp, Args<Scalar> args,
                             Data<Scalar> &results) {
  const auto &data = args[0].reals().data;
  int64_t width = std::max<int64_t>(args[0].shape().back(), 1);
  auto entry = [&](int64_t i) { return data[i]; };
  results.push_back(sumRows<Scalar>(args[0].shape(), entry, width));
  return success();
}

template <typename Scalar>
static LogicalResult runSplat(Interpreter<Scalar> &, SplatOp, Args<Scalar> args,
                              Data<Scalar> &results) {
  Tensor<Scalar> &out = args[1].mutableReals();
  int64_t width = out.shape.back();
  for (size_t i = 0; i < out.data.size(); ++i)
    out.data[i] =
        args[0].isScalar() ? args[0].scalar() : args[0].reals().data[i / width];
  results.push_back(std::move(args[1]));
  return success();
}

template <typename Scalar>
static LogicalResult runRotate(Interpreter<Scalar> &interpreter, RotateOp op,
                               Args<Scalar> args, Data<Scalar> &results) {
  const Tensor<Scalar> &x = args[0].reals();
  int64_t width = x.shape.back(), half = width / 2;
  std::vector<int64_t> wanted = x.shape;
  wanted.back() = half;
  if (width % 2 || args[1].shape() != wanted || args[2].shape() != wanted)
    return interpreter.fail(
        op, "expected an even number of channels and cos and sin of half as "
            "many, but got " +
                spell(x.shape) + ", " + spell(args[1].shape()) + " and " +
                spell(args[2].shape()));
  const auto &cos = args[1].reals().data, &sin = args[2].reals().data;
  Tensor<Scalar> out{x.shape, x.data};
  for (size_t pair = 0; pair < cos.size(); ++pair) {
    size_t j = pair / half * width + pair % half;
    Scalar first = x.data[j], second = x.data[j + half];
    out.data[j] = first * cos[pair] - second * sin[pair];
    out.data[j + half] = first * sin[pair] + second * cos[pair];
  }
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

/// Takes the position of a scan or step out of its arguments, where it follows
/// the states; empty if it has none.
template <typename Scalar>
static std::vector<int64_t> takePosition(RunOpInterface op,
                                         Data<Scalar> &args) {
  if (!op.getPosition())
    return {};
  auto *found = args.begin() + op.getTokens().size() + op.getParams().size() +
                op.getInits().size();
  std::vector<int64_t> position = found->integers().data;
  args.erase(found);
  return position;
}

/// The recurrence that a scan or step runs, or null and an error.
template <typename Scalar>
static RecurrenceOp findCallee(Interpreter<Scalar> &interpreter,
                               RunOpInterface op) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<RecurrenceOp>(
      op, op.getCalleeAttr());
  if (!callee)
    (void)interpreter.fail(op, "expected @" + op.getCallee() +
                                   " to be a qdelta.recurrence");
  return callee;
}

template <typename Scalar>
void reference::addRecurrenceOps(Interpreter<Scalar> &table) {
  table.template add<ScanOp>([](Interpreter<Scalar> &interpreter, ScanOp op,
                                Args<Scalar> args,
                                Data<Scalar> &results) -> LogicalResult {
    RecurrenceOp callee = findCallee(interpreter, op);
    if (!callee)
      return failure();
    ArrayRef<int64_t> cuSeqlens = takeCuSeqlens<Scalar>(op, args);
    Data<Scalar> own(args);
    std::vector<int64_t> position = takePosition<Scalar>(op, own);
    return runRecurrence<Scalar>(interpreter, op, callee, own, cuSeqlens,
                                 position, results);
  });
  table.template add<StepOp>([](Interpreter<Scalar> &interpreter, StepOp op,
                                Args<Scalar> args,
                                Data<Scalar> &results) -> LogicalResult {
    RecurrenceOp callee = findCallee(interpreter, op);
    if (!callee)
      return failure();
    Data<Scalar> own(args);
    std::vector<int64_t> position = takePosition<Scalar>(op, own);
    return runInPlace<Scalar>(
        interpreter, op, own, op.getInits().size(), !!op.getStateIndex(),
        results, [&](Args<Scalar> chosen, Data<Scalar> &made) {
          return runRecurrence<Scalar>(interpreter, op, callee, chosen, {},
                                       position, made);
        });
  });
  table.template add<DecayOp>([](Interpreter<Scalar> &interpreter, DecayOp op,
                                 Args<Scalar> args, Data<Scalar> &results) {
    LogicalResult result = decayState(interpreter, op, args[0], args[1]);
    results.push_back(std::move(args[0]));
    return result;
  });
  table.template add<ReadOp>([](Interpreter<Scalar> &interpreter, ReadOp op,
                                Args<Scalar> args,
                                Data<Scalar> &results) -> LogicalResult {
    auto readout = readState(interpreter, op, asOperand(interpreter, args[0]),
                             asOperand(interpreter, args[1]));
    if (failed(readout))
      return failure();
    results.push_back(std::move(*readout));
    return success();
  });
  table.template add<DecayValuesOp>([](Interpreter<Scalar> &interpreter,
                                       DecayValuesOp op, Args<Scalar> args,
                                       Data<Scalar> &results) {
    LogicalResult result = decayColumns(interpreter, op, args[0], args[1]);
    results.push_back(std::move(args[0]));
    return result;
  });
  table.template add<ReadValuesOp>([](Interpreter<Scalar> &interpreter,
                                      ReadValuesOp op, Args<Scalar> args,
                                      Data<Scalar> &results) -> LogicalResult {
    auto readout = readColumns(interpreter, op, asOperand(interpreter, args[0]),
                               asOperand(interpreter, args[1]));
    if (failed(readout))
      return failure();
    results.push_back(std::move(*readout));
    return success();
  });
  table.template add<WriteOp>([](Interpreter<Scalar> &interpreter, WriteOp op,
                                 Args<Scalar> args, Data<Scalar> &results) {
    LogicalResult result = writeState<Scalar>(
        interpreter, op, args[0], asOperand(interpreter, args[1]),
        asOperand(interpreter, args[2]).reals().data);
    results.push_back(std::move(args[0]));
    return result;
  });
  table.template add<MixOp>([](Interpreter<Scalar> &interpreter, MixOp op,
                               Args<Scalar> args, Data<Scalar> &results) {
    LogicalResult result =
        mixStates(interpreter, op, args[0], args[1], args[2].scalar());
    results.push_back(std::move(args[0]));
    return result;
  });
  table.template add<ScaleOp>(runScale<Scalar>);
  table.template add<MaxPlusOp>([](Interpreter<Scalar> &, MaxPlusOp,
                                   Args<Scalar> args, Data<Scalar> &results) {
    results.push_back(maxPlus(args[0], args[1], args[2]));
    return success();
  });
  table.template add<DotOp>(runDot<Scalar>);
  table.template add<MeanOp>(runMean<Scalar>);
  table.template add<SplatOp>(runSplat<Scalar>);
  table.template add<RotateOp>(runRotate<Scalar>);
}

namespace qdelta::reference {
QDELTA_REFERENCE_INSTANTIATE(addRecurrenceOps)

#define QDELTA_INSTANTIATE_STATE(Scalar)                                       \
  template LogicalResult decayState(Interpreter<Scalar> &, Operation *,        \
                                    Datum<Scalar> &, const Datum<Scalar> &);   \
  template LogicalResult decayColumns(Interpreter<Scalar> &, Operation *,      \
                                      Datum<Scalar> &, const Datum<Scalar> &); \
  template FailureOr<Datum<Scalar>> readState(                                 \
      Interpreter<Scalar> &, Operation *, const Datum<Scalar> &,               \
      const Datum<Scalar> &);                                                  \
  template LogicalResult writeState(Interpreter<Scalar> &, Operation *,        \
                                    Datum<Scalar> &, const Datum<Scalar> &,    \
                                    ArrayRef<Scalar>);                         \
  template LogicalResult mixStates(Interpreter<Scalar> &, Operation *,         \
                                   Datum<Scalar> &, const Datum<Scalar> &,     \
                                   Scalar);                                    \
  template Datum<Scalar> maxPlus(Datum<Scalar>, const Datum<Scalar> &,         \
                                 const Datum<Scalar> &);                       \
  template LogicalResult runRecurrence(                                        \
      Interpreter<Scalar> &, Operation *, RecurrenceOp, Args<Scalar>,          \
      ArrayRef<int64_t>, ArrayRef<int64_t>, Data<Scalar> &);
QDELTA_INSTANTIATE_STATE(long double)
QDELTA_INSTANTIATE_STATE(double)
QDELTA_INSTANTIATE_STATE(float)
QDELTA_INSTANTIATE_STATE(Exact)
#undef QDELTA_INSTANTIATE_STATE
} // namespace qdelta::reference

//===- AffineOps.cpp - the affine list, token by token --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Levels.h"
#include "RecurrenceOps.h"
#include "StatePool.h"
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

static SmallVector<std::string> namesOf(ArrayAttr names) {
  return llvm::map_to_vector(names, [](Attribute name) {
    return cast<StringAttr>(name).getValue().str();
  });
}

template <typename Scalar>
static LogicalResult runScan(Interpreter<Scalar> &interpreter, AffineScanOp op,
                             Args<Scalar> args, Data<Scalar> &results) {
  Block &list = op.getBody().front();
  ArrayRef<int64_t> cuSeqlens = takeCuSeqlens<Scalar>(op, args);
  SmallVector<Value> inputs(list.getArguments());
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
  SmallVector<TokenDim> states(op.getInits().size(), TokenDim::State);
  auto run = [&](Args<Scalar> args, Data<Scalar> &results) {
    TokenLoop<Scalar> loop(
        interpreter, op, op.getTokens().size(),
        llvm::map_to_vector(inputs, [&](Value v) { return dims.lookup(v); }),
        namesOf(op.getArgNames()), states, args);
    loop.setCuSeqlens(cuSeqlens);
    return loop.run(op.getOutputs().size(), step, results);
  };
  auto runAll = [&](Args<Scalar> args, Data<Scalar> &results) {
    if (op.getLevels())
      return runEachLevel<Scalar>(interpreter, op, args, results, run);
    return run(args, results);
  };
  if (!op.getInPlace())
    return runAll(args, results);
  return runInPlace<Scalar>(interpreter, op, args, states.size(),
                            !!op.getStateIndex(), results, runAll);
}

template <typename Scalar>
static LogicalResult runDecay(Interpreter<Scalar> &interpreter,
                              AffineDecayOp op, Args<Scalar> args,
                              Data<Scalar> &) {
  return decayState(interpreter, op, (*interpreter.listStates)[op.getState()],
                    args[0]);
}

template <typename Scalar>
static LogicalResult runDecayValues(Interpreter<Scalar> &interpreter,
                                    AffineDecayValuesOp op, Args<Scalar> args,
                                    Data<Scalar> &) {
  return decayColumns(interpreter, op, (*interpreter.listStates)[op.getState()],
                      args[0]);
}

/// The states that an index names, or all of them, each transposed.
template <typename Scalar>
static LogicalResult runTransposeState(Interpreter<Scalar> &interpreter,
                                       TransposeStateOp op, Args<Scalar> args,
                                       Data<Scalar> &results) {
  const Tensor<Scalar> &states = args[0].reals();
  int64_t heads = states.shape[1], keys = states.shape[2],
          values = states.shape[3];
  auto entries = llvm::to_vector(llvm::seq<int64_t>(0, states.shape[0]));
  if (op.getStateIndex())
    entries.assign(args[1].integers().data.begin(),
                   args[1].integers().data.end());
  Tensor<Scalar> out{
      {static_cast<int64_t>(entries.size()), heads, values, keys}, {}};
  for (int64_t entry : entries) {
    if (entry < 0 || entry >= states.shape[0])
      return interpreter.fail(op, "expected state_index to be from 0 to " +
                                      Twine(states.shape[0] - 1) +
                                      ", but got " + Twine(entry));
    for (int64_t head = 0; head < heads; ++head) {
      const Scalar *state =
          states.data.data() + (entry * heads + head) * keys * values;
      for (int64_t v = 0; v < values; ++v)
        for (int64_t k = 0; k < keys; ++k)
          out.data.push_back(state[k * values + v]);
    }
  }
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
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
static LogicalResult runMix(Interpreter<Scalar> &interpreter, AffineMixOp op,
                            Args<Scalar> args, Data<Scalar> &) {
  Data<Scalar> &states = *interpreter.listStates;
  return mixStates(interpreter, op, states[op.getState()],
                   states[op.getSource()], args[0].scalar());
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

/// The shape that each value of a prescan's token has, from the shapes of its
/// arguments: T may be 0, and then no token shows it.
template <typename Scalar>
static std::vector<std::vector<int64_t>> outputShapes(PrescanOp op,
                                                      Args<Scalar> args) {
  llvm::DenseMap<Value, int64_t> widths;
  for (auto [value, arg] : llvm::zip(op.getBody().getArguments(), args))
    if (isa<RankedTensorType>(value.getType()))
      widths[value] = arg.shape().back();
  auto widthOf = [&](Value value) {
    auto found = widths.find(value);
    return found != widths.end()
               ? found->second
               : cast<RankedTensorType>(value.getType()).getDimSize(0);
  };
  for (Operation &inner : op.getBody().front().without_terminator())
    for (Value result : inner.getResults())
      if (isa<RankedTensorType>(result.getType()))
        for (Value operand : llvm::reverse(inner.getOperands()))
          if (isa<RankedTensorType>(operand.getType()))
            widths[result] = widthOf(operand);
  std::vector<std::vector<int64_t>> shapes;
  for (Value value : op.getBody().front().getTerminator()->getOperands()) {
    shapes.emplace_back();
    if (isa<RankedTensorType>(value.getType()))
      shapes.back().push_back(widthOf(value));
  }
  return shapes;
}

template <typename Scalar>
static LogicalResult runPrescan(Interpreter<Scalar> &interpreter, PrescanOp op,
                                Args<Scalar> args, Data<Scalar> &results) {
  Block &body = op.getBody().front();
  int64_t heads = args[0].integer();
  args = args.drop_front();
  ArrayRef<int64_t> cuSeqlens = takeCuSeqlens<Scalar>(op, args);
  auto kindOf = [](Value value) {
    return isa<RankedTensorType>(value.getType()) ? TokenDim::Unknown
                                                  : TokenDim::Scalar;
  };
  size_t inputs = body.getNumArguments() - op.getInits().size();
  auto step = [&](Data<Scalar> &stepInputs, Data<Scalar> &states,
                  Data<Scalar> &outputs) -> LogicalResult {
    Data<Scalar> bound(stepInputs);
    bound.append(states.begin(), states.end());
    for (auto [value, datum] : llvm::zip_equal(body.getArguments(), bound))
      interpreter.bind(value, std::move(datum));
    auto *outer = std::exchange(interpreter.listStates, &states);
    LogicalResult result = interpreter.run(body, outputs);
    interpreter.listStates = outer;
    return result;
  };
  auto run = [&](Args<Scalar> args, Data<Scalar> &results) {
    TokenLoop<Scalar> loop(
        interpreter, op, op.getTokens().size(),
        llvm::map_to_vector(body.getArguments().take_front(inputs), kindOf),
        namesOf(op.getArgNames()), llvm::map_to_vector(op.getStates(), kindOf),
        args);
    loop.setHeads(heads);
    loop.setCuSeqlens(cuSeqlens);
    return loop.run(outputShapes(op, args), step, results);
  };
  if (!op.getInPlace())
    return run(args, results);
  return runInPlace<Scalar>(interpreter, op, args, op.getInits().size(),
                            !!op.getStateIndex(), results, run);
}

template <typename Scalar>
static LogicalResult runAdvance(Interpreter<Scalar> &interpreter, AdvanceOp op,
                                Args<Scalar> args, Data<Scalar> &results) {
  Datum<Scalar> next = args[0];
  size_t with = 1 + (op.getBy() ? 1 : 0);
  auto combine = [&](Datum<Scalar> &datum, const Datum<Scalar> &other, auto f) {
    if (datum.isScalar()) {
      datum = Datum<Scalar>(f(datum.scalar(), other.scalar()));
      return;
    }
    auto &data = datum.mutableReals().data;
    for (size_t i = 0; i < data.size(); ++i)
      data[i] =
          f(data[i], other.isScalar() ? other.scalar() : other.reals().data[i]);
  };
  for (auto &arg : args.drop_front())
    if (arg.isReals() && arg.shape() != args[0].shape())
      return interpreter.fail(op, "a state of shape " + spell(args[0].shape()) +
                                      " meets " + spell(arg.shape()));
  switch (op.getKind()) {
  case AdvanceKind::Set:
    next = args[with];
    break;
  case AdvanceKind::MaxPlus:
    next = maxPlus(args[0], args[1], args[2]);
    break;
  case AdvanceKind::Affine:
    if (op.getBy())
      combine(next, args[1], [](Scalar a, Scalar b) { return b * a; });
    if (op.getWith())
      combine(next, args[with], [](Scalar a, Scalar b) { return a + b; });
    break;
  }
  unsigned index = cast<BlockArgument>(op.getState()).getArgNumber();
  unsigned states = interpreter.listStates->size();
  unsigned first = op->getBlock()->getNumArguments() - states;
  (*interpreter.listStates)[index - first] = next;
  results.push_back(std::move(next));
  return success();
}

template <typename Scalar>
void reference::addAffineOps(Interpreter<Scalar> &table) {
  table.template add<AffineScanOp>(runScan<Scalar>);
  table.template add<AffineDecayOp>(runDecay<Scalar>);
  table.template add<AffineDecayValuesOp>(runDecayValues<Scalar>);
  table.template add<TransposeStateOp>(runTransposeState<Scalar>);
  table.template add<AffineReadOp>(runRead<Scalar>);
  table.template add<AffineWriteOp>(runWrite<Scalar>);
  table.template add<AffineMixOp>(runMix<Scalar>);
  table.template add<AffineOutputOp>(runOutput<Scalar>);
  table.template add<FenwickOp>(runFenwick<Scalar>);
  table.template add<AddLevelsOp>(runAddLevels<Scalar>);
  table.template add<PrescanOp>(runPrescan<Scalar>);
  table.template add<AdvanceOp>(runAdvance<Scalar>);
}

namespace qdelta::reference {
QDELTA_REFERENCE_INSTANTIATE(addAffineOps)
} // namespace qdelta::reference

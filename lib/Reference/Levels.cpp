//===- Levels.cpp - recurrences with a state for each level ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Levels.h"
#include "TokenLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

/// Takes out of a step what does not depend on its state: d of writes, and the
/// direct parts of sums. recurrence_c8 leaves few ops to look at. Outputs that
/// are direct altogether stay; see `isDirect`.
static void makeHomogeneous(Block &step) {
  llvm::DenseSet<Value> dependent{step.getArgument(0)};
  for (Operation &op : llvm::make_early_inc_range(step.without_terminator())) {
    SmallVector<Value> parts = llvm::filter_to_vector(
        op.getOperands(), [&](Value v) { return dependent.contains(v); });
    if (parts.empty())
      continue;
    Value left;
    if (isa<arith::AddFOp, arith::SubFOp>(op) && parts.size() == 1) {
      OpBuilder b(&op);
      left = parts[0];
      if (isa<arith::SubFOp>(op) && left == op.getOperand(1))
        left = arith::NegFOp::create(b, op.getLoc(), left);
    } else if (isa<WriteOp>(op) && parts.size() == 1) {
      left = op.getOperand(0);
    }
    dependent.insert(left ? left : op.getResult(0));
    if (!left)
      continue;
    op.getResult(0).replaceAllUsesWith(left);
    op.erase();
  }
}

/// For each output of `step` whether its state reaches it not at all.
static SmallVector<bool> isDirect(Block &step) {
  llvm::DenseSet<Value> dependent{step.getArgument(0)};
  for (Operation &op : step)
    if (llvm::any_of(op.getOperands(),
                     [&](Value v) { return dependent.contains(v); }))
      dependent.insert_range(op.getResults());
  auto outputs = cast<YieldOp>(step.getTerminator()).getOutputs();
  return llvm::map_to_vector(
      outputs, [&](Value output) { return !dependent.contains(output); });
}

template <typename Scalar>
static void addTo(Datum<Scalar> &sum, const Datum<Scalar> &part) {
  std::vector<Scalar> &data = sum.mutableReals().data;
  for (size_t i = 0; i < data.size(); ++i)
    data[i] += part.reals().data[i];
}

namespace {
/// The levels of one head, token after token. Level 0 holds the present token
/// alone; level l >= 1 holds 2^(l - 1) tokens before it if bit l - 1 of its
/// number is set, and else none.
template <typename Scalar>
class Levels {
public:
  Levels(Interpreter<Scalar> &interpreter, RecurrenceOp recurrence,
         Datum<Scalar> zero)
      : interpreter(interpreter), recurrence(recurrence), zero(std::move(zero)),
        direct(isDirect(recurrence.getBody().front())) {
    RecurrenceOp clone = recurrence.clone();
    makeHomogeneous(clone.getBody().front());
    homogeneous = clone;
    interpreter.keep(OwningOpRef<Operation *>(clone));
  }

  /// Token number `token` with a weight for each level.
  LogicalResult run(int64_t token, const Data<Scalar> &inputs,
                    Data<Scalar> &outputs);

private:
  void merge(int64_t token);
  LogicalResult runStep(RecurrenceOp step, size_t level,
                        const Data<Scalar> &inputs, Data<Scalar> &made);

  Interpreter<Scalar> &interpreter;
  RecurrenceOp recurrence, homogeneous;
  Datum<Scalar> zero;
  SmallVector<bool> direct;
  Data<Scalar> states;
};
} // namespace

/// Before token t the levels below the lowest bit set in t fill the one of that
/// bit.
template <typename Scalar>
void Levels<Scalar>::merge(int64_t token) {
  size_t target = llvm::countr_zero(static_cast<uint64_t>(token)) + 1;
  Datum<Scalar> sum = states[0];
  for (size_t level = 1; level < target; ++level)
    addTo(sum, states[level]);
  states[target] = std::move(sum);
}

template <typename Scalar>
LogicalResult Levels<Scalar>::runStep(RecurrenceOp step, size_t level,
                                      const Data<Scalar> &inputs,
                                      Data<Scalar> &made) {
  BlockArgument weights = step.getLevels();
  interpreter.bind(step.getStates()[0], states[level]);
  for (auto [value, input] :
       llvm::zip_equal(step.getBody().getArguments().drop_front(), inputs))
    interpreter.bind(value, value == weights
                                ? Datum<Scalar>(input.reals().data[level])
                                : input);
  if (failed(interpreter.run(step.getBody().front(), made)))
    return failure();
  states[level] = made[0];
  made.erase(made.begin());
  return success();
}

template <typename Scalar>
LogicalResult Levels<Scalar>::run(int64_t token, const Data<Scalar> &inputs,
                                  Data<Scalar> &outputs) {
  size_t weights =
      recurrence.getLevels().getArgNumber() - recurrence.getNumStates();
  states.resize(inputs[weights].reals().data.size(), zero);
  if (token > 0)
    merge(token);
  states[0] = zero;
  if (failed(runStep(recurrence, 0, inputs, outputs)))
    return failure();
  for (size_t level = 1; token >> (level - 1); ++level) {
    Data<Scalar> made;
    if (!(token >> (level - 1) & 1))
      continue;
    if (failed(runStep(homogeneous, level, inputs, made)))
      return failure();
    for (auto [output, part, isDirect] : llvm::zip_equal(outputs, made, direct))
      if (!isDirect)
        addTo(output, part);
  }
  return success();
}

/// The size of the state's dimension `dim`: a vector's, or what its type says.
template <typename Scalar>
static int64_t sizeOf(RecurrenceOp recurrence, TokenDim dim, int64_t size,
                      Args<Scalar> args) {
  auto dims = inferTokenDims(recurrence.getBody().front());
  for (auto [value, arg] :
       llvm::zip(recurrence.getBody().getArguments().drop_front(), args))
    if (dims.lookup(value) == dim && !arg.shape().empty())
      return arg.shape().back();
  return ShapedType::isDynamic(size) ? 0 : size;
}

template <typename Scalar>
static LogicalResult checkLevels(Interpreter<Scalar> &interpreter,
                                 Operation *op, ArrayRef<int64_t> shape) {
  if (shape.size() != 4)
    return interpreter.fail(
        op, "expected levels to have shape [B, T, HV, L], but got shape " +
                spell(shape));
  constexpr int64_t kAll = 63;
  int64_t tokens = shape[1], levels = shape[3];
  if (levels > 0 && (levels > kAll || tokens <= int64_t(1) << (levels - 1)))
    return success();
  return interpreter.fail(op, "expected at most 2^(L - 1) tokens and a level "
                              "at least, but got T = " +
                                  Twine(tokens) + " for L = " + Twine(levels) +
                                  " levels");
}

template <typename Scalar>
LogicalResult reference::runLevels(Interpreter<Scalar> &interpreter,
                                   Operation *op, RecurrenceOp recurrence,
                                   Args<Scalar> args, Data<Scalar> &results) {
  Block &body = recurrence.getBody().front();
  auto inputs = body.getArguments().drop_front();
  if (args.size() != inputs.size())
    return interpreter.fail(op, "expected " + Twine(inputs.size()) +
                                    " inputs for @" + recurrence.getSymName() +
                                    ", but got " + Twine(args.size()));
  BlockArgument weights = recurrence.getLevels();
  std::vector<int64_t> shape = args[weights.getArgNumber() - 1].shape();
  if (failed(checkLevels(interpreter, op, shape)))
    return failure();
  auto dims = inferTokenDims(body);
  SmallVector<TokenDim> inputDims;
  SmallVector<std::string> names;
  for (BlockArgument input : inputs) {
    // A number for each level is a vector as long as there are levels.
    inputDims.push_back(input == weights ? TokenDim::Unknown
                                         : dims.lookup(input));
    names.push_back(recurrence.getArgName(input.getArgNumber()).str());
  }
  auto state = cast<RankedTensorType>(recurrence.getStates()[0].getType());
  auto zero = interpreter.allocate(
      op,
      {sizeOf<Scalar>(recurrence, TokenDim::Key, state.getDimSize(0), args),
       sizeOf<Scalar>(recurrence, TokenDim::Value, state.getDimSize(1), args)},
      ScalarTraits<Scalar>::integer(0));
  if (failed(zero))
    return failure();
  Levels<Scalar> levels(interpreter, recurrence,
                        Datum<Scalar>(std::move(*zero)));
  // Heads come one after the other.
  int64_t next = 0, tokens = shape[1];
  auto step = [&](Data<Scalar> &stepInputs, Data<Scalar> &,
                  Data<Scalar> &outputs) -> LogicalResult {
    return levels.run(next++ % tokens, stepInputs, outputs);
  };
  TokenLoop<Scalar> loop(interpreter, op, recurrence.getNumTokens(), inputDims,
                         names, {}, args);
  loop.setHeads(shape[2]);
  return loop.run(recurrence.getYield().getOutputs().size(), step, results);
}

/// The numbers of one level: [B, T, H] of [B, T, H, L].
template <typename Scalar>
static Datum<Scalar> numbersOf(const Tensor<Scalar> &all, int64_t level) {
  Tensor<Scalar> own{{all.shape.begin(), all.shape.end() - 1}, {}};
  int64_t levels = all.shape.back();
  for (int64_t i = level; i < all.size(); i += levels)
    own.data.push_back(all.data[i]);
  return Datum<Scalar>(std::move(own));
}

template <typename Scalar>
LogicalResult reference::runEachLevel(
    Interpreter<Scalar> &interpreter, AffineScanOp op, Args<Scalar> args,
    Data<Scalar> &results,
    llvm::function_ref<LogicalResult(Args<Scalar>, Data<Scalar> &)> run) {
  int64_t levels = 0;
  for (unsigned number = 0; number < op.getTokens().size(); ++number) {
    if (!op.isPerLevel(number))
      continue;
    if (failed(checkLevels(interpreter, op, args[number].shape())))
      return failure();
    levels = args[number].shape().back();
  }
  size_t states = op.getInits().size();
  for (int64_t level = 0; level < levels; ++level) {
    Data<Scalar> own(args), made;
    for (unsigned number = 0; number < op.getTokens().size(); ++number)
      if (op.isPerLevel(number))
        own[number] = numbersOf(args[number].reals(), level);
    for (Datum<Scalar> &state : MutableArrayRef(own).take_back(states))
      for (Scalar &element : state.mutableReals().data)
        element = ScalarTraits<Scalar>::integer(0);
    if (failed(run(own, made)))
      return failure();
    for (size_t i = 0; i + states < made.size() && level > 0; ++i) {
      addTo(results[i], made[i]);
      made[i] = results[i];
    }
    results = std::move(made);
  }
  return success();
}

template <typename Scalar>
LogicalResult reference::runFenwick(Interpreter<Scalar> &, FenwickOp,
                                    Args<Scalar> args, Data<Scalar> &results) {
  using Traits = ScalarTraits<Scalar>;
  const std::vector<int64_t> &shape = args[0].shape();
  Tensor<Scalar> reset{shape, {}}, source{shape, {}}, reader{shape, {}};
  int64_t levels = shape[3], size = args[0].reals().size();
  Scalar zero = Traits::integer(0), one = Traits::integer(1);
  Scalar erase = Traits::real(-std::numeric_limits<double>::infinity());
  for (int64_t i = 0; i < size; ++i) {
    int64_t level = i % levels, token = i / levels / shape[2] % shape[1];
    bool isFirst = true, isLate = false;
    for (int64_t bit = 0; bit < std::min<int64_t>(level, 63); ++bit) {
      isLate = token >> bit & 1;
      isFirst &= !isLate;
    }
    if (level > 63)
      isLate = false;
    reset.data.push_back(isFirst ? erase : zero);
    source.data.push_back(isLate ? zero : one);
    reader.data.push_back(isLate || level == 0 ? one : zero);
  }
  for (Tensor<Scalar> *mask : {&reset, &source, &reader})
    results.push_back(Datum<Scalar>(std::move(*mask)));
  return success();
}

#define QDELTA_INSTANTIATE_LEVELS(Scalar)                                      \
  template LogicalResult reference::runLevels(Interpreter<Scalar> &,           \
                                              Operation *, RecurrenceOp,       \
                                              Args<Scalar>, Data<Scalar> &);   \
  template LogicalResult reference::runEachLevel(                              \
      Interpreter<Scalar> &, AffineScanOp, Args<Scalar>, Data<Scalar> &,       \
      llvm::function_ref<LogicalResult(Args<Scalar>, Data<Scalar> &)>);        \
  template LogicalResult reference::runFenwick(                                \
      Interpreter<Scalar> &, FenwickOp, Args<Scalar>, Data<Scalar> &);
QDELTA_INSTANTIATE_LEVELS(long double)
QDELTA_INSTANTIATE_LEVELS(double)
QDELTA_INSTANTIATE_LEVELS(float)
QDELTA_INSTANTIATE_LEVELS(Exact)
#undef QDELTA_INSTANTIATE_LEVELS

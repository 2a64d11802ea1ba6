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
/// The levels of one head, token after token. What this run's tokens write is
/// held as the paper has it: level 0 holds the present token alone; level l >=
/// 1 holds 2^(l - 1) tokens before it if bit l - 1 of its number is set, and
/// else none. A state that the run began with is apart from it, in its level,
/// until a block of that level begins.
template <typename Scalar>
class Levels {
public:
  Levels(Interpreter<Scalar> &interpreter, RecurrenceOp recurrence)
      : interpreter(interpreter), recurrence(recurrence),
        direct(isDirect(recurrence.getBody().front())) {
    RecurrenceOp clone = recurrence.clone();
    makeHomogeneous(clone.getBody().front());
    homogeneous = clone;
    interpreter.keep(OwningOpRef<Operation *>(clone));
  }

  /// Begins a sequence before its token number `token`.
  void begin(Data<Scalar> initial);
  /// Token number `token` with a weight for each level.
  LogicalResult run(int64_t token, const Data<Scalar> &inputs,
                    Data<Scalar> &outputs);
  /// What level `level` has after token number `token`: of the token's block of
  /// 2^level tokens, those of the first half.
  Datum<Scalar> stateOf(size_t level, int64_t token) const;

private:
  void merge(int64_t token);
  LogicalResult runStep(RecurrenceOp step, size_t level, Datum<Scalar> &state,
                        const Data<Scalar> &inputs, Data<Scalar> &made);
  LogicalResult runHomogeneous(size_t level, Datum<Scalar> &state, bool isRead,
                               const Data<Scalar> &inputs,
                               Data<Scalar> &outputs);

  Interpreter<Scalar> &interpreter;
  RecurrenceOp recurrence, homogeneous;
  Datum<Scalar> zero;
  SmallVector<bool> direct;
  Data<Scalar> states, initial;
  /// Of the levels, whether `initial` still counts.
  SmallVector<bool> isCarried;
};
} // namespace

/// Whether bit `level` - 1 of `token` is set: the token is in the second half
/// of its block.
static bool isLate(int64_t token, size_t level) {
  return level > 0 && level < 64 && token >> (level - 1) & 1;
}

/// Whether a block of that level begins with `token`.
static bool isFirstOf(int64_t token, size_t level) {
  return level > 62 ? token == 0 : token % (int64_t(1) << level) == 0;
}

template <typename Scalar>
void Levels<Scalar>::begin(Data<Scalar> first) {
  initial = std::move(first);
  isCarried.assign(initial.size(), true);
  zero = initial.empty() ? Datum<Scalar>() : initial[0];
  if (!initial.empty())
    for (Scalar &element : zero.mutableReals().data)
      element = ScalarTraits<Scalar>::integer(0);
  states.assign(initial.size(), zero);
}

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
LogicalResult
Levels<Scalar>::runStep(RecurrenceOp step, size_t level, Datum<Scalar> &state,
                        const Data<Scalar> &inputs, Data<Scalar> &made) {
  BlockArgument weights = step.getLevels();
  interpreter.bind(step.getStates()[0], state);
  for (auto [value, input] :
       llvm::zip_equal(step.getBody().getArguments().drop_front(), inputs))
    interpreter.bind(value, value == weights
                                ? Datum<Scalar>(input.reals().data[level])
                                : input);
  if (failed(interpreter.run(step.getBody().front(), made)))
    return failure();
  state = made[0];
  made.erase(made.begin());
  return success();
}

/// The step without what does not depend on the state; `isRead`, outputs are
/// added up.
template <typename Scalar>
LogicalResult Levels<Scalar>::runHomogeneous(size_t level, Datum<Scalar> &state,
                                             bool isRead,
                                             const Data<Scalar> &inputs,
                                             Data<Scalar> &outputs) {
  Data<Scalar> made;
  if (failed(runStep(homogeneous, level, state, inputs, made)))
    return failure();
  for (auto [output, part, isDirect] : llvm::zip_equal(outputs, made, direct))
    if (isRead && !isDirect)
      addTo(output, part);
  return success();
}

template <typename Scalar>
LogicalResult Levels<Scalar>::run(int64_t token, const Data<Scalar> &inputs,
                                  Data<Scalar> &outputs) {
  if (token > 0)
    merge(token);
  states[0] = zero;
  if (failed(runStep(recurrence, 0, states[0], inputs, outputs)))
    return failure();
  for (size_t level = 1; level < states.size(); ++level)
    if (isLate(token, level) &&
        failed(runHomogeneous(level, states[level], true, inputs, outputs)))
      return failure();
  for (size_t level = 0; level < initial.size(); ++level) {
    isCarried[level] &= !isFirstOf(token, level);
    if (isCarried[level] &&
        failed(runHomogeneous(level, initial[level], isLate(token, level),
                              inputs, outputs)))
      return failure();
  }
  return success();
}

template <typename Scalar>
Datum<Scalar> Levels<Scalar>::stateOf(size_t level, int64_t token) const {
  Datum<Scalar> state = zero;
  if (isLate(token, level)) {
    state = states[level];
  } else {
    state = states[0];
    for (size_t below = 1; below < level; ++below)
      if (isLate(token, below))
        addTo(state, states[below]);
  }
  if (isCarried[level])
    addTo(state, initial[level]);
  return state;
}

/// How many tokens came before sequence `batch`.
static int64_t positionOf(ArrayRef<int64_t> position, int64_t batch) {
  return position.empty() ? 0 : position[batch];
}

template <typename Scalar>
static LogicalResult checkLevels(Interpreter<Scalar> &interpreter,
                                 Operation *op, ArrayRef<int64_t> shape,
                                 ArrayRef<int64_t> cuSeqlens,
                                 ArrayRef<int64_t> position) {
  if (shape.size() != 4)
    return interpreter.fail(
        op, "expected levels to have shape [B, T, HV, L], but got shape " +
                spell(shape));
  constexpr int64_t kAll = 63;
  bool isPacked = !cuSeqlens.empty();
  int64_t levels = shape[3], sequences = shape[0];
  if (isPacked)
    sequences = static_cast<int64_t>(cuSeqlens.size()) - 1;
  if (!position.empty() && static_cast<int64_t>(position.size()) != sequences)
    return interpreter.fail(op, "expected a position for each of " +
                                    Twine(sequences) + " sequences, but got " +
                                    Twine(position.size()));
  for (int64_t n = 0; n < sequences; ++n) {
    int64_t tokens = isPacked ? cuSeqlens[n + 1] - cuSeqlens[n] : shape[1];
    int64_t before = positionOf(position, n);
    if (before < 0)
      return interpreter.fail(op, "expected positions of at least 0, but got " +
                                      Twine(before));
    if (tokens == 0 ||
        (levels > 0 &&
         (levels > kAll || before + tokens <= int64_t(1) << (levels - 1))))
      continue;
    return interpreter.fail(
        op, "expected at most 2^(L - 1) tokens and a level at least, but got " +
                Twine(tokens) + " tokens from position " + Twine(before) +
                " for L = " + Twine(levels) + " levels");
  }
  return success();
}

/// A matrix of a state [B, HV L, K, V].
template <typename Scalar>
static Datum<Scalar> matrixOf(const Tensor<Scalar> &all, int64_t index) {
  int64_t size = all.shape[2] * all.shape[3];
  auto begin = all.data.begin() + index * size;
  return Datum<Scalar>(
      Tensor<Scalar>{{all.shape[2], all.shape[3]}, {begin, begin + size}});
}

template <typename Scalar>
LogicalResult
reference::runLevels(Interpreter<Scalar> &interpreter, Operation *op,
                     RecurrenceOp recurrence, Args<Scalar> args,
                     ArrayRef<int64_t> cuSeqlens, ArrayRef<int64_t> position,
                     Data<Scalar> &results) {
  Block &body = recurrence.getBody().front();
  auto inputs = body.getArguments().drop_front();
  if (args.size() != inputs.size() + 1)
    return interpreter.fail(op, "expected " + Twine(inputs.size() + 1) +
                                    " inputs for @" + recurrence.getSymName() +
                                    ", but got " + Twine(args.size()));
  BlockArgument weights = recurrence.getLevels();
  std::vector<int64_t> shape = args[weights.getArgNumber() - 1].shape();
  if (!cuSeqlens.empty() && shape.size() == 4 &&
      failed(checkCuSeqlens(interpreter, op, cuSeqlens, shape[1])))
    return failure();
  if (failed(checkLevels(interpreter, op, shape, cuSeqlens, position)))
    return failure();
  Datum<Scalar> final = args.back();
  int64_t heads = shape[2], count = shape[3];
  int64_t sequences =
      cuSeqlens.empty() ? shape[0] : static_cast<int64_t>(cuSeqlens.size()) - 1;
  std::vector<int64_t> found = final.shape();
  if (found.size() != 4 || found[0] != sequences || found[1] != heads * count)
    return interpreter.fail(
        op, "expected the state of levels to have shape [B, HV L, K, V] with "
            "B = " +
                Twine(sequences) + ", HV = " + Twine(heads) +
                " and L = " + Twine(count) + ", but got " + spell(found));
  auto dims = inferTokenDims(body);
  SmallVector<TokenDim> inputDims;
  SmallVector<std::string> names;
  for (BlockArgument input : inputs) {
    // A number for each level is a vector as long as there are levels.
    inputDims.push_back(input == weights ? TokenDim::Unknown
                                         : dims.lookup(input));
    names.push_back(recurrence.getArgName(input.getArgNumber()).str());
  }
  Levels<Scalar> levels(interpreter, recurrence);
  TokenLoop<Scalar> loop(interpreter, op, recurrence.getNumTokens(), inputDims,
                         names, {}, args.drop_back());
  auto step = [&](Data<Scalar> &stepInputs, Data<Scalar> &,
                  Data<Scalar> &outputs) -> LogicalResult {
    const auto &place = loop.place();
    int64_t first = (place.batch * heads + place.head) * count;
    if (place.token == 0) {
      Data<Scalar> initial;
      for (int64_t level = 0; level < count; ++level)
        initial.push_back(matrixOf(final.reals(), first + level));
      levels.begin(std::move(initial));
    }
    int64_t token = positionOf(position, place.batch) + place.token;
    if (failed(levels.run(token, stepInputs, outputs)))
      return failure();
    auto size = static_cast<ptrdiff_t>(found[2] * found[3]);
    for (int64_t level = 0; level < count && place.token + 1 == place.length;
         ++level)
      llvm::copy(levels.stateOf(level, token).reals().data,
                 final.mutableReals().data.begin() + (first + level) * size);
    return success();
  };
  loop.setHeads(heads);
  loop.setCuSeqlens(cuSeqlens);
  loop.setValues(found[3]);
  if (failed(
          loop.run(recurrence.getYield().getOutputs().size(), step, results)))
    return failure();
  results.push_back(std::move(final));
  return success();
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

/// The states of one level: [B, H, K, V] of [B, H L, K, V].
template <typename Scalar>
static Datum<Scalar> statesOf(const Tensor<Scalar> &all, int64_t levels,
                              int64_t level) {
  int64_t size = all.shape[2] * all.shape[3];
  Tensor<Scalar> own{
      {all.shape[0], all.shape[1] / levels, all.shape[2], all.shape[3]}, {}};
  for (int64_t i = level; i < all.shape[0] * all.shape[1]; i += levels) {
    auto begin = all.data.begin() + i * size;
    own.data.insert(own.data.end(), begin, begin + size);
  }
  return Datum<Scalar>(std::move(own));
}

/// Its inverse.
template <typename Scalar>
static void setStates(Tensor<Scalar> &all, const Tensor<Scalar> &own,
                      int64_t levels, int64_t level) {
  int64_t size = all.shape[2] * all.shape[3];
  for (int64_t i = 0; i < own.shape[0] * own.shape[1]; ++i)
    std::copy_n(own.data.begin() + i * size, size,
                all.data.begin() + (i * levels + level) * size);
}

template <typename Scalar>
LogicalResult reference::runEachLevel(
    Interpreter<Scalar> &interpreter, AffineScanOp op, Args<Scalar> args,
    Data<Scalar> &results,
    llvm::function_ref<LogicalResult(Args<Scalar>, Data<Scalar> &)> run) {
  int64_t levels = 0;
  for (unsigned number = 0; number < op.getTokens().size(); ++number)
    if (op.isPerLevel(number))
      levels = args[number].shape().back();
  size_t states = op.getInits().size();
  for (const Datum<Scalar> &state : args.take_back(states))
    if (levels == 0 || state.shape().size() != 4 || state.shape()[1] % levels)
      return interpreter.fail(
          op, "expected a state for each of L = " + Twine(levels) +
                  " levels of every head, but got " + spell(state.shape()));
  Data<Scalar> finals(args.take_back(states));
  for (int64_t level = 0; level < levels; ++level) {
    Data<Scalar> own(args), made;
    for (unsigned number = 0; number < op.getTokens().size(); ++number)
      if (op.isPerLevel(number))
        own[number] = numbersOf(args[number].reals(), level);
    for (Datum<Scalar> &state : MutableArrayRef(own).take_back(states))
      state = statesOf(state.reals(), levels, level);
    if (failed(run(own, made)))
      return failure();
    size_t outputs = made.size() - states;
    for (auto [final, state] :
         llvm::zip_equal(finals, ArrayRef(made).take_back(states)))
      setStates(final.mutableReals(), state.reals(), levels, level);
    made.truncate(outputs);
    for (size_t i = 0; i < outputs && level > 0; ++i) {
      addTo(results[i], made[i]);
      made[i] = results[i];
    }
    results = std::move(made);
  }
  results.append(finals.begin(), finals.end());
  return success();
}

/// The number that each token [T] has in its sequence, for batch entry `batch`
/// of those that are there.
static std::vector<int64_t> numberTokens(int64_t tokens, int64_t batch,
                                         ArrayRef<int64_t> cuSeqlens,
                                         ArrayRef<int64_t> position) {
  std::vector<int64_t> numbers;
  if (cuSeqlens.empty())
    for (int64_t t = 0; t < tokens; ++t)
      numbers.push_back(position[batch] + t);
  for (size_t n = 1; n < cuSeqlens.size(); ++n)
    for (int64_t t = cuSeqlens[n - 1]; t < cuSeqlens[n]; ++t)
      numbers.push_back(position[n - 1] + t - cuSeqlens[n - 1]);
  return numbers;
}

template <typename Scalar>
LogicalResult reference::runFenwick(Interpreter<Scalar> &interpreter,
                                    FenwickOp op, Args<Scalar> args,
                                    Data<Scalar> &results) {
  using Traits = ScalarTraits<Scalar>;
  ArrayRef<int64_t> cuSeqlens = takeCuSeqlens<Scalar>(op, args);
  ArrayRef<int64_t> position = args[1].integers().data;
  const std::vector<int64_t> &shape = args[0].shape();
  if (!cuSeqlens.empty() &&
      failed(checkCuSeqlens(interpreter, op, cuSeqlens, shape[1])))
    return failure();
  if (failed(checkLevels(interpreter, op, shape, cuSeqlens, position)))
    return failure();
  Tensor<Scalar> reset{shape, {}}, source{shape, {}}, reader{shape, {}};
  int64_t levels = shape[3];
  Scalar zero = Traits::integer(0), one = Traits::integer(1);
  Scalar erase = Traits::real(-std::numeric_limits<double>::infinity());
  for (int64_t b = 0; b < shape[0]; ++b)
    for (int64_t token : numberTokens(shape[1], b, cuSeqlens, position))
      for (int64_t i = 0; i < shape[2] * levels; ++i) {
        int64_t level = i % levels;
        bool isFirst = isFirstOf(token, level);
        bool reads = level == 0 || isLate(token, level);
        reset.data.push_back(isFirst ? erase : zero);
        source.data.push_back(isLate(token, level) ? zero : one);
        reader.data.push_back(reads ? one : zero);
      }
  for (Tensor<Scalar> *mask : {&reset, &source, &reader})
    results.push_back(Datum<Scalar>(std::move(*mask)));
  return success();
}

template <typename Scalar>
LogicalResult reference::runAddLevels(Interpreter<Scalar> &interpreter,
                                      AddLevelsOp op, Args<Scalar> args,
                                      Data<Scalar> &results) {
  const Tensor<Scalar> &parts = args[0].reals();
  int64_t heads = args[1].shape()[2], levels = args[1].shape()[3];
  std::vector<int64_t> shape = parts.shape;
  if (shape[2] != heads * levels)
    return interpreter.fail(op, "expected parts for " + Twine(levels) +
                                    " levels of " + Twine(heads) +
                                    " heads, but got " + spell(shape));
  shape[2] = heads;
  auto sums = interpreter.allocate(op, shape, ScalarTraits<Scalar>::integer(0));
  if (failed(sums))
    return failure();
  int64_t values = shape[3];
  for (int64_t i = 0; i < parts.size(); ++i)
    sums->data[i / values / levels * values + i % values] += parts.data[i];
  results.push_back(Datum<Scalar>(std::move(*sums)));
  return success();
}

#define QDELTA_INSTANTIATE_LEVELS(Scalar)                                      \
  template LogicalResult reference::runLevels(                                 \
      Interpreter<Scalar> &, Operation *, RecurrenceOp, Args<Scalar>,          \
      ArrayRef<int64_t>, ArrayRef<int64_t>, Data<Scalar> &);                   \
  template LogicalResult reference::runEachLevel(                              \
      Interpreter<Scalar> &, AffineScanOp, Args<Scalar>, Data<Scalar> &,       \
      llvm::function_ref<LogicalResult(Args<Scalar>, Data<Scalar> &)>);        \
  template LogicalResult reference::runFenwick(                                \
      Interpreter<Scalar> &, FenwickOp, Args<Scalar>, Data<Scalar> &);         \
  template LogicalResult reference::runAddLevels(                              \
      Interpreter<Scalar> &, AddLevelsOp, Args<Scalar>, Data<Scalar> &);
QDELTA_INSTANTIATE_LEVELS(long double)
QDELTA_INSTANTIATE_LEVELS(double)
QDELTA_INSTANTIATE_LEVELS(float)
QDELTA_INSTANTIATE_LEVELS(Exact)
#undef QDELTA_INSTANTIATE_LEVELS

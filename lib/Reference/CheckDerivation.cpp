//===- CheckDerivation.cpp - derived forms against their recurrence -------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Reference/Passes.h"

#include "CheckSummary.h"
#include "Interpreter.h"

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"
#include "qdelta/Reference/Evaluate.h"

#include <numeric>

namespace qdelta {
#define GEN_PASS_DEF_CHECKDERIVATION
#define GEN_PASS_REGISTRATION
#include "qdelta/Reference/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

static constexpr StringLiteral kRecurrenceAttr = "qdelta.recurrence";

namespace {
/// The sizes of one evaluation. Static sizes of the function's arguments take
/// precedence over them.
struct Sizes {
  int64_t batch, tokens, heads, valueHeads, key, value;
  /// Every other sequence has HV heads in place of H.
  bool mixedHeads = false;
  /// Of packed sequences, which `batch` counts.
  SmallVector<int64_t> cuSeqlens = {};
  int64_t levels = 0;
  /// HV L, and of each sequence how many tokens came before.
  int64_t levelHeads = 0, before = 0;
};

/// The shapes of a derived function's arguments, as its recurrence reads them.
class Arguments {
public:
  Arguments(func::FuncOp function, RecurrenceOp recurrence)
      : function(function), recurrence(recurrence),
        dims(inferTokenDims(recurrence.getBody().front())) {}

  /// Fails unless the function takes what a scan of the recurrence would.
  LogicalResult verify();
  /// `sizes` with the function's static sizes in their place.
  Sizes specialize(Sizes sizes);
  /// Random inputs; with `erase`, a third of the log decays are -inf.
  std::vector<Tensor<Exact>> draw(const Sizes &sizes, uint64_t seed,
                                  bool erase);
  bool isPacked() {
    return function.getNumArguments() >
           numInputs() + numCarried() + hasPosition();
  }

private:
  /// Calls `f(size, symbol)` for each dimension of argument `index`, where
  /// `size` is a reference to the member of `sizes` that it runs over.
  template <typename F>
  void forEachDim(size_t index, Sizes &sizes, F f);

  bool isLevels(size_t index) {
    return recurrence.getLevels() &&
           recurrence.getLevels().getArgNumber() == numStates() + index;
  }
  bool isLogDecay(size_t index) {
    return index < numInputs() &&
           cast<DictionaryAttr>(recurrence.getArgAttrs()[numStates() + index])
               .contains("qdelta.log_decay");
  }
  size_t numTokens() { return recurrence.getNumTokens(); }
  size_t numStates() { return recurrence.getNumStates(); }
  size_t numCarried() { return numStates(); }
  /// Of the arguments that are no reals: with levels a position.
  bool hasPosition() { return static_cast<bool>(recurrence.getLevels()); }
  size_t numInputs() {
    return recurrence.getBody().getNumArguments() - numStates();
  }

  func::FuncOp function;
  RecurrenceOp recurrence;
  llvm::DenseMap<Value, TokenDim> dims;
};
} // namespace

/// Whether the last argument is of integers, and not a state index: only packed
/// tokens have one batch entry for sure.
static bool takesCuSeqlens(func::FuncOp function) {
  if (function.getNumArguments() == 0)
    return false;
  auto first = dyn_cast<RankedTensorType>(function.getArgumentTypes().front());
  auto last = dyn_cast<RankedTensorType>(function.getArgumentTypes().back());
  return first && last && last.getElementType().isInteger() &&
         first.getRank() > 0 && first.getDimSize(0) == 1;
}

LogicalResult Arguments::verify() {
  size_t wanted = numInputs() + numCarried();
  size_t bounds = function.getNumArguments() > wanted + hasPosition() &&
                  takesCuSeqlens(function);
  if (function.getNumArguments() != wanted + hasPosition() + bounds)
    return emitError(function.getLoc(), "takes ")
           << function.getNumArguments() << " arguments, but a scan of @"
           << recurrence.getSymName() << " takes " << wanted;
  Sizes unused{};
  for (size_t index = 0; index < wanted; ++index) {
    int64_t rank = 0;
    forEachDim(index, unused, [&](int64_t &) { ++rank; });
    auto type = dyn_cast<RankedTensorType>(function.getArgumentTypes()[index]);
    if (!type || type.getRank() != rank)
      return emitError(function.getLoc(), "expected argument ")
             << index << " to be a tensor of rank " << rank
             << " for a scan of @" << recurrence.getSymName() << ", but got "
             << function.getArgumentTypes()[index];
  }
  return success();
}

template <typename F>
void Arguments::forEachDim(size_t index, Sizes &sizes, F f) {
  bool isMixed = sizes.mixedHeads && index % 2;
  bool isState = index >= numInputs();
  int64_t one = 1;
  if (isState)
    f(sizes.batch), f(hasPosition() ? sizes.levelHeads : sizes.valueHeads);
  else if (index < numTokens())
    f(isPacked() ? one : sizes.batch), f(sizes.tokens),
        f(isMixed || isLevels(index) ? sizes.valueHeads : sizes.heads);
  else
    f(sizes.valueHeads);
  auto args = recurrence.getBody().getArguments();
  Value arg = isState ? args[index - numInputs()] : args[numStates() + index];
  if (arg == recurrence.getLevels())
    f(sizes.levels);
  TokenDim dim = dims.lookup(arg);
  if (dim == TokenDim::HalfKey) {
    int64_t pairs = sizes.key / 2;
    f(pairs);
    sizes.key = 2 * pairs;
    return;
  }
  if (dim != TokenDim::Scalar && dim != TokenDim::Value)
    f(sizes.key);
  if (dim == TokenDim::State && isSquare(arg))
    f(sizes.key);
  else if (dim == TokenDim::Value || dim == TokenDim::State)
    f(sizes.value);
}

Sizes Arguments::specialize(Sizes sizes) {
  // Channels that are rotated come in pairs.
  for (auto &entry : dims)
    if (entry.second == TokenDim::HalfKey)
      sizes.key += sizes.key % 2;
  for (Type type : function.getArgumentTypes().take_front(numTokens()))
    sizes.mixedHeads &= cast<RankedTensorType>(type).isDynamicDim(2);
  for (size_t index = 0; index < numInputs() + numCarried(); ++index) {
    auto type = cast<RankedTensorType>(function.getArgumentTypes()[index]);
    size_t dim = 0;
    forEachDim(index, sizes, [&](int64_t &size) {
      if (!type.isDynamicDim(dim))
        size = type.getDimSize(dim);
      ++dim;
    });
  }
  if (sizes.levels) {
    sizes.tokens = std::min(
        sizes.tokens, int64_t(1) << std::min<int64_t>(sizes.levels - 1, 62));
  } else {
    // As few levels as the tokens need, and two more than that in a batch.
    sizes.levels = 2 * sizes.batch - 1;
    while (sizes.tokens > int64_t(1) << (sizes.levels - 2 * sizes.batch + 1))
      ++sizes.levels;
  }
  // Packed sequences are shorter than all of them.
  sizes.before =
      (int64_t(1) << std::min<int64_t>(sizes.levels - 1, 20)) - sizes.tokens;
  // Sequences may have different static numbers of heads.
  int64_t heads = std::max<int64_t>(sizes.heads, 1);
  for (size_t index = 0; index < numTokens(); ++index) {
    auto type = cast<RankedTensorType>(function.getArgumentTypes()[index]);
    if (!type.isDynamicDim(2) && type.getDimSize(2) > 0)
      heads = std::lcm(heads, type.getDimSize(2));
  }
  // The number of value heads is the states' to say, or that of levels.
  bool isFree = true;
  for (size_t index = 0; index < numInputs() + numCarried(); ++index) {
    auto type = cast<RankedTensorType>(function.getArgumentTypes()[index]);
    if (index >= numInputs() || isLevels(index))
      isFree &= type.isDynamicDim(isLevels(index) ? 2 : 1);
  }
  if (isFree)
    sizes.valueHeads = (sizes.valueHeads + heads - 1) / heads * heads;
  else if (sizes.heads == 0 || sizes.valueHeads % sizes.heads)
    sizes.heads = sizes.valueHeads;
  sizes.levelHeads = sizes.valueHeads * sizes.levels;
  return sizes;
}

std::vector<Tensor<Exact>> Arguments::draw(const Sizes &sizes, uint64_t seed,
                                           bool erase) {
  std::vector<Tensor<Exact>> inputs;
  Sizes copy = sizes;
  for (size_t index = 0; index < numInputs() + numCarried(); ++index) {
    auto type = cast<RankedTensorType>(function.getArgumentTypes()[index]);
    Tensor<Exact> input;
    forEachDim(index, copy, [&](int64_t &size) {
      size_t dim = input.shape.size();
      input.shape.push_back(type.isDynamicDim(dim) ? size
                                                   : type.getDimSize(dim));
    });
    int64_t count = *checkedSize(input.shape);
    input.data.reserve(count);
    for (int64_t i = 0; i < count; ++i) {
      Exact value = Exact::draw(seed, (uint64_t(index) << 48) + i);
      bool isErased = erase && isLogDecay(index) && value.rank() % 3 == 0;
      input.data.push_back(isErased ? Exact::minusInfinity() : value);
    }
    inputs.push_back(std::move(input));
  }
  if (!hasPosition())
    return inputs;
  // From none to as many tokens before as the levels hold.
  Tensor<Exact> position{{sizes.batch}, {}};
  for (int64_t b = 0; b < sizes.batch; ++b)
    position.data.push_back(
        Exact(sizes.before * b / std::max<int64_t>(sizes.batch - 1, 1)));
  inputs.push_back(std::move(position));
  return inputs;
}

/// The function's attribute `name`, or `otherwise`.
static int64_t integerAttr(func::FuncOp function, StringRef name,
                           int64_t otherwise) {
  auto attr = function->getAttrOfType<IntegerAttr>(name);
  return attr ? attr.getInt() : otherwise;
}

/// Sequence lengths that show every kind of chunk: none, partial, full, and a
/// full one in the middle.
static SmallVector<int64_t> lengthsFor(func::FuncOp function) {
  int64_t chunk = integerAttr(function, "qdelta.chunk", 4);
  int64_t span = integerAttr(function, "qdelta.span", 1);
  function.walk([&](Operation *op) {
    for (NamedAttribute attr : op->getAttrs())
      if (auto schedule = dyn_cast<ScheduleAttr>(attr.getValue())) {
        chunk = schedule.getChunk();
        span = schedule.getSpan();
      }
  });
  SmallVector<int64_t> lengths{0, 1, chunk + 1, 2 * chunk + 3};
  if (chunk * span + 1 > lengths.back())
    lengths.push_back(chunk * span + 1);
  return lengths;
}

/// Compares the results of both sides; the error names the first element that
/// differs.
/// `sizes` with sequences of all of `lengths` packed, where the function leaves
/// it free how many there are.
static Sizes pack(Arguments &arguments, Sizes sizes,
                  ArrayRef<int64_t> lengths) {
  sizes.batch = static_cast<int64_t>(lengths.size());
  sizes.tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t(0));
  sizes = arguments.specialize(sizes);
  sizes.cuSeqlens = {0};
  for (int64_t length : lengths)
    sizes.cuSeqlens.push_back(
        std::min(sizes.cuSeqlens.back() + length, sizes.tokens));
  sizes.cuSeqlens.resize(sizes.batch + 1, sizes.tokens);
  sizes.cuSeqlens.back() = sizes.tokens;
  return sizes;
}

static LogicalResult compareResults(func::FuncOp function,
                                    RecurrenceOp recurrence,
                                    ArrayRef<Tensor<Exact>> wanted,
                                    ArrayRef<Tensor<Exact>> found,
                                    const Sizes &sizes, uint64_t seed) {
  if (wanted.size() != found.size())
    return emitError(function.getLoc(), "returns ")
           << found.size() << " results, but a scan of @"
           << recurrence.getSymName() << " returns " << wanted.size();
  size_t numOutputs = wanted.size() - recurrence.getNumStates();
  for (size_t index = 0; index < wanted.size(); ++index) {
    const Tensor<Exact> &a = wanted[index], &b = found[index];
    bool isOutput = index < numOutputs;
    std::string name = (isOutput ? "output " : "final state ") +
                       std::to_string(isOutput ? index : index - numOutputs);
    if (a.shape != b.shape)
      return emitError(function.getLoc(), "expected ")
             << name << " to have shape " << spell(a.shape) << ", but got "
             << spell(b.shape);
    auto [first, other] =
        std::mismatch(a.data.begin(), a.data.end(), b.data.begin());
    if (first == a.data.end())
      continue;
    SmallVector<int64_t, 4> position = stridesOf(a.shape);
    int64_t rest = first - a.data.begin();
    for (int64_t &step : position)
      step = std::exchange(rest, rest % step) / step;
    InFlightDiagnostic diag = emitError(function.getLoc(), "derived form of @")
                              << function.getSymName()
                              << " differs from the recurrence at " << name
                              << " " << spell(position);
    if (other->isPoison())
      diag << ", which was never computed";
    diag.attachNote(recurrence.getLoc())
        << "the recurrence; B = " << sizes.batch << ", T = " << sizes.tokens
        << ", H = " << sizes.heads << ", HV = " << sizes.valueHeads
        << ", K = " << sizes.key << ", V = " << sizes.value
        << ", seed = " << seed;
    return diag;
  }
  return success();
}

/// Both sides at one random point.
static LogicalResult checkOnce(func::FuncOp function, RecurrenceOp recurrence,
                               Arguments &arguments, const Sizes &sizes,
                               uint64_t seed, bool erase) {
  std::vector<Tensor<Exact>> inputs = arguments.draw(sizes, seed, erase);
  auto wanted = evaluateRecurrence(recurrence, inputs, sizes.cuSeqlens);
  if (!wanted)
    return emitError(function.getLoc(), llvm::toString(wanted.takeError()));
  auto found = evaluate(function, inputs, sizes.cuSeqlens);
  if (!found)
    return emitError(function.getLoc(), llvm::toString(found.takeError()));
  return compareResults(function, recurrence, *wanted, *found, sizes, seed);
}

LogicalResult qdelta::checkDerivation(func::FuncOp function, uint64_t seed,
                                      unsigned draws, bool erase) {
  auto name = function->getAttrOfType<FlatSymbolRefAttr>(kRecurrenceAttr);
  auto recurrence =
      name ? SymbolTable::lookupNearestSymbolFrom<RecurrenceOp>(function, name)
           : RecurrenceOp();
  if (!recurrence)
    return emitError(function.getLoc(), "expected qdelta.recurrence to name a "
                                        "qdelta.recurrence of the module");
  if (recurrence->hasAttr(kSummaryOfAttr) &&
      failed(checkSummary(recurrence, seed)))
    return failure();
  Arguments arguments(function, recurrence);
  if (failed(arguments.verify()))
    return failure();
  constexpr int64_t kLargeState = 1024;
  SmallVector<Sizes> shapes{{1, 0, 1, 1, 1, 1},
                            {1, 0, 1, 2, 3, 2},
                            {2, 0, 2, 4, 4, 3},
                            {1, 0, 2, 4, 2, 2, /*mixedHeads=*/true}};
  SmallVector<SmallVector<int64_t>> cases;
  for (int64_t length : lengthsFor(function))
    cases.push_back({length});
  if (arguments.isPacked()) {
    SmallVector<int64_t> lengths = lengthsFor(function);
    lengths.append({0, 2, 0});
    cases = {{0, 0}, lengths};
  }
  for (ArrayRef<int64_t> lengths : cases) {
    for (Sizes sizes : shapes) {
      sizes.tokens = lengths[0];
      sizes = arguments.isPacked() ? pack(arguments, sizes, lengths)
                                   : arguments.specialize(sizes);
      for (unsigned draw = 0; draw < draws; ++draw)
        if (failed(checkOnce(function, recurrence, arguments, sizes,
                             seed + draw, erase)))
          return failure();
      // Larger shapes would only be more of the same, slowly.
      if (sizes.key * sizes.value >= kLargeState)
        break;
    }
  }
  return success();
}

namespace {
struct CheckDerivation : qdelta::impl::CheckDerivationBase<CheckDerivation> {
  using CheckDerivationBase::CheckDerivationBase;

  void runOnOperation() override {
    bool isEmpty = true, isRight = true;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (!function->hasAttr(kRecurrenceAttr))
        continue;
      isEmpty = false;
      isRight &= succeeded(checkDerivation(function, seed, draws, erase));
    }
    if (isEmpty)
      emitError(getOperation().getLoc(),
                "nothing to check: no function derived from a "
                "qdelta.recurrence");
    if (isEmpty || !isRight)
      signalPassFailure();
  }
};
} // namespace

void qdelta::registerReferencePasses() { registerQDeltaReferencePasses(); }

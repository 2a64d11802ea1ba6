//===- CheckSummary.cpp - summaries against what they are of --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "CheckSummary.h"

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"
#include "qdelta/Reference/Evaluate.h"
#include "qdelta/Reference/Exact.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

using Array = Tensor<Exact>;

namespace {
struct Sizes {
  int64_t batch, tokens, heads, valueHeads, keys, values;
};

class SummaryCheck {
public:
  SummaryCheck(RecurrenceOp summary, RecurrenceOp of, uint64_t seed)
      : summary(summary), of(of), seed(seed) {}

  LogicalResult run(int64_t tokens);

private:
  enum Kind { Whole, Compose, Apply, Advance };

  bool findKind();
  void setSizes(int64_t tokens);
  Array draw(RecurrenceOp recurrence, BlockArgument arg);
  Array zeros(int64_t rows, int64_t columns) const;
  Array identity() const;
  /// a b for each batch entry and head.
  Array multiply(const Array &a, const Array &b) const;
  /// a b + c.
  Array apply(const Array &a, const Array &b, const Array &c) const;
  /// A sequence of rows [B, K, HV, D] of matrices [B, HV, K, D], or back.
  static Array swap(const Array &array);
  FailureOr<std::vector<Array>> evaluate(RecurrenceOp recurrence,
                                         const std::vector<Array> &inputs);
  LogicalResult expectEqual(const Array &wanted, const Array &found,
                            const Twine &what);
  std::vector<Array> inputsOfSummary(ArrayRef<Array> states);
  LogicalResult checkStates();
  LogicalResult checkRows();

  RecurrenceOp summary, of;
  uint64_t seed;
  Kind kind = Whole;
  Sizes sizes{};
  uint64_t drawn = 0;
  /// What the summarised recurrence's run took, by argument.
  std::vector<Array> arguments;
};
} // namespace

static bool isMatrix(BlockArgument state) {
  auto type = dyn_cast<RankedTensorType>(state.getType());
  return type && type.getRank() == 2;
}

/// Which of the four it is, as its states and outputs say.
bool SummaryCheck::findKind() {
  auto matrices = llvm::count_if(summary.getStates(), isMatrix);
  bool hasSquare = llvm::any_of(summary.getStates(), [](BlockArgument state) {
    return isMatrix(state) && isSquare(state);
  });
  size_t outputs = summary.getYield().getOutputs().size();
  kind = outputs ? hasSquare ? Compose : Apply : hasSquare ? Whole : Advance;
  return llvm::count_if(of.getStates(), isMatrix) == 1 &&
         matrices == (hasSquare ? 2
                      : outputs ? 1
                                : 0) &&
         outputs == (kind == Compose ? 2
                     : kind == Apply ? 1
                                     : 0) &&
         (outputs == 0 || summary.getTokens().size() == 2);
}

void SummaryCheck::setSizes(int64_t tokens) {
  sizes = {2, tokens, 1, 2, 4, 3};
  auto dims = inferTokenDims(of.getBody().front());
  auto take = [](int64_t found, int64_t &size) {
    if (!ShapedType::isDynamic(found))
      size = found;
  };
  for (BlockArgument arg : of.getBody().getArguments()) {
    auto type = dyn_cast<RankedTensorType>(arg.getType());
    if (dims[arg] == TokenDim::State || dims[arg] == TokenDim::Key)
      take(type.getDimSize(0), sizes.keys);
    if (dims[arg] == TokenDim::State || dims[arg] == TokenDim::Value)
      take(type.getShape().back(), sizes.values);
  }
}

Array SummaryCheck::draw(RecurrenceOp recurrence, BlockArgument arg) {
  auto dims = inferTokenDims(recurrence.getBody().front());
  unsigned number = arg.getArgNumber();
  unsigned states = recurrence.getNumStates();
  Array array;
  if (number < states)
    array.shape = {sizes.batch, sizes.valueHeads};
  else if (number < states + recurrence.getNumTokens())
    array.shape = {sizes.batch, sizes.tokens,
                   number % 2 ? sizes.heads : sizes.valueHeads};
  else
    array.shape = {sizes.valueHeads};
  TokenDim dim = dims[arg];
  if (dim == TokenDim::Key || dim == TokenDim::State)
    array.shape.push_back(sizes.keys);
  if (dim == TokenDim::HalfKey)
    array.shape.push_back(sizes.keys / 2);
  if (dim == TokenDim::State)
    array.shape.push_back(isSquare(arg) ? sizes.keys : sizes.values);
  if (dim == TokenDim::Value)
    array.shape.push_back(sizes.values);
  int64_t count = 1;
  for (int64_t size : array.shape)
    count *= size;
  for (int64_t i = 0; i < count; ++i)
    array.data.push_back(Exact::draw(seed, drawn++));
  return array;
}

Array SummaryCheck::zeros(int64_t rows, int64_t columns) const {
  Array array{{sizes.batch, sizes.valueHeads, rows, columns}, {}};
  array.data.resize(sizes.batch * sizes.valueHeads * rows * columns);
  return array;
}

Array SummaryCheck::identity() const {
  Array array = zeros(sizes.keys, sizes.keys);
  int64_t square = sizes.keys * sizes.keys;
  for (int64_t i = 0; i < array.size(); ++i)
    if (i % square % (sizes.keys + 1) == 0)
      array.data[i] = Exact(1);
  return array;
}

Array SummaryCheck::multiply(const Array &a, const Array &b) const {
  int64_t rows = a.shape[2], inner = a.shape[3], columns = b.shape[3];
  Array result = zeros(rows, columns);
  for (int64_t i = 0; i < result.size(); ++i) {
    int64_t item = i / (rows * columns), row = i / columns % rows;
    int64_t column = i % columns;
    for (int64_t k = 0; k < inner; ++k)
      result.data[i] += a.data[(item * rows + row) * inner + k] *
                        b.data[(item * inner + k) * columns + column];
  }
  return result;
}

Array SummaryCheck::apply(const Array &a, const Array &b,
                          const Array &c) const {
  Array result = multiply(a, b);
  for (int64_t i = 0; i < result.size(); ++i)
    result.data[i] += c.data[i];
  return result;
}

Array SummaryCheck::swap(const Array &array) {
  Array result = array;
  std::swap(result.shape[1], result.shape[2]);
  int64_t first = array.shape[1], second = array.shape[2];
  int64_t columns = array.shape[3];
  for (int64_t i = 0; i < array.size(); ++i) {
    int64_t column = i % columns, row = i / columns;
    int64_t b = row / (first * second), x = row / second % first;
    int64_t y = row % second;
    result.data[((b * second + y) * first + x) * columns + column] =
        array.data[i];
  }
  return result;
}

FailureOr<std::vector<Array>>
SummaryCheck::evaluate(RecurrenceOp recurrence,
                       const std::vector<Array> &inputs) {
  auto results = evaluateRecurrence(recurrence, inputs);
  if (results)
    return std::move(*results);
  summary.emitError(llvm::toString(results.takeError()));
  return failure();
}

LogicalResult SummaryCheck::expectEqual(const Array &wanted, const Array &found,
                                        const Twine &what) {
  if (wanted.shape == found.shape && wanted.data == found.data)
    return success();
  InFlightDiagnostic diag = summary.emitError("is no summary of @")
                            << of.getSymName() << ": " << what << " differ";
  diag.attachNote(of.getLoc()) << "T = " << sizes.tokens << ", seed = " << seed;
  return diag;
}

/// The inputs of the summary that go by the names of the recurrence's own.
std::vector<Array> SummaryCheck::inputsOfSummary(ArrayRef<Array> states) {
  std::vector<Array> inputs;
  for (BlockArgument arg :
       summary.getBody().getArguments().drop_front(summary.getNumStates()))
    for (BlockArgument own : of.getBody().getArguments())
      if (of.getArgName(own.getArgNumber()) ==
          summary.getArgName(arg.getArgNumber()))
        inputs.push_back(arguments[own.getArgNumber()]);
  inputs.insert(inputs.end(), states.begin(), states.end());
  return inputs;
}

/// Of a summary, and of the states that are no matrices.
LogicalResult SummaryCheck::checkStates() {
  std::vector<Array> own;
  for (BlockArgument arg : of.getBody().getArguments())
    arguments.push_back(draw(of, arg));
  unsigned states = of.getNumStates();
  own.assign(arguments.begin() + states, arguments.end());
  own.insert(own.end(), arguments.begin(), arguments.begin() + states);
  auto wanted = evaluate(of, own);
  if (failed(wanted))
    return failure();
  wanted->erase(wanted->begin(), wanted->end() - states);

  // From the identity and zeros, and from another summary.
  std::vector<Array> fresh, carried;
  Array transition, offset;
  for (BlockArgument state : of.getStates()) {
    const Array &value = arguments[state.getArgNumber()];
    if (!isMatrix(state)) {
      fresh.push_back(value);
      carried.push_back(value);
    } else if (kind == Whole) {
      unsigned first = state.getArgNumber();
      fresh.push_back(identity());
      fresh.push_back(zeros(sizes.keys, sizes.values));
      transition = draw(summary, summary.getStates()[first]);
      offset = draw(summary, summary.getStates()[first + 1]);
      carried.push_back(transition);
      carried.push_back(offset);
    }
  }
  auto found = evaluate(summary, inputsOfSummary(fresh));
  auto longer = evaluate(summary, inputsOfSummary(carried));
  if (failed(found) || failed(longer))
    return failure();
  auto next = found->begin();
  for (BlockArgument state : of.getStates()) {
    unsigned number = state.getArgNumber();
    StringRef name = of.getArgName(number);
    if (!isMatrix(state)) {
      if (failed(expectEqual((*wanted)[number], *next++, "states " + name)))
        return failure();
      continue;
    }
    if (kind != Whole)
      continue;
    auto place = next - found->begin();
    const Array &p = *next++, &q = *next++;
    if (failed(expectEqual((*wanted)[number], apply(p, arguments[number], q),
                           "P " + name + " + Q and the final " + name)) ||
        failed(expectEqual(multiply(p, transition), (*longer)[place],
                           "the P of both parts and of the whole")) ||
        failed(expectEqual(apply(p, offset, q), (*longer)[place + 1],
                           "the Q of both parts and of the whole")))
      return failure();
  }
  return success();
}

/// Of what has rows for tokens.
LogicalResult SummaryCheck::checkRows() {
  sizes.tokens = sizes.keys;
  sizes.heads = sizes.valueHeads;
  Array p = draw(summary, summary.getTokens()[0]);
  Array q = draw(summary, summary.getTokens()[1]);
  std::vector<Array> inputs{p, q};
  for (BlockArgument state : summary.getStates())
    inputs.push_back(draw(summary, state));
  auto found = evaluate(summary, inputs);
  if (failed(found))
    return failure();
  Array later = swap(p);
  if (kind == Apply)
    return expectEqual(swap(apply(later, inputs[2], swap(q))), (*found)[0],
                       "rows of P S + Q and outputs");
  if (failed(expectEqual(swap(multiply(later, inputs[2])), (*found)[0],
                         "rows of P and outputs")))
    return failure();
  return expectEqual(swap(apply(later, inputs[3], swap(q))), (*found)[1],
                     "rows of Q and outputs");
}

LogicalResult SummaryCheck::run(int64_t tokens) {
  setSizes(tokens);
  if (!findKind())
    return summary.emitError("is no summary of @")
           << of.getSymName()
           << ": expected states P and Q, or rows of them as tokens";
  return kind == Whole || kind == Advance ? checkStates() : checkRows();
}

LogicalResult qdelta::checkSummary(RecurrenceOp summary, uint64_t seed) {
  auto name = summary->getAttrOfType<FlatSymbolRefAttr>(kSummaryOfAttr);
  auto of =
      name ? SymbolTable::lookupNearestSymbolFrom<RecurrenceOp>(summary, name)
           : RecurrenceOp();
  if (!of)
    return summary.emitError("expected qdelta.summary_of to name a "
                             "qdelta.recurrence of the module");
  for (int64_t tokens : {0, 1, 2, 5})
    if (failed(SummaryCheck(summary, of, seed).run(tokens)))
      return failure();
  return success();
}

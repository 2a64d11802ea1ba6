//===- PrescanToGpu.cpp - from prescans to programs of GPU threads --------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "../KernelFunction.h"
#include "../ListToGpu/Memory.h"
#include "PrescanValues.h"

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/IR/PrescanWindow.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace qdelta {
#define GEN_PASS_DEF_PRESCANTOGPU
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

namespace {
/// The tokens of a warp: from `begin` to `end`, and before them, from `start`
/// on, as many as the longest window needs. Without windows there is no
/// `start`.
struct Run {
  Rows rows;
  Num start, begin, end;
  /// Whether it is its sequence's last run.
  Num isLast;
};

/// The program of a thread, as it is written.
class ThreadProgram {
public:
  ThreadProgram(Emitter &e, PrescanOp op, const Widths &widths, const Run &run)
      : e(e), op(op), widths(widths), tensors(KernelTensors::get(op)), run(run),
        rows(run.rows), lane(e.special("tid.x")), known(e, widths, lane) {}

  LogicalResult emit();

private:
  struct Input {
    BlockArgument value;
    Rows::Start rows;
    SmallVector<Piece> pieces;
  };
  Input inputOf(BlockArgument value) {
    return {value, rows.startOf(value.getArgNumber()), piecesOf(value)};
  }
  SmallVector<Piece> piecesOf(Value value) {
    return widths.pieces(e, widths.widthOf(value), lane);
  }
  LogicalResult makeKnown();
  void findStateOps();
  Fragment loadStates();
  Fragment loadToken(ArrayRef<Input> inputs, Num token);
  void setToken(PrescanValues &values, ArrayRef<Input> inputs,
                ArrayRef<Num> words);
  void setStates(PrescanValues &values, ArrayRef<Num> states);
  Fragment nextStates(PrescanValues &values);
  FailureOr<Fragment> catchUp(Fragment states);
  FailureOr<Fragment> step(Num token, ArrayRef<Num> carried);
  void store(const Fragment &numbers, Value row, const Rows::Start &start,
             Value value);
  void storeStates(ArrayRef<Num> states);

  Emitter &e;
  PrescanOp op;
  const Widths &widths;
  KernelTensors tensors;
  Run run;
  Rows rows;
  Num lane;
  /// What no token changes.
  PrescanValues known;
  /// All token inputs that are read, and those that states need.
  SmallVector<Input> tokens, stateTokens;
  SmallVector<Rows::Start> outputs;
  llvm::DenseSet<Operation *> stateOps;
  size_t stateSize = 0;
};
} // namespace

/// Whether the entries of `value` matter to `user`, and not its dimension
/// alone.
static bool reads(OpOperand &use) {
  return !isa<SplatOp>(use.getOwner()) || use.getOperandNumber() == 0;
}

static bool dependsOnlyOn(Operation &op, const PrescanValues &known) {
  return llvm::all_of(op.getOpOperands(), [&](OpOperand &use) {
    return !reads(use) || known.isKnown(use.get());
  });
}

LogicalResult ThreadProgram::makeKnown() {
  auto args = op.getBody().getArguments();
  for (BlockArgument arg :
       args.slice(op.getTokens().size(), op.getParams().size())) {
    Input input = inputOf(arg);
    known.set(arg, rows.load(input.rows.base, input.rows, input.pieces));
  }
  for (Operation &inner : op.getBody().front().without_terminator())
    if (!isa<AdvanceOp>(inner) && dependsOnlyOn(inner, known) &&
        failed(known.make(inner)))
      return failure();
  return success();
}

/// What the states' new values need.
void ThreadProgram::findStateOps() {
  for (Operation &inner : llvm::reverse(op.getBody().front())) {
    auto isOfState = [&](Operation *user) { return stateOps.contains(user); };
    if (isa<AdvanceOp>(inner) || llvm::any_of(inner.getUsers(), isOfState))
      stateOps.insert(&inner);
  }
  for (BlockArgument arg :
       op.getBody().getArguments().take_front(op.getTokens().size())) {
    if (!llvm::any_of(arg.getUses(), reads))
      continue;
    tokens.push_back(inputOf(arg));
    if (llvm::any_of(arg.getUsers(),
                     [&](Operation *user) { return stateOps.contains(user); }))
      stateTokens.push_back(tokens.back());
  }
}

Fragment ThreadProgram::loadStates() {
  Fragment states;
  for (BlockArgument state : op.getStates()) {
    Input input = inputOf(state);
    states.append(rows.load(input.rows.base, input.rows, input.pieces));
  }
  return states;
}

Fragment ThreadProgram::loadToken(ArrayRef<Input> inputs, Num token) {
  Fragment words;
  for (const Input &input : inputs)
    words.append(
        rows.load(rows.row(input.rows, token), input.rows, input.pieces));
  return words;
}

void ThreadProgram::setToken(PrescanValues &values, ArrayRef<Input> inputs,
                             ArrayRef<Num> words) {
  for (const Input &input : inputs) {
    size_t count = Rows::countWords(input.rows, input.pieces);
    values.set(input.value, rows.unpack(words.take_front(count),
                                        input.rows.element, input.pieces));
    words = words.drop_front(count);
  }
}

void ThreadProgram::setStates(PrescanValues &values, ArrayRef<Num> states) {
  for (BlockArgument state : op.getStates()) {
    size_t count = widths.count(widths.widthOf(state));
    values.set(state, Fragment(states.take_front(count)));
    states = states.drop_front(count);
  }
}

Fragment ThreadProgram::nextStates(PrescanValues &values) {
  Fragment states;
  for (AdvanceOp advance : op.getAdvances())
    states.append(values.get(advance.getResult()));
  return states;
}

/// The states at the run's first token: a window holds nothing older than the
/// tokens from `start` on, unless they are the first of all.
FailureOr<Fragment> ThreadProgram::catchUp(Fragment states) {
  bool failed_ = false;
  Fragment next = e.loop(
      run.start, run.begin, 1, states, [&](Num token, ArrayRef<Num> carried) {
        PrescanValues values = known;
        setToken(values, stateTokens, loadToken(stateTokens, token));
        setStates(values, carried);
        for (Operation &inner : op.getBody().front())
          if (stateOps.contains(&inner) && !values.isKnown(inner.getResult(0)))
            failed_ |= failed(values.make(inner));
        return failed_ ? Fragment(carried) : nextStates(values);
      });
  if (failed_)
    return failure();
  return next;
}

void ThreadProgram::store(const Fragment &numbers, Value row,
                          const Rows::Start &start, Value value) {
  bool isVector = widths.widthOf(value) != 0;
  rows.store(numbers, row, start, piecesOf(value),
             isVector ? Num() : equals(lane, 0));
}

/// One token: from the states and its inputs to the states and the next ones.
FailureOr<Fragment> ThreadProgram::step(Num token, ArrayRef<Num> carried) {
  PrescanValues values = known;
  setStates(values, carried.take_front(stateSize));
  ArrayRef<Num> words = carried.drop_front(stateSize);
  Num next = token + 1;
  Fragment coming;
  if (!words.empty())
    coming = e.branch(
        next < run.end, [&] { return loadToken(tokens, next); },
        [&] { return Fragment(words); });
  setToken(values, tokens, words);
  Block &body = op.getBody().front();
  for (Operation &inner : body.without_terminator())
    if (!values.isKnown(inner.getResult(0)) && failed(values.make(inner)))
      return failure();
  for (auto [index, value] :
       llvm::enumerate(body.getTerminator()->getOperands()))
    store(values.get(value), rows.row(outputs[index], token), outputs[index],
          value);
  Fragment result = nextStates(values);
  result.append(coming);
  return result;
}

void ThreadProgram::storeStates(ArrayRef<Num> states) {
  for (auto [index, state] : llvm::enumerate(op.getStates())) {
    size_t count = widths.count(widths.widthOf(state));
    Rows::Start start = rows.startOf(tensors.firstFinal() + index);
    store(Fragment(states.take_front(count)), start.base, start, state);
    states = states.drop_front(count);
  }
}

LogicalResult ThreadProgram::emit() {
  if (failed(makeKnown()))
    return failure();
  findStateOps();
  for (unsigned i = 0; i < tensors.outputs; ++i)
    outputs.push_back(rows.startOf(tensors.inputs() + i));
  Fragment states;
  if (run.start) {
    states = e.branch(
        equals(run.start, 0), [&] { return loadStates(); },
        [&] {
          size_t count = 0;
          for (BlockArgument state : op.getStates())
            count += widths.count(widths.widthOf(state));
          return Fragment(count, e.f32(0));
        });
    FailureOr<Fragment> caughtUp = catchUp(states);
    if (failed(caughtUp))
      return failure();
    states = *caughtUp;
  } else {
    states = loadStates();
  }
  stateSize = states.size();
  Fragment carried = states;
  auto loadFirst = [&] { return loadToken(tokens, run.begin); };
  // Of packed sequences one may have no tokens, or fewer than its runs.
  carried.append(tensors.isPacked
                     ? e.branchOrZeros(run.begin < run.end, loadFirst)
                     : loadFirst());
  bool failed_ = false;
  carried = e.loop(run.begin, run.end, 1, carried,
                   [&](Num token, ArrayRef<Num> values) {
                     FailureOr<Fragment> next = step(token, values);
                     failed_ |= failed(next);
                     return failed(next) ? Fragment(values) : *next;
                   });
  if (failed_)
    return failure();
  e.b.setLoc(op.getLoc());
  ArrayRef<Num> last = ArrayRef<Num>(carried).take_front(stateSize);
  if (run.start)
    e.when(run.isLast, [&] { storeStates(last); });
  else
    storeStates(last);
  return success();
}

/// The longest window, if the prescan goes in runs. Where states are in place
/// one run would take what another has stored.
static std::optional<int64_t> windowOfRuns(PrescanOp op) {
  if (op.getInPlace() && !op.getInits().empty())
    return std::nullopt;
  return findWindow(op);
}

/// The run of this CTA; all tokens if there is no window. There are as many
/// runs of each packed sequence as all tokens would take.
static Run runOf(Emitter &e, PrescanOp op, Value params) {
  KernelTensors tensors = KernelTensors::get(op);
  Num cta = e.special("ctaid.x");
  std::optional<int64_t> window = windowOfRuns(op);
  if (!window) {
    Rows rows(e, tensors, params, cta);
    Num length = rows.length();
    return {rows, Num(), e.i32(0), length, Num()};
  }
  int64_t tokens = op.getSchedule()->getSpan();
  auto runsOf = [&](Num length) { return (length + (tokens - 1)) / tokens; };
  Num runs = runsOf(Rows::lengthOf(e, tensors, params));
  Rows rows(e, tensors, params, cta / runs);
  Num number = cta % runs, length = rows.length();
  Num begin = number * tokens, end = begin + tokens;
  end = e.select(end < length, end, length);
  if (tensors.isPacked) {
    begin = e.select(begin < length, begin, length);
    runs = e.select(equals(length, 0), e.i32(1), runsOf(length));
  }
  Num start;
  if (*window)
    start = e.select(begin < *window, e.i32(0), begin - *window);
  return {rows, start, begin, end, equals(runs - number, 1)};
}

static LogicalResult convert(func::FuncOp func, PrescanOp op) {
  Block &body = func.getBody().front();
  if (!llvm::hasNItems(body, 2) ||
      !llvm::equal(op.getOperands(), body.getArguments()) ||
      !llvm::equal(op.getResults(), body.getTerminator()->getOperands()))
    return op.emitError("expected a function that is nothing but the prescan, "
                        "over its own arguments in order");
  FailureOr<Widths> widths = Widths::get(op);
  if (failed(widths))
    return failure();
  func->setAttr("qdelta.schedule", op.getScheduleAttr());
  ScheduleAttr schedule = *op.getSchedule();
  KernelLaunch launch;
  launch.threads = launch.columns = schedule.getColumns();
  launch.tokens = windowOfRuns(op) ? schedule.getSpan() : 0;
  launch.replaced = KernelTensors::get(op).replaced();
  LLVM::LLVMFuncOp kernel = createKernelFunction(func, launch);
  Emitter e(op.getLoc(), func.getContext());
  e.b.setInsertionPointToStart(kernel.addEntryBlock(e.b));
  Value params = kernel.getArgument(0);
  Run run = runOf(e, op, params);
  if (failed(ThreadProgram(e, op, *widths, run).emit()))
    return failure();
  LLVM::ReturnOp::create(e.b, ValueRange());
  func.erase();
  return success();
}

namespace {
struct PrescanToGpuPass : qdelta::impl::PrescanToGpuBase<PrescanToGpuPass> {
  void runOnOperation() override {
    SmallVector<PrescanOp> prescans;
    getOperation().walk([&](PrescanOp op) {
      if (op.getSchedule() && op.getSchedule()->getKernel())
        prescans.push_back(op);
    });
    for (PrescanOp op : prescans)
      if (failed(convert(op->getParentOfType<func::FuncOp>(), op)))
        return signalPassFailure();
  }
};
} // namespace

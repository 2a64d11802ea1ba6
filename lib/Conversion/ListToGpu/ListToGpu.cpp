//===- ListToGpu.cpp - from lists to programs of GPU threads --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "../KernelFunction.h"
#include "ListValues.h"
#include "Memory.h"

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/IR/KernelOperands.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace qdelta {
#define GEN_PASS_DEF_LISTTOGPU
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

namespace {
/// The program of a thread, as it is written.
class ThreadProgram {
public:
  ThreadProgram(Emitter &e, AffineScanOp op, Value params)
      : e(e), op(op), layout(Layout::get(op)), memory(e, op, layout, params),
        place(e, layout), list(e, op, layout, place) {}

  LogicalResult emit();

private:
  struct Input {
    BlockArgument value;
    Memory::Start rows;
  };
  void addParameters();
  /// A scalar's row has one element.
  SmallVector<Piece> piecesOf(Value value) {
    if (isa<RankedTensorType>(value.getType()))
      return SmallVector<Piece>(list.piecesOf(value));
    return {{e.i32(0), Num(), 1}};
  }
  Fragment loadToken(Num token);
  Fragment loadFirstToken();
  void setToken(ArrayRef<Num> words);
  void storeOutput(const Fragment &values, unsigned index, Num token);
  FailureOr<Fragment> step(Num token, ArrayRef<Num> carried);

  Emitter &e;
  AffineScanOp op;
  Layout layout;
  Memory memory;
  Place place;
  ListValues list;
  SmallVector<Input> tokens;
  SmallVector<Memory::Start> outputs;
  /// Registers of the states, which come first of what a token hands on.
  size_t stateSize = 0;
};
} // namespace

void ThreadProgram::addParameters() {
  size_t first = op.getTokens().size();
  for (BlockArgument argument : op.getBody().getArguments().drop_front(first)) {
    Memory::Start rows = memory.startOf(argument.getArgNumber());
    list.set(argument, memory.load(rows.base, rows, piecesOf(argument)));
  }
}

Fragment ThreadProgram::loadToken(Num token) {
  Fragment words;
  for (Input &input : tokens)
    words.append(memory.load(memory.row(input.rows, token), input.rows,
                             piecesOf(input.value)));
  return words;
}

/// Nothing is launched for no tokens, but one of packed sequences may have
/// none.
Fragment ThreadProgram::loadFirstToken() {
  if (!op.getCuSeqlens())
    return loadToken(e.i32(0));
  return e.branchOrZeros(memory.length() >= 1,
                         [&] { return loadToken(e.i32(0)); });
}

void ThreadProgram::setToken(ArrayRef<Num> words) {
  for (Input &input : tokens) {
    SmallVector<Piece> pieces = piecesOf(input.value);
    size_t count = Memory::countWords(input.rows, pieces);
    list.set(input.value, memory.unpack(words.take_front(count),
                                        input.rows.element, pieces));
    words = words.drop_front(count);
  }
}

void ThreadProgram::storeOutput(const Fragment &values, unsigned index,
                                Num token) {
  const Memory::Start &rows = outputs[index];
  memory.store(values, memory.row(rows, token), rows, place.columns,
               place.isFirst);
}

/// One token: from the states and its inputs to the states and the next ones.
FailureOr<Fragment> ThreadProgram::step(Num token, ArrayRef<Num> carried) {
  SmallVector<Fragment> states;
  size_t each = stateSize / op.getInits().size();
  for (size_t i = 0; i < op.getInits().size(); ++i)
    states.emplace_back(carried.slice(i * each, each));
  ArrayRef<Num> words = carried.drop_front(stateSize);
  Num next = token + 1;
  Fragment coming = e.branch(
      next < memory.length(), [&] { return loadToken(next); },
      [&] { return Fragment(words); });
  setToken(words);
  unsigned output = 0;
  LogicalResult done = list.run(states, [&](const Fragment &values) {
    storeOutput(values, output++, token);
  });
  if (failed(done))
    return failure();
  Fragment result;
  for (Fragment &state : states)
    result.append(state);
  result.append(coming);
  return result;
}

LogicalResult ThreadProgram::emit() {
  KernelTensors tensors = KernelTensors::get(op);
  // The state is most of what is waited for, so it is asked for first.
  Fragment carried;
  for (unsigned i = 0; i < tensors.states; ++i)
    carried.append(tensors.transposed
                       ? memory.loadTransposed(tensors.firstInit() + i, place)
                       : memory.loadState(tensors.firstInit() + i, place));
  stateSize = carried.size();
  for (BlockArgument token :
       op.getBody().getArguments().take_front(op.getTokens().size()))
    tokens.push_back({token, memory.startOf(token.getArgNumber())});
  for (unsigned i = 0; i < tensors.outputs; ++i)
    outputs.push_back(memory.startOf(tensors.inputs() + i));
  carried.append(loadFirstToken());
  addParameters();
  if (failed(list.makeKnown()))
    return failure();
  bool failed_ = false;
  carried = e.loop(e.i32(0), memory.length(), 1, carried,
                   [&](Num token, ArrayRef<Num> values) {
                     FailureOr<Fragment> next = step(token, values);
                     failed_ |= failed(next);
                     return failed(next) ? Fragment(values) : *next;
                   });
  if (tensors.transposed)
    return failure(failed_);
  e.b.setLoc(op.getLoc());
  Place last(e, layout);
  ArrayRef<Num> states = carried;
  size_t each = stateSize / tensors.states;
  for (unsigned i = 0; i < tensors.states; ++i)
    memory.storeState(states.slice(i * each, each), tensors.firstFinal() + i,
                      last);
  return failure(failed_);
}

/// Fails with an error at what a kernel cannot do.
static LogicalResult check(func::FuncOp func, AffineScanOp op) {
  Block &body = func.getBody().front();
  KernelTensors tensors = KernelTensors::get(op);
  ResultRange results =
      tensors.transposed ? op.getOutputs() : ResultRange(op.getResults());
  bool isAlone = llvm::all_of(body.without_terminator(), [&](Operation &other) {
    return &other == op || isa<TransposeStateOp>(other);
  });
  if (!isAlone || !llvm::equal(kernelOperands(op), body.getArguments()) ||
      !llvm::equal(results, body.getTerminator()->getOperands()))
    return op.emitError("expected a function that is nothing but the list, "
                        "over its own arguments in order");
  Type state = op.getInits()[0].getType();
  for (Value other : op.getInits())
    if (cast<RankedTensorType>(other.getType()).getShape().take_back(2) !=
        cast<RankedTensorType>(state).getShape().take_back(2))
      return op.emitError("expected states of one shape, but got ")
             << state << " and " << other.getType();
  return success();
}

static LogicalResult convert(func::FuncOp func, AffineScanOp op) {
  if (failed(check(func, op)))
    return failure();
  func->setAttr("qdelta.schedule", op.getScheduleAttr());
  Layout layout = Layout::get(op);
  KernelLaunch launch;
  launch.threads = layout.threads();
  launch.columns = layout.columns;
  launch.blocks = layout.blocks();
  launch.replaced = KernelTensors::get(op).replaced();
  LLVM::LLVMFuncOp kernel = createKernelFunction(func, launch);
  Emitter e(op.getLoc(), func.getContext());
  e.b.setInsertionPointToStart(kernel.addEntryBlock(e.b));
  if (failed(ThreadProgram(e, op, kernel.getArgument(0)).emit()))
    return failure();
  LLVM::ReturnOp::create(e.b, ValueRange());
  func.erase();
  return success();
}

namespace {
struct ListToGpuPass : qdelta::impl::ListToGpuBase<ListToGpuPass> {
  void runOnOperation() override {
    SmallVector<AffineScanOp> lists;
    getOperation().walk([&](AffineScanOp op) {
      if (op.getSchedule() && op.getSchedule()->isTokenLoop())
        lists.push_back(op);
    });
    for (AffineScanOp op : lists)
      if (failed(convert(op->getParentOfType<func::FuncOp>(), op)))
        return signalPassFailure();
  }
};
} // namespace

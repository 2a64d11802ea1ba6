//===- ItemLoop.cpp - lists and prescans, head by head --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ItemLoop.h"
#include "ChunkLoops.h"
#include "LevelLoop.h"
#include "SpanStages.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qdelta;

namespace {
class ItemLoop {
public:
  explicit ItemLoop(ArrayRef<Operation *> ops)
      : ops(ops), b(ops.front()), loc(ops.front()->getLoc()) {}

  LogicalResult build();

private:
  /// The part of a result that an item makes.
  struct Slice {
    SmallVector<OpFoldResult> offsets, sizes, strides;
  };

  LogicalResult verify();
  void findSizes();
  void findSequence();
  SmallVector<OpResult> sharedResults();
  Value createEmpty(OpResult result);
  void createLoop(ArrayRef<OpResult> shared);
  Slice sliceOf(OpResult result);
  Value stateEntry(Operation *op, Value batch);
  void findNext(HeadContext &context);
  Value createOwn(OpResult result, Slice slice);
  Value takeSequence(Value tokens, OpFoldResult first);
  /// The batch entry and the head of each operand that the item reads.
  struct Places {
    SmallVector<Value> batches, heads;
  };
  Places takeOperands(Operation *op);
  SmallVector<Value> slicesOf(Operation *op);
  HeadContext contextOf(AffineScanOp list, const Places &places);
  LogicalResult createItem(Operation *op);
  bool isWindow(OpResult result, ArrayRef<Operation *> group);
  Value createWindow(OpResult result, int64_t tokens);
  SpanStage stageOf(PrescanOp op);
  SmallVector<ArrayRef<Operation *>> groups();
  LogicalResult createSpans(ArrayRef<Operation *> group);
  void transposeItem(TransposeStateOp op);
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value dim(Value tensor, int64_t index) {
    return tensor::DimOp::create(b, loc, tensor, index);
  }

  ArrayRef<Operation *> ops;
  OpBuilder b;
  Location loc;
  llvm::DenseMap<Operation *, ChunkList> lists;
  /// Of packed sequences: where they begin and end, or null.
  Value cuSeqlens;
  /// B, T and HV; of packed sequences N, and T of all of them.
  Value batches, total, valueHeads;
  scf::ForallOp forall;
  Value batch, head;
  /// The item's number of tokens and, if sequences are packed, its first one.
  Value length, firstToken;
  /// Of a kernel: the first column of the item's value block.
  Value firstColumn;
  OpFoldResult columns;
  /// Where shared results go, what the item has made of each result, and the
  /// windows of sequences that are never whole.
  llvm::DenseMap<Value, Value> destinations, made, windows;
  /// The entry of its states that the item works on, by result.
  llvm::DenseMap<Value, Value> stateEntries;
};

size_t numOutputs(Operation *op) {
  if (isa<TransposeStateOp>(op))
    return 0;
  if (auto list = dyn_cast<AffineScanOp>(op))
    return list.getOutputs().size();
  return cast<PrescanOp>(op).getOutputs().size();
}

bool isFinal(OpResult result) {
  return result.getResultNumber() >= numOutputs(result.getOwner());
}

/// The initial state that a result replaces, or null.
Value replacedBy(OpResult result) {
  Operation *op = result.getOwner();
  if (!isFinal(result) || isa<TransposeStateOp>(op))
    return {};
  size_t state = result.getResultNumber() - numOutputs(op);
  if (auto list = dyn_cast<AffineScanOp>(op))
    return list.getInPlace() ? list.getInits()[state] : Value();
  auto prescan = cast<PrescanOp>(op);
  return prescan.getInPlace() ? prescan.getInits()[state] : Value();
}

ScheduleAttr scheduleOf(Operation *op) {
  auto list = dyn_cast<AffineScanOp>(op);
  return (list ? list.getSchedule() : cast<PrescanOp>(op).getSchedule())
      .value_or(ScheduleAttr());
}

LogicalResult ItemLoop::verify() {
  for (Operation *op : ops) {
    if (isa<TransposeStateOp>(op))
      continue;
    if (!scheduleOf(op))
      return op->emitError(
          "has no schedule; run -qdelta-select-schedule first");
    if (auto list = dyn_cast<AffineScanOp>(op)) {
      FailureOr<ChunkList> read = ChunkList::get(list);
      if (failed(read))
        return failure();
      lists[op] = std::move(*read);
    }
    for (Type type : op->getOperandTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type);
          tensor && llvm::is_contained(tensor.getShape(), 0))
        return op->emitError("there is nothing to chunk in an operand that is "
                             "always empty: ")
               << type << "; a dynamic size may be 0 at run time";
    if (auto list = dyn_cast<AffineScanOp>(op);
        list && list.getInPlace() &&
        (scheduleOf(op).getFuse() || scheduleOf(op).getDefer() ||
         scheduleOf(op).getKernel()))
      return op->emitError("a state in place is stored as it is after every "
                           "token: expected a schedule without fuse, defer and "
                           "kernel");
    if (scheduleOf(op).getKernel() && ops.size() > 1)
      return op->emitError("a GPU kernel covers one list and nothing before or "
                           "after it, but this function has ")
             << ops.size();
  }
  return success();
}

/// The list or prescan that says what the items are: the first one, or a
/// transpose that stands alone.
Operation *leaderOf(ArrayRef<Operation *> ops) {
  for (Operation *op : ops)
    if (!isa<TransposeStateOp>(op))
      return op;
  return ops.front();
}

Value stateIndexOf(Operation *op) {
  if (auto transpose = dyn_cast<TransposeStateOp>(op))
    return transpose.getStateIndex();
  auto list = dyn_cast<AffineScanOp>(op);
  return list ? list.getStateIndex() : cast<PrescanOp>(op).getStateIndex();
}

Value cuSeqlensOf(Operation *op) {
  if (isa<TransposeStateOp>(op))
    return {};
  auto list = dyn_cast<AffineScanOp>(op);
  return list ? list.getCuSeqlens() : cast<PrescanOp>(op).getCuSeqlens();
}

void ItemLoop::findSizes() {
  Operation *leader = leaderOf(ops);
  cuSeqlens = cuSeqlensOf(leader);
  if (auto transpose = dyn_cast<TransposeStateOp>(leader)) {
    Value index_ = transpose.getStateIndex();
    batches = dim(index_ ? index_ : transpose.getState(), 0);
    total = index(0);
    valueHeads = dim(transpose.getState(), 1);
    return;
  }
  if (auto list = dyn_cast<AffineScanOp>(leader)) {
    Value init = list.getInits()[0], tokens = list.getTokens()[0];
    total = dim(tokens, 1);
    if (list.getLevels()) {
      Value like = fenwickOf(list).getLike();
      batches = dim(like, 0), valueHeads = dim(like, 2);
      return;
    }
    // An item's own copy of a state has its transpose's sizes.
    if (auto transpose = init.getDefiningOp<TransposeStateOp>())
      init = transpose.getState();
    // Of an index's pool of states any number are at work.
    batches =
        dim(stateIndexOf(list) || stateIndexOf(ops.front()) ? tokens : init, 0);
    valueHeads = dim(init, 1);
    return;
  }
  auto prescan = cast<PrescanOp>(leader);
  Value sequence = prescan.getTokens()[0];
  batches = cuSeqlens
                ? arith::SubIOp::create(b, loc, dim(cuSeqlens, 0), index(1))
                : dim(sequence, 0);
  total = dim(sequence, 1);
  valueHeads = prescan.getHeads();
}

void ItemLoop::findSequence() {
  length = total;
  if (!cuSeqlens)
    return;
  auto bound = [&](Value at) -> Value {
    Value found = tensor::ExtractOp::create(b, loc, cuSeqlens, at);
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), found);
  };
  firstToken = bound(batch);
  Value end = bound(arith::AddIOp::create(b, loc, batch, index(1)));
  length = arith::SubIOp::create(b, loc, end, firstToken);
}

/// The results that are used by more than the items, or have memory already.
SmallVector<OpResult> ItemLoop::sharedResults() {
  SmallVector<OpResult> shared;
  for (Operation *op : ops)
    for (OpResult result : op->getResults())
      if (replacedBy(result) ||
          llvm::any_of(result.getUsers(), [&](Operation *user) {
            return !llvm::is_contained(ops, user);
          }))
        shared.push_back(result);
  return shared;
}

Value ItemLoop::createEmpty(OpResult result) {
  if (Value state = replacedBy(result))
    return state;
  auto type = cast<RankedTensorType>(result.getType());
  SmallVector<OpFoldResult> shape{batches};
  if (cuSeqlens && !isFinal(result))
    shape[0] = b.getIndexAttr(1);
  if (!isFinal(result))
    shape.push_back(total);
  shape.push_back(valueHeads);
  for (int64_t size : type.getShape().drop_front(shape.size()))
    shape.push_back(b.getIndexAttr(size));
  for (auto [size, known] : llvm::zip(shape, type.getShape()))
    if (!ShapedType::isDynamic(known))
      size = b.getIndexAttr(known);
  return tensor::EmptyOp::create(b, loc, shape, type.getElementType());
}

/// Each item works on its own slices of the results. Value blocks of a kernel
/// are items of their own.
void ItemLoop::createLoop(ArrayRef<OpResult> shared) {
  SmallVector<Value> empties;
  for (OpResult result : shared)
    empties.push_back(createEmpty(result));
  SmallVector<OpFoldResult> bounds{batches, valueHeads};
  auto list = dyn_cast<AffineScanOp>(leaderOf(ops));
  bool kernel = list && scheduleOf(list).getKernel();
  int64_t values = 0, width = 0;
  if (kernel) {
    values = cast<RankedTensorType>(list.getInits()[0].getType()).getDimSize(3);
    width = std::min(values, scheduleOf(list).getColumns());
    bounds.push_back(b.getIndexAttr(llvm::divideCeil(values, width)));
  }
  forall = scf::ForallOp::create(b, loc, bounds, empties, std::nullopt);
  b.setInsertionPoint(forall.getTerminator());
  batch = forall.getInductionVar(0), head = forall.getInductionVar(1);
  for (auto [result, arg] : llvm::zip(shared, forall.getRegionIterArgs()))
    destinations[result] = arg;
  findSequence();
  if (!kernel)
    return;
  Value block = forall.getInductionVar(2);
  Value step = arith::ConstantIndexOp::create(b, loc, width);
  firstColumn = arith::MulIOp::create(b, loc, block, step);
  columns = b.getIndexAttr(width);
  if (values % width) {
    Value all = arith::ConstantIndexOp::create(b, loc, values);
    Value left = arith::SubIOp::create(b, loc, all, firstColumn);
    columns = arith::MinUIOp::create(b, loc, left, step).getResult();
  }
}

/// Which entry of its states `op` works on for a batch entry.
Value ItemLoop::stateEntry(Operation *op, Value batch) {
  Value index = stateIndexOf(op);
  if (!index)
    return batch;
  Value entry = tensor::ExtractOp::create(b, loc, index, batch);
  return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), entry);
}

/// The item after this one; the last one's is of the last batch entry again.
void ItemLoop::findNext(HeadContext &context) {
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value following = arith::AddIOp::create(b, loc, head, one);
  Value wraps = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge,
                                      following, valueHeads);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  context.nextHead = arith::SelectOp::create(b, loc, wraps, zero, following);
  Value last = arith::SubIOp::create(b, loc, batches, one);
  Value next = arith::MinUIOp::create(
      b, loc, arith::AddIOp::create(b, loc, batch, one), last);
  next = arith::SelectOp::create(b, loc, wraps, next, batch);
  context.nextBatch = stateEntry(context.op, next);
}

ItemLoop::Slice ItemLoop::sliceOf(OpResult result) {
  auto type = cast<RankedTensorType>(result.getType());
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  Slice slice;
  slice.offsets = {batch, head}, slice.sizes = {one, one};
  if (replacedBy(result))
    slice.offsets[0] = stateEntries.lookup(result);
  if (!isFinal(result))
    slice.offsets = {batch, zero, head}, slice.sizes = {one, length, one};
  if (!isFinal(result) && cuSeqlens)
    slice.offsets = {zero, firstToken, head};
  for (int64_t size : type.getShape().drop_front(slice.sizes.size())) {
    slice.offsets.push_back(zero);
    slice.sizes.push_back(b.getIndexAttr(size));
  }
  if (firstColumn)
    slice.offsets.back() = firstColumn, slice.sizes.back() = columns;
  slice.strides.assign(slice.sizes.size(), one);
  return slice;
}

/// Memory for a sequence that the item makes for itself. Its size does not
/// depend on the item, so that one allocation does for all of them.
Value ItemLoop::createOwn(OpResult result, Slice slice) {
  if (!isFinal(result))
    slice.sizes[1] = total;
  Type element = cast<RankedTensorType>(result.getType()).getElementType();
  return tensor::EmptyOp::create(b, loc, slice.sizes, element);
}

/// The item's tokens of a sequence that holds more, from `first` on.
Value ItemLoop::takeSequence(Value tokens, OpFoldResult first) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tokens);
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  offsets[1] = first, sizes[1] = length;
  return tensor::ExtractSliceOp::create(b, loc, tokens, offsets, sizes,
                                        strides);
}

/// The item's own transposed copy of a state, [1, 1, V, K], row by row. A state
/// in place is read where its list works on it, before it does.
void ItemLoop::transposeItem(TransposeStateOp op) {
  OpResult result = cast<OpResult>(op.getResult());
  Value source = op.getState();
  for (Operation *other : ops)
    for (OpResult final : other->getResults())
      if (replacedBy(final) == source)
        source = destinations.lookup(final);
  Slice slice = sliceOf(result);
  Value whole = destinations.lookup(result);
  Value copy =
      whole ? tensor::ExtractSliceOp::create(b, loc, whole, slice.offsets,
                                             slice.sizes, slice.strides)
            : createOwn(result, slice);
  auto type = cast<RankedTensorType>(op.getState().getType());
  Value entry = stateEntry(op, batch), zero = index(0), one = index(1);
  auto overKeys = scf::ForOp::create(
      b, loc, zero, index(type.getDimSize(2)), one, copy,
      [&](OpBuilder &, Location, Value k, ValueRange outer) {
        auto overValues = scf::ForOp::create(
            b, loc, zero, index(type.getDimSize(3)), one, outer,
            [&](OpBuilder &, Location, Value v, ValueRange inner) {
              Value element = tensor::ExtractOp::create(
                  b, loc, source, ValueRange{entry, head, k, v});
              Value next = tensor::InsertOp::create(
                  b, loc, element, inner[0], ValueRange{zero, zero, v, k});
              scf::YieldOp::create(b, loc, next);
            });
        scf::YieldOp::create(b, loc, overValues.getResults());
      });
  made[result] = overKeys.getResult(0);
}

/// Takes the item's part of what `op` reads. A sequence or a state that the
/// item made itself has one batch entry and one head.
ItemLoop::Places ItemLoop::takeOperands(Operation *op) {
  auto list = dyn_cast<AffineScanOp>(op);
  auto prescan = dyn_cast<PrescanOp>(op);
  OperandRange tokens = list ? list.getTokens() : prescan.getTokens();
  OperandRange params = list ? list.getParams() : prescan.getParams();
  Places places;
  for (OpOperand &operand : op->getOpOperands().slice(
           tokens.getBeginOperandIndex(), tokens.size())) {
    Operation *def = operand.get().getDefiningOp();
    Value own = made.lookup(operand.get());
    if (own || isa_and_nonnull<FenwickOp>(def) ||
        windows.contains(operand.get())) {
      bool isLonger = own && cuSeqlens && !destinations.contains(operand.get());
      if (own)
        operand.set(isLonger ? takeSequence(own, b.getIndexAttr(0)) : own);
      places.batches.push_back(index(0));
      places.heads.push_back(places.batches.back());
      continue;
    }
    Value ratio =
        arith::DivUIOp::create(b, loc, valueHeads, dim(operand.get(), 2));
    places.heads.push_back(arith::DivUIOp::create(b, loc, head, ratio));
    places.batches.push_back(cuSeqlens ? index(0) : batch);
    if (cuSeqlens)
      operand.set(takeSequence(operand.get(), firstToken));
  }
  places.heads.append(params.size(), head);
  places.batches.append(params.size(), batch);
  return places;
}

/// Where the item's part of each result goes.
SmallVector<Value> ItemLoop::slicesOf(Operation *op) {
  SmallVector<Value> slices;
  Value entry;
  for (OpResult result : op->getResults()) {
    if (Value window = windows.lookup(result)) {
      slices.push_back(window);
      continue;
    }
    if (replacedBy(result)) {
      entry = entry ? entry : stateEntry(op, batch);
      stateEntries[result] = entry;
    }
    Slice slice = sliceOf(result);
    if (Value whole = destinations.lookup(result))
      slices.push_back(tensor::ExtractSliceOp::create(
          b, loc, whole, slice.offsets, slice.sizes, slice.strides));
    else
      slices.push_back(createOwn(result, slice));
  }
  return slices;
}

HeadContext ItemLoop::contextOf(AffineScanOp list, const Places &places) {
  HeadContext context{list,           lists[list],  batch,  head,
                      places.batches, places.heads, length, {},
                      Value(),        Value(),      Value()};
  for (OpOperand &init : list.getInitsMutable())
    if (Value own = made.lookup(init.get())) {
      init.set(own);
      context.batch = context.head = index(0);
    }
  if (list.getInPlace() && scheduleOf(list).getPrefetch()) {
    for (OpResult final : list.getFinals())
      context.states.push_back(destinations.lookup(final));
    findNext(context);
  }
  return context;
}

/// One op for the item, over all of its tokens.
LogicalResult ItemLoop::createItem(Operation *op) {
  if (auto transpose = dyn_cast<TransposeStateOp>(op)) {
    transposeItem(transpose);
    return success();
  }
  Places places = takeOperands(op);
  SmallVector<Value> slices = slicesOf(op);
  LogicalResult created = failure();
  if (auto prescan = dyn_cast<PrescanOp>(op)) {
    PrescanItem item{prescan, batch, head, places.batches, places.heads};
    size_t outputs = prescan.getOutputs().size();
    PrescanRange range{index(0), length,
                       SmallVector<Value>(prescan.getTokens().size()),
                       SmallVector<Value>(outputs)};
    auto finals = MutableArrayRef(slices).drop_front(outputs);
    SmallVector<Value> carried = loadPrescanStates(b, item, finals);
    carried.append(slices.begin(), slices.begin() + outputs);
    created = createPrescan(b, item, range, carried);
    storePrescanStates(b, item, ArrayRef(carried).drop_back(outputs), finals);
    llvm::copy(ArrayRef(carried).take_back(outputs), slices.begin());
  } else {
    auto list = cast<AffineScanOp>(op);
    HeadContext context = contextOf(list, places);
    created = firstColumn ? createKernel(b, loc, context, firstColumn, slices)
              : list.getLevels() ? createLevels(b, loc, context, total, slices)
                                 : createHead(b, loc, context, slices);
  }
  for (auto [result, slice] : llvm::zip(op->getResults(), slices))
    made[result] = slice;
  return created;
}

/// Whether only the ops of `group` use a sequence that one of them makes.
bool ItemLoop::isWindow(OpResult result, ArrayRef<Operation *> group) {
  return !isFinal(result) && !destinations.contains(result) &&
         llvm::all_of(result.getUsers(), [&](Operation *user) {
           return llvm::is_contained(group, user);
         });
}

Value ItemLoop::createWindow(OpResult result, int64_t tokens) {
  auto type = cast<RankedTensorType>(result.getType());
  SmallVector<int64_t> shape{1, tokens, 1};
  llvm::append_range(shape, type.getShape().drop_front(3));
  return tensor::EmptyOp::create(b, loc, shape, type.getElementType());
}

SpanStage ItemLoop::stageOf(PrescanOp op) {
  Places places = takeOperands(op);
  SmallVector<Value> slices = slicesOf(op);
  SpanStage stage;
  stage.item = {op, batch, head, places.batches, places.heads};
  size_t outputs = op.getOutputs().size();
  stage.finals.assign(slices.begin() + outputs, slices.end());
  stage.carried = loadPrescanStates(b, stage.item, stage.finals);
  for (size_t i = 0; i < outputs; ++i)
    stage.carried.push_back(windows.contains(op.getOutputs()[i]) ? Value()
                                                                 : slices[i]);
  return stage;
}

/// A list and the prescans around it, span by span.
LogicalResult ItemLoop::createSpans(ArrayRef<Operation *> group) {
  SpanStages stages;
  for (Operation *op : group)
    if (auto list = dyn_cast<AffineScanOp>(op))
      stages.list = list;
  ScheduleAttr schedule = scheduleOf(stages.list);
  stages.span = schedule.getSpan() * schedule.getChunk();
  stages.ahead = schedule.getFuse() ? schedule.getChunk() : 0;
  stages.length = length;
  for (Operation *op : group)
    for (OpResult result : op->getResults())
      if (isWindow(result, group)) {
        windows[result] = createWindow(result, stages.windowTokens());
        stages.windows[result] = windows[result];
      }
  auto *at = llvm::find(group, stages.list.getOperation());
  for (Operation *op : ArrayRef(group.begin(), at))
    stages.before.push_back(stageOf(cast<PrescanOp>(op)));
  Places places = takeOperands(stages.list);
  SmallVector<Value> slices = slicesOf(stages.list);
  for (Operation *op : ArrayRef(at + 1, group.end()))
    stages.after.push_back(stageOf(cast<PrescanOp>(op)));
  HeadContext context = contextOf(stages.list, places);
  context.stages = &stages;
  if (failed(createHead(b, loc, context, slices)))
    return failure();
  for (auto [result, slice] : llvm::zip(stages.list->getResults(), slices))
    made[result] = slice;
  for (const auto *ofSide : {&stages.before, &stages.after})
    for (const SpanStage &stage : *ofSide) {
      PrescanOp op = stage.item.op;
      for (auto [final, value] : llvm::zip(op.getFinals(), stage.finals))
        made[final] = value;
      for (auto [output, value] :
           llvm::zip(op.getOutputs(),
                     ArrayRef(stage.carried).drop_front(op.getInits().size())))
        made[output] = value;
    }
  return success();
}

/// A list and the prescans around it are one group if what they make for one
/// another is never needed whole; else each op is a group of its own.
SmallVector<ArrayRef<Operation *>> ItemLoop::groups() {
  auto goesBySpans = [&](Operation *op) {
    auto list = dyn_cast<AffineScanOp>(op);
    if (list && (list.getInPlace() || list.getLevels() ||
                 !scheduleOf(list).getUnroll()))
      return false;
    return isa<AffineScanOp, PrescanOp>(op) &&
           llvm::all_of(op->getResults(), [&](OpResult result) {
             bool isShared =
                 llvm::any_of(result.getUsers(), [&](Operation *user) {
                   return llvm::is_contained(ops, user);
                 });
             return !isShared || isWindow(result, ops);
           });
  };
  size_t lists =
      llvm::count_if(ops, [](Operation *op) { return isa<AffineScanOp>(op); });
  if (lists == 1 && ops.size() > 1 && llvm::all_of(ops, goesBySpans))
    return {ops};
  SmallVector<ArrayRef<Operation *>> single;
  for (size_t i = 0; i < ops.size(); ++i)
    single.push_back(ops.slice(i, 1));
  return single;
}

LogicalResult ItemLoop::build() {
  if (failed(verify()))
    return failure();
  SmallVector<Operation *> ofLevels = definitionsOfLevels(ops);
  findSizes();
  SmallVector<OpResult> shared = sharedResults();
  createLoop(shared);
  for (ArrayRef<Operation *> group : groups())
    if (failed(group.size() == 1 ? createItem(group.front())
                                 : createSpans(group)))
      return failure();
  SmallVector<Slice> places;
  for (OpResult result : shared)
    places.push_back(sliceOf(result));
  b.setInsertionPointToStart(forall.getTerminator().getBody());
  for (auto [result, place] : llvm::zip(shared, places))
    tensor::ParallelInsertSliceOp::create(b, loc, made[result],
                                          destinations[result], place.offsets,
                                          place.sizes, place.strides);

  if (auto func = ops.front()->getParentOfType<func::FuncOp>())
    for (Operation *op : ops)
      if (isa<AffineScanOp>(op) ||
          (isa<PrescanOp>(op) && !func->hasAttr("qdelta.schedule")))
        func->setAttr("qdelta.schedule", scheduleOf(op));
  for (auto [result, whole] : llvm::zip(shared, forall.getResults()))
    result.replaceAllUsesWith(whole);
  for (Operation *op : llvm::reverse(ops))
    op->erase();
  for (Operation *op : ofLevels)
    if (op->use_empty())
      op->erase();
  return success();
}
} // namespace

LogicalResult qdelta::createItemLoop(ArrayRef<Operation *> ops) {
  return ItemLoop(ops).build();
}

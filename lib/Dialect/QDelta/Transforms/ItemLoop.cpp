//===- ItemLoop.cpp - lists and prescans, head by head --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ItemLoop.h"
#include "ChunkLoops.h"
#include "ItemLoopBuilder.h"
#include "LevelLoop.h"
#include "TokenSlices.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace qdelta;

size_t qdelta::numOutputs(Operation *op) {
  if (isa<TransposeStateOp>(op))
    return 0;
  if (auto list = dyn_cast<AffineScanOp>(op))
    return list.getOutputs().size();
  return cast<PrescanOp>(op).getOutputs().size();
}

MutableOperandRange qdelta::initsOf(Operation *op) {
  auto list = dyn_cast<AffineScanOp>(op);
  return list ? list.getInitsMutable() : cast<PrescanOp>(op).getInitsMutable();
}

bool qdelta::isFinal(OpResult result) {
  return result.getResultNumber() >= numOutputs(result.getOwner());
}

/// The initial state that a result replaces, or null.
static Value replacedBy(OpResult result) {
  Operation *op = result.getOwner();
  if (!isFinal(result) || isa<TransposeStateOp>(op))
    return {};
  size_t state = result.getResultNumber() - numOutputs(op);
  if (auto list = dyn_cast<AffineScanOp>(op))
    return list.getInPlace() ? list.getInits()[state] : Value();
  auto prescan = cast<PrescanOp>(op);
  return prescan.getInPlace() ? prescan.getInits()[state] : Value();
}

/// Whether a result has a state for each level of each head.
static bool isOfLevels(OpResult result) {
  auto list = dyn_cast<AffineScanOp>(result.getOwner());
  return list && list.getLevels() && isFinal(result);
}

ScheduleAttr qdelta::scheduleOf(Operation *op) {
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
static Operation *leaderOf(ArrayRef<Operation *> ops) {
  for (Operation *op : ops)
    if (!isa<TransposeStateOp>(op))
      return op;
  return ops.front();
}

static Value stateIndexOf(Operation *op) {
  if (auto transpose = dyn_cast<TransposeStateOp>(op))
    return transpose.getStateIndex();
  auto list = dyn_cast<AffineScanOp>(op);
  return list ? list.getStateIndex() : cast<PrescanOp>(op).getStateIndex();
}

static Value cuSeqlensOf(Operation *op) {
  if (isa<TransposeStateOp>(op))
    return {};
  auto list = dyn_cast<AffineScanOp>(op);
  return list ? list.getCuSeqlens() : cast<PrescanOp>(op).getCuSeqlens();
}

void ItemLoop::findSizes() {
  for (Operation *op : ops)
    if (auto list = dyn_cast<AffineScanOp>(op); list && list.getLevels())
      levels = dim(fenwickOf(list).getLike(), 3);
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
      FenwickOp fenwick = fenwickOf(list);
      batches = dim(fenwick.getPosition(), 0);
      valueHeads = dim(fenwick.getLike(), 2);
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
  shape.push_back(isOfLevels(result)
                      ? arith::MulIOp::create(b, loc, valueHeads, levels)
                      : valueHeads);
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
  if (isOfLevels(result)) {
    slice.offsets[1] = arith::MulIOp::create(b, loc, head, levels).getResult();
    slice.sizes[1] = levels;
  }
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
  return takeTokens(b, loc, tokens, first, length);
}

/// Of a state [1, 1, K, V] its transpose.
Value ItemLoop::transpose(Value state) {
  auto type = cast<RankedTensorType>(state.getType());
  int64_t shape[] = {1, 1, type.getDimSize(3), type.getDimSize(2)};
  return TransposeStateOp::create(b, loc, type.clone(shape), state, Value());
}

/// The item's own transposed copy of a state, [1, 1, V, K]. A state in place is
/// read where its list works on it, before it does.
void ItemLoop::transposeItem(TransposeStateOp op) {
  Value source = op.getState();
  for (Operation *other : ops)
    for (OpResult final : other->getResults())
      if (replacedBy(final) == source)
        source = destinations.lookup(final);
  auto type = cast<RankedTensorType>(source.getType());
  int64_t shape[] = {1, 1, type.getDimSize(2), type.getDimSize(3)};
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  SmallVector<OpFoldResult> sizes{one, one, b.getIndexAttr(shape[2]),
                                  b.getIndexAttr(shape[3])};
  SmallVector<OpFoldResult> at{stateEntry(op, batch), head, zero, zero},
      ones(4, one);
  made[op.getResult()] = transpose(tensor::ExtractSliceOp::create(
      b, loc, type.clone(shape), source, at, sizes, ones));
}

/// Makes the op's sequences those of the item, or of a span of it.
ItemLoop::Places ItemLoop::takeOperands(Operation *op) {
  auto list = dyn_cast<AffineScanOp>(op);
  auto prescan = dyn_cast<PrescanOp>(op);
  OperandRange tokens = list ? list.getTokens() : prescan.getTokens();
  OperandRange params = list ? list.getParams() : prescan.getParams();
  Value first = firstToken;
  if (firstOfSpan)
    first = firstToken ? arith::AddIOp::create(b, loc, firstToken, firstOfSpan)
                       : firstOfSpan;
  Places places{{}, {}, batch, head};
  for (OpOperand &operand : op->getOpOperands().slice(
           tokens.getBeginOperandIndex(), tokens.size())) {
    if (operand.get().getDefiningOp<FenwickOp>() ||
        (stages && stages->isWindow(operand.get()))) {
      places.batches.push_back(index(0)); // the item's own
      places.heads.push_back(places.batches.back());
      continue;
    }
    if (Value own = made.lookup(operand.get())) {
      bool isLonger = cuSeqlens && !destinations.contains(operand.get());
      OpFoldResult start = b.getIndexAttr(0);
      if (firstOfSpan) {
        isLonger = !ofSpan.contains(operand.get());
        start = firstOfSpan;
      }
      operand.set(isLonger ? takeSequence(own, start) : own);
      places.batches.push_back(index(0));
      places.heads.push_back(places.batches.back());
      continue;
    }
    Value ratio =
        arith::DivUIOp::create(b, loc, valueHeads, dim(operand.get(), 2));
    places.heads.push_back(arith::DivUIOp::create(b, loc, head, ratio));
    places.batches.push_back(cuSeqlens ? index(0) : batch);
    if (first)
      operand.set(takeSequence(operand.get(), first));
  }
  places.heads.append(params.size(), head);
  places.batches.append(params.size(), batch);
  return places;
}

/// The memory of a result: the item's slice of what is shared, or its own.
Value ItemLoop::memoryOf(OpResult result) {
  Slice slice = sliceOf(result);
  Value whole = destinations.lookup(result);
  return whole ? tensor::ExtractSliceOp::create(b, loc, whole, slice.offsets,
                                                slice.sizes, slice.strides)
               : createOwn(result, slice);
}

SmallVector<Value> ItemLoop::slicesOf(Operation *op) {
  SmallVector<Value> slices;
  Value entry;
  for (OpResult result : op->getResults()) {
    if (Value window = stages ? stages->windows.lookup(result) : Value()) {
      slices.push_back(window);
      continue;
    }
    if (replacedBy(result)) {
      entry = entry ? entry : stateEntry(op, batch);
      stateEntries[result] = entry;
    }
    slices.push_back(memoryOf(result));
  }
  return slices;
}

/// A state that is the item's own has one batch entry and one head.
void ItemLoop::setState(OpOperand &init, Value own, Places &places) {
  init.set(own);
  places.batch = places.head = index(0);
}

HeadContext ItemLoop::contextOf(AffineScanOp list, const Places &places) {
  HeadContext context{list,           lists[list],  places.batch, places.head,
                      places.batches, places.heads, length,       {},
                      Value(),        Value(),      Value()};
  if (!list.getInPlace() || !scheduleOf(list).getPrefetch())
    return context;
  for (OpResult final : list.getFinals())
    context.states.push_back(destinations.lookup(final));
  findNext(context);
  // The level after this one is the next, of the same entry.
  if (list.getLevels())
    context.nextBatch = stateEntries.lookup(list.getFinals()[0]);
  return context;
}

/// What a prescan makes of all of the item's tokens, or of those of a span.
LogicalResult ItemLoop::runPrescan(PrescanOp op, const Places &places,
                                   MutableArrayRef<Value> slices) {
  PrescanItem item{op, places.batch, places.head, places.batches, places.heads};
  size_t outputs = op.getOutputs().size();
  PrescanRange range{index(0), length,
                     SmallVector<Value>(op.getTokens().size()),
                     SmallVector<Value>(outputs)};
  MutableArrayRef<Value> finals = slices.drop_front(outputs);
  SmallVector<Value> carried = loadPrescanStates(b, item, finals);
  llvm::append_range(carried, slices.take_front(outputs));
  LogicalResult created = createPrescan(b, item, range, carried);
  storePrescanStates(b, item, ArrayRef(carried).drop_back(outputs), finals);
  llvm::copy(ArrayRef(carried).take_back(outputs), slices.begin());
  return created;
}

/// What `op` makes of its operands, in `slices`.
LogicalResult ItemLoop::create(Operation *op, const Places &places,
                               SmallVectorImpl<Value> &slices) {
  if (auto prescan = dyn_cast<PrescanOp>(op))
    return runPrescan(prescan, places, slices);
  auto list = cast<AffineScanOp>(op);
  HeadContext context = contextOf(list, places);
  if (firstColumn)
    return createKernel(b, loc, context, firstColumn, slices);
  return list.getLevels() ? createLevels(b, loc, context, total, slices)
                          : createHead(b, loc, context, slices);
}

/// One op for the item. A sequence or a state that the item made itself has one
/// batch entry and one head.
LogicalResult ItemLoop::createItem(Operation *op) {
  if (auto transpose = dyn_cast<TransposeStateOp>(op)) {
    transposeItem(transpose);
    return success();
  }
  Places places = takeOperands(op);
  SmallVector<Value> slices = slicesOf(op);
  for (OpOperand &init : initsOf(op))
    if (Value own = made.lookup(init.get()))
      setState(init, own, places);
  LogicalResult created = create(op, places, slices);
  for (auto [result, slice] : llvm::zip(op->getResults(), slices))
    made[result] = slice;
  return created;
}

/// The ops that are created together, in order: those of restarts, a list with
/// the prescans around it, else each op by itself.
SmallVector<ArrayRef<Operation *>> ItemLoop::groups(const Restarts &restarts) {
  if (!restarts && goesBySpans())
    return {ops};
  SmallVector<ArrayRef<Operation *>> groups;
  for (size_t i = 0; i < ops.size();) {
    bool together = restarts && i == restarts.begin;
    groups.push_back(ops.slice(i, together ? restarts.end - i : 1));
    i += groups.back().size();
  }
  return groups;
}

LogicalResult ItemLoop::build() {
  if (failed(verify()))
    return failure();
  SmallVector<Operation *> ofLevels = definitionsOfLevels(ops);
  findSizes();
  SmallVector<OpResult> shared = sharedResults();
  createLoop(shared);
  Restarts restarts = findRestarts(ops);
  for (ArrayRef<Operation *> group : groups(restarts))
    if (failed(group.size() == 1 ? createItem(group.front())
               : restarts        ? createRestarts(restarts)
                                 : createStages(group)))
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

LogicalResult qdelta::createItemLoop(ArrayRef<Operation *> ops) {
  return ItemLoop(ops).build();
}

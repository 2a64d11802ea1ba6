//===- StageSpans.cpp - a list with its prescans, span by span ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ItemLoopBuilder.h"
#include "SpanStages.h"

#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace qdelta;

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
  stage.item = {op, places.batch, places.head, places.batches, places.heads};
  size_t outputs = op.getOutputs().size();
  stage.finals.assign(slices.begin() + outputs, slices.end());
  stage.carried = loadPrescanStates(b, stage.item, stage.finals);
  for (size_t i = 0; i < outputs; ++i)
    stage.carried.push_back(stages->isWindow(op.getOutputs()[i]) ? Value()
                                                                 : slices[i]);
  return stage;
}

/// A list and the prescans around it, span by span.
LogicalResult ItemLoop::createStages(ArrayRef<Operation *> group) {
  SpanStages bySpans;
  stages = &bySpans;
  llvm::scope_exit reset([&] { stages = nullptr; });
  for (Operation *op : group)
    if (auto list = dyn_cast<AffineScanOp>(op))
      bySpans.list = list;
  ScheduleAttr schedule = scheduleOf(bySpans.list);
  bySpans.span = schedule.getSpan() * schedule.getChunk();
  bySpans.ahead = schedule.getFuse() ? schedule.getChunk() : 0;
  bySpans.length = length;
  for (Operation *op : group)
    for (OpResult result : op->getResults())
      if (isWindow(result, group))
        bySpans.windows[result] = createWindow(result, bySpans.windowTokens());
  auto *at = llvm::find(group, bySpans.list.getOperation());
  for (Operation *op : ArrayRef(group.begin(), at))
    bySpans.before.push_back(stageOf(cast<PrescanOp>(op)));
  Places places = takeOperands(bySpans.list);
  SmallVector<Value> slices = slicesOf(bySpans.list);
  for (Operation *op : ArrayRef(at + 1, group.end()))
    bySpans.after.push_back(stageOf(cast<PrescanOp>(op)));
  HeadContext context = contextOf(bySpans.list, places);
  context.stages = stages;
  if (failed(createHead(b, loc, context, slices)))
    return failure();
  for (auto [result, slice] : llvm::zip(bySpans.list->getResults(), slices))
    made[result] = slice;
  for (const auto *ofSide : {&bySpans.before, &bySpans.after})
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

/// Whether the item is one list in rows and the prescans around it, which make
/// nothing for one another that is needed whole.
bool ItemLoop::goesBySpans() {
  size_t lists =
      llvm::count_if(ops, [](Operation *op) { return isa<AffineScanOp>(op); });
  auto isUsedInside = [&](OpResult result) {
    return llvm::any_of(result.getUsers(), [&](Operation *user) {
      return llvm::is_contained(ops, user);
    });
  };
  return lists == 1 && ops.size() > 1 && llvm::all_of(ops, [&](Operation *op) {
           auto list = dyn_cast<AffineScanOp>(op);
           if (list && (list.getInPlace() || list.getLevels() ||
                        !scheduleOf(list).getUnroll()))
             return false;
           return isa<AffineScanOp, PrescanOp>(op) &&
                  llvm::all_of(op->getResults(), [&](OpResult result) {
                    return !isUsedInside(result) || isWindow(result, ops);
                  });
         });
}

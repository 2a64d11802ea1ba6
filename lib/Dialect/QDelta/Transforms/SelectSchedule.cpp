//===- SelectSchedule.cpp - decide how each list runs, once ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ChunkList.h"
#include "LevelLoop.h"
#include "Schedules.h"

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringExtras.h"

namespace qdelta {
#define GEN_PASS_DEF_SELECTSCHEDULE
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

struct SelectSchedulePass
    : qdelta::impl::SelectScheduleBase<SelectSchedulePass> {
  using SelectScheduleBase::SelectScheduleBase;

  void runOnOperation() override {
    // Lists first: schedules of prescans depend on theirs.
    if (failed(scheduleAll<AffineScanOp>()) ||
        failed(scheduleAll<TransposeStateOp>()) ||
        failed(scheduleAll<PrescanOp>()))
      signalPassFailure();
  }

private:
  template <typename Op>
  LogicalResult scheduleAll() {
    SmallVector<Op> ops;
    getOperation().walk([&](Op op) { ops.push_back(op); });
    for (Op op : ops)
      if (failed(schedule(op)))
        return failure();
    return success();
  }

  LogicalResult schedule(AffineScanOp op);
  LogicalResult schedule(TransposeStateOp op);
  LogicalResult schedule(PrescanOp op);
  LogicalResult failUnknownTarget(Operation *op);
  LogicalResult checkOptions(AffineScanOp op);
  LogicalResult checkLevels(AffineScanOp op);
};
} // namespace

/// Whether a chunk of several tokens would have a system for each value column.
static bool hasSystemPerColumn(FactsAttr facts) {
  return facts.getDecay() == DecayKind::PerValueChannel &&
         llvm::is_contained(facts.getUnknown(), true);
}

bool qdelta::needsSingleTokens(AffineScanOp op) {
  return hasSystemPerColumn(op.getFacts()) || mixesChannels(op);
}

bool qdelta::isOfSummary(AffineScanOp op) {
  auto func = op->getParentOfType<func::FuncOp>();
  RecurrenceOp recurrence = func ? recurrenceOf(func) : RecurrenceOp();
  return recurrence && recurrence->hasAttr(kSummaryOfAttr);
}

/// Options that mean the same for every target.
LogicalResult SelectSchedulePass::checkOptions(AffineScanOp op) {
  if (mode != "auto" && mode != "recurrent" && mode != "chunked")
    return op.emitError("unknown mode '")
           << mode.getValue() << "'; known are auto, recurrent, chunked";
  if (chunk < 0)
    return op.emitError("expected chunk to be at least 0, but got ")
           << chunk.getValue();
  if (mode == "recurrent" && chunk > 1)
    return op.emitError("mode = recurrent goes with chunk = 1, but got ")
           << chunk.getValue();
  if (op.getInPlace() && (chunk > 1 || mode == "chunked"))
    return op.emitError("states in place go with tokens one by one, chunk = 1 "
                        "and mode = auto or recurrent, but got ")
           << chunk.getValue() << " and " << mode.getValue();
  if (needsSingleTokens(op) && (chunk > 1 || mode == "chunked"))
    return op.emitError()
           << (mixesChannels(op)
                   ? "chunks of several tokens cover mixes of states that "
                     "decay as a whole: with decays per key or value channel"
                   : "a chunk's system is one for all value columns: with "
                     "decays per value channel and writes that use reads")
           << ", expected chunk = 1 and mode = auto or recurrent, but got "
           << chunk.getValue() << " and " << mode.getValue();
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  if (ShapedType::isDynamic(state.getDimSize(2)) ||
      ShapedType::isDynamic(state.getDimSize(3)))
    return op.emitError("a schedule needs static key and value dimensions, but "
                        "got ")
           << state << "; -qdelta-specialize fixes them";
  return success();
}

/// What the loop over levels covers.
LogicalResult SelectSchedulePass::checkLevels(AffineScanOp op) {
  if (!op.getLevels())
    return success();
  if (findGpuTarget(target))
    return op.emitError("expected a list without levels on GPUs; run "
                        "-qdelta-levels-to-heads first");
  if (!fenwickOf(op))
    return op.emitError("expected numbers of levels that qdelta.fenwick makes");
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  for (auto [number, token] : llvm::enumerate(op.getTokens())) {
    auto type = cast<RankedTensorType>(token.getType());
    if (op.isPerLevel(number) &&
        (!type.isDynamicDim(3) || !state.isDynamicDim(1)))
      return op.emitError("expected a dynamic number of levels and of states, "
                          "which a launch checks against the number of "
                          "tokens, but got ")
             << type << " and " << state;
  }
  return success();
}

LogicalResult SelectSchedulePass::failUnknownTarget(Operation *op) {
  SmallVector<StringRef> known{"host"};
  for (const Target &known_ : targetTable())
    known.push_back(known_.name);
  for (const GpuTarget &gpu : gpuTargetTable())
    known.push_back(gpu.name);
  return op->emitError("unknown target '")
         << target.getValue() << "'; known are " << llvm::join(known, ", ");
}

LogicalResult SelectSchedulePass::schedule(AffineScanOp op) {
  if (failed(checkOptions(op)) || failed(checkLevels(op)))
    return failure();
  ScheduleOptions options{mode, chunk};
  if (const GpuTarget *gpu = findGpuTarget(target))
    return scheduleOnGpu(op, *gpu, options);
  const Target *cpu = findTarget(target);
  if (!cpu)
    return failUnknownTarget(op);
  scheduleOnCpu(op, *cpu, options);
  return success();
}

LogicalResult SelectSchedulePass::schedule(TransposeStateOp op) {
  return findGpuTarget(target) ? checkOnGpu(op) : success();
}

LogicalResult SelectSchedulePass::schedule(PrescanOp op) {
  const GpuTarget *gpu = findGpuTarget(target);
  const Target *cpu = findTarget(target);
  if (!gpu && !cpu)
    return failUnknownTarget(op);
  for (auto [arg, operand] :
       llvm::zip(op.getBody().getArguments(), op->getOperands().drop_front()))
    if (auto type = cast<RankedTensorType>(operand.getType());
        isa<RankedTensorType>(arg.getType()) &&
        ShapedType::isDynamic(type.getShape().back()))
      return op.emitError("a schedule needs static key and value dimensions, "
                          "but got ")
             << type << "; -qdelta-specialize fixes them";
  if (gpu)
    return scheduleOnGpu(op, *gpu);
  scheduleOnCpu(op, *cpu);
  return success();
}

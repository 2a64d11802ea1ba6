//===- DerivePrescan.cpp - a prescan of a step ----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "DeriveLevels.h"
#include "DeriveStage.h"
#include "DiagonalForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

namespace {
class PrescanStage : public Stage {
public:
  PrescanStage(Step &step, int64_t position) : Stage(step, position) {
    for (unsigned state : step.statesAt(position)) {
      BlockArgument arg = recurrence().getBody().getArgument(state);
      Value previous = block.addArgument(arg.getType(), arg.getLoc());
      map.map(arg, previous);
      origins[previous] = arg;
    }
  }

  void fill() override;
  void create(OpBuilder &b, RunOpInterface run,
              llvm::DenseMap<Value, Value> &sequences,
              MutableArrayRef<Value> stepOutputs,
              MutableArrayRef<Value> stepFinals) override;

private:
  Value make(Value value) override;
  void advance(unsigned state);
};

/// Decays of vectors and scalars are products here.
Value PrescanStage::make(Value value) {
  Value made;
  if (auto decay = value.getDefiningOp<DecayOp>()) {
    Value factor = math::ExpOp::create(b, decay.getLoc(), local(decay.getG()));
    made = scaleBy(b, decay.getLoc(), local(decay.getState()), factor);
  } else {
    made = cloneOp(value);
  }
  map.map(value, made);
  return made;
}

void PrescanStage::advance(unsigned state) {
  Value previous = recurrence().getBody().getArgument(state);
  Value update = step.updateOf(state), next;
  Location loc = update.getLoc();
  auto create = [&](AdvanceKind kind, Value by, Value with) {
    next = AdvanceOp::create(b, loc, previous.getType(), kind,
                             map.lookup(previous), by, with);
  };
  auto maximum = update.getDefiningOp<MaxPlusOp>();
  if (maximum && step.depends(update, state)) {
    Value by = local(maximum.getDecay()), with = local(maximum.getInput());
    create(AdvanceKind::MaxPlus, by, with);
  } else {
    DiagonalForm form = makeDiagonal(
        b, update, previous,
        [&](Value value) { return step.depends(value, state); },
        [&](Value value) { return local(value); });
    create(form.usesState ? AdvanceKind::Affine : AdvanceKind::Set, form.factor,
           form.addend);
  }
  if (update.getDefiningOp() && step.depends(update, state))
    map.map(update, next);
}

void PrescanStage::fill() {
  for (unsigned state : step.statesAt(position))
    advance(state);
  SmallVector<Value> values;
  for (unsigned output : outputs)
    values.push_back(local(yielded(output)));
  for (Value value : provided)
    values.push_back(local(value));
  PrescanYieldOp::create(b, recurrence().getYield().getLoc(), values);
  eraseDead(block);
}

void PrescanStage::create(OpBuilder &at, RunOpInterface run,
                          llvm::DenseMap<Value, Value> &sequences,
                          MutableArrayRef<Value> stepOutputs,
                          MutableArrayRef<Value> stepFinals) {
  Operands operands = takeOperands(run, sequences);
  SmallVector<Type> finals;
  for (Value init : operands.inits)
    finals.push_back(init.getType());
  bool hasLevels = recurrence().getLevels() != nullptr;
  Value heads = tensor::DimOp::create(at, run.getLoc(),
                                      hasLevels ? levelsOf(run, recurrence())
                                                : run.getInits()[0],
                                      hasLevels ? 2 : 1);
  auto op = PrescanOp::create(
      at, run.getLoc(), resultTypes(run), finals, heads, operands.tokens,
      operands.params, operands.inits, run.getCuSeqlens(), run.getStateIndex(),
      run.isInPlace(), at.getArrayAttr(operands.names), ScheduleAttr());
  op.getBody().takeBody(*region);
  setResults(op, step.statesAt(position), sequences, stepOutputs, stepFinals);
}
} // namespace

std::unique_ptr<Stage> qdelta::createPrescanStage(Step &step,
                                                  int64_t position) {
  return std::make_unique<PrescanStage>(step, position);
}

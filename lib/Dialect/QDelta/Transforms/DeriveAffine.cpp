//===- DeriveAffine.cpp - write each scan as lists and prescans -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "DeriveStage.h"

#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <map>

namespace qdelta {
#define GEN_PASS_DEF_DERIVEAFFINE
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

/// One run of a recurrence as the stages of its step.
class Derivation {
public:
  Derivation(Step &step, RunOpInterface run) : step(step), run(run) {}

  /// Returns the facts of the lists it made.
  SmallVector<Attribute> derive();

private:
  Stage &stageAt(int64_t position);
  void assignOutputs();

  Step &step;
  RunOpInterface run;
  std::map<int64_t, std::unique_ptr<Stage>> stages;
};

Stage &Derivation::stageAt(int64_t position) {
  std::unique_ptr<Stage> &stage = stages[position];
  if (!stage)
    stage = position % 2 ? createListStage(step, position)
                         : createPrescanStage(step, position);
  return *stage;
}

/// Outputs that no state reaches are the first list's, if there is one.
void Derivation::assignOutputs() {
  int64_t first = 0;
  for (int64_t position = step.numPositions(); position-- > 0;)
    if (position % 2 && !step.statesAt(position).empty())
      first = position;
  auto outputs = step.getRecurrence().getYield().getOutputs();
  for (auto [index, output] : llvm::enumerate(outputs)) {
    int64_t position = step.positionOf(output);
    stageAt(position < 0 ? first : position).provideOutput(index);
  }
}

SmallVector<Attribute> Derivation::derive() {
  for (int64_t position = 0; position < step.numPositions(); ++position)
    if (!step.statesAt(position).empty() ||
        (position % 2 && step.makesFinals(position)))
      stageAt(position);
  assignOutputs();
  // Last to first; a stage only ever asks for what comes before it.
  int64_t position = stages.rbegin()->first;
  for (; position >= 0; --position) {
    auto found = stages.find(position);
    if (found == stages.end())
      continue;
    found->second->fill();
    for (Value import : found->second->getImports())
      stageAt(step.positionOf(import)).provide(import);
  }
  OpBuilder b(run);
  llvm::DenseMap<Value, Value> sequences;
  SmallVector<Value> outputs(run.getOutputs().size());
  SmallVector<Value> finals(run.getFinals().size());
  SmallVector<Attribute> facts;
  for (auto &entry : stages) {
    entry.second->create(b, run, sequences, outputs, finals);
    if (auto list = dyn_cast<AffineScanOp>(run->getPrevNode()))
      facts.push_back(list.getFacts());
  }
  llvm::append_range(outputs, finals);
  run->replaceAllUsesWith(outputs);
  run->erase();
  return facts;
}

struct DeriveAffinePass : qdelta::impl::DeriveAffineBase<DeriveAffinePass> {
  void runOnOperation() override {
    addEntryPoints(getOperation());
    SymbolTableCollection symbols;
    SmallVector<RunOpInterface> runs;
    getOperation().walk([&](RunOpInterface run) { runs.push_back(run); });
    for (RunOpInterface run : runs) {
      auto recurrence = symbols.lookupNearestSymbolFrom<RecurrenceOp>(
          run, run.getCalleeAttr());
      Step step(recurrence);
      if (failed(step.analyze()))
        return signalPassFailure();
      SmallVector<Attribute> facts = Derivation(step, run).derive();
      recurrence->setAttr(kFactsAttr, ArrayAttr::get(&getContext(), facts));
    }
  }
};
} // namespace

//===- DeriveList.cpp - the affine list of one stratum of a step ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "DeriveLevels.h"
#include "DeriveStage.h"
#include "ListFacts.h"

using namespace mlir;
using namespace qdelta;

namespace {
class ListStage : public Stage {
public:
  using Stage::Stage;

  void fill() override;
  void create(OpBuilder &b, RunOpInterface run,
              llvm::DenseMap<Value, Value> &sequences,
              MutableArrayRef<Value> stepOutputs,
              MutableArrayRef<Value> stepFinals) override;

private:
  Value make(Value value) override {
    Value made = cloneOp(value);
    map.map(value, made);
    return made;
  }
  /// The number that the list gives a state's version; none if it is not the
  /// list's.
  std::optional<unsigned> numberOf(Value version);
  void cloneTokenLocal();
  void chooseBases();
  void emitStage(unsigned number, Operation *stage);
  void emitRead(unsigned number, ReadOp read);
  void emitWrite(unsigned number, WriteOp write);
  void emitOutput(Value value);
  LinearForm formOf(Value value, bool splitsImports);
  SmallVector<Value> coefficientsOf(Location loc, const LinearForm &form);

  llvm::DenseMap<ReadOp, Value> readouts;
  bool splitReads = true;
};

std::optional<unsigned> ListStage::numberOf(Value version) {
  ArrayRef<unsigned> states = step.statesAt(position);
  const unsigned *found = llvm::find(states, step.stateOf(version));
  if (found == states.end())
    return std::nullopt;
  return found - states.begin();
}

void ListStage::cloneTokenLocal() {
  for (Operation &op : recurrence().getBody().front().without_terminator())
    if (!isa<ReadOp, WriteOp, MixOp, DecayOp>(op) &&
        step.positionOf(op.getResult(0)) < 0)
      local(op.getResult(0));
}

/// Reads share base vectors if that takes no more products with the state than
/// reading at each key vector as it stands.
void ListStage::chooseBases() {
  llvm::SetVector<Value> whole, split;
  recurrence().walk([&](ReadOp read) {
    if (!numberOf(read.getState()))
      return;
    whole.insert(local(read.getAt()));
    for (auto &entry : formOf(read.getAt(), /*splitsImports=*/true))
      split.insert(entry.first);
  });
  splitReads = split.size() <= whole.size();
}

SmallVector<Value> ListStage::coefficientsOf(Location loc,
                                             const LinearForm &form) {
  auto state = cast<RankedTensorType>(
      recurrence().getBody().getArgument(step.statesAt(position)[0]).getType());
  return llvm::map_to_vector(form, [&](auto &entry) {
    return oneIfNull(b, loc, entry.second, state.getElementType());
  });
}

static SmallVector<Value> termsOf(const LinearForm &form) {
  return llvm::map_to_vector(form, [](auto &entry) { return entry.first; });
}

/// The linear form of a vector of the step over token-local vectors and
/// readouts of the list. What an earlier stage makes is one term, unless
/// `splitsImports`.
LinearForm ListStage::formOf(Value value, bool splitsImports) {
  auto isTerm = [&](Value part) {
    int64_t home = step.positionOf(part);
    return !splitsImports && home >= 0 && home != position;
  };
  auto termOf = [&](Value leaf) {
    auto read = leaf.getDefiningOp<ReadOp>();
    if (read && numberOf(read.getState()))
      return readouts.lookup(read);
    return local(leaf);
  };
  auto scalarOf = [&](Value scalar) { return local(scalar); };
  return linearize(b, value, isTerm, termOf, scalarOf);
}

void ListStage::emitRead(unsigned number, ReadOp read) {
  if (readouts.contains(read))
    return;
  LinearForm form;
  if (splitReads)
    form = formOf(read.getAt(), /*splitsImports=*/true);
  else
    form[local(read.getAt())] = Value();
  readouts[read] = AffineReadOp::create(
      b, read.getLoc(), ReadoutType::get(b.getContext()), number,
      coefficientsOf(read.getLoc(), form), termsOf(form));
}

void ListStage::emitWrite(unsigned number, WriteOp write) {
  // A scaled key is the key, with the factor moved into the value.
  LinearForm keyForm = formOf(write.getKey(), /*splitsImports=*/true);
  Value key, factor;
  if (keyForm.size() == 1)
    std::tie(key, factor) = *keyForm.begin();
  else
    key = local(write.getKey());
  LinearForm value = formOf(write.getValue(), /*splitsImports=*/false);
  for (auto &entry : value)
    entry.second = multiply(b, write.getLoc(), entry.second, factor);
  AffineWriteOp::create(b, write.getLoc(), number, key,
                        coefficientsOf(write.getLoc(), value), termsOf(value));
}

/// Emits a decay, write or mix, after all reads of the version it consumes:
/// those may stand later in the step.
void ListStage::emitStage(unsigned number, Operation *stage) {
  Value version = stage->getOperand(0);
  for (Operation &op : recurrence().getBody().front())
    if (auto read = dyn_cast<ReadOp>(op))
      if (read.getState() == version)
        emitRead(number, read);
  if (auto decay = dyn_cast<DecayOp>(stage))
    AffineDecayOp::create(b, decay.getLoc(), number, local(decay.getG()));
  else if (auto mix = dyn_cast<MixOp>(stage))
    AffineMixOp::create(b, mix.getLoc(), number, *numberOf(mix.getSource()),
                        local(mix.getBy()));
  else
    emitWrite(number, cast<WriteOp>(stage));
}

void ListStage::emitOutput(Value value) {
  LinearForm form = formOf(value, /*splitsImports=*/false);
  AffineOutputOp::create(b, value.getLoc(),
                         coefficientsOf(value.getLoc(), form), termsOf(form));
}

void ListStage::fill() {
  cloneTokenLocal();
  chooseBases();
  for (Operation &stage : recurrence().getBody().front().without_terminator()) {
    if (auto read = dyn_cast<ReadOp>(stage)) {
      if (std::optional<unsigned> number = numberOf(read.getState()))
        emitRead(*number, read);
    } else if (isa<DecayOp, WriteOp, MixOp>(stage)) {
      auto type = dyn_cast<RankedTensorType>(stage.getResult(0).getType());
      if (!type || type.getRank() != 2)
        continue; // of a vector or scalar
      if (std::optional<unsigned> number = numberOf(stage.getOperand(0)))
        emitStage(*number, &stage);
    }
  }
  for (unsigned output : outputs)
    emitOutput(yielded(output));
  for (Value value : provided)
    emitOutput(value);
  AffineEndOp::create(b, recurrence().getLoc());
  eraseDead(block);
}

void ListStage::create(OpBuilder &at, RunOpInterface run,
                       llvm::DenseMap<Value, Value> &sequences,
                       MutableArrayRef<Value> stepOutputs,
                       MutableArrayRef<Value> stepFinals) {
  Operands operands = takeOperands(run, sequences);
  SmallVector<Type> finals;
  for (unsigned state : step.statesAt(position)) {
    Value init = recurrence().getLevels()
                     ? createLevelSizes(at, run, recurrence())
                     : run.getInits()[state];
    operands.inits.push_back(init);
    finals.push_back(recurrence().getLevels()
                         ? init.getType()
                         : run.getFinals()[state].getType());
  }
  auto op = AffineScanOp::create(
      at, run.getLoc(), resultTypes(run), finals, operands.tokens,
      operands.params, operands.inits, run.getCuSeqlens(), run.getStateIndex(),
      run.isInPlace(), !!recurrence().getLevels(),
      at.getArrayAttr(operands.names),
      FactsAttr::get(at.getContext(), DecayKind::None, 0, 0, {}, false),
      ScheduleAttr());
  op.getBody().takeBody(*region);
  if (op.getLevels())
    deriveLevels(op, levelsOf(run, recurrence()));
  op.setFactsAttr(findFacts(op, [&](Value value, StringRef name) -> Attribute {
    auto arg = dyn_cast_or_null<BlockArgument>(value ? origins.lookup(value)
                                                     : Value());
    if (!arg)
      return {};
    return cast<DictionaryAttr>(recurrence().getArgAttrs()[arg.getArgNumber()])
        .get(name);
  }));
  setResults(op, sequences, stepOutputs, stepFinals);
}
} // namespace

std::unique_ptr<Stage> qdelta::createListStage(Step &step, int64_t position) {
  return std::make_unique<ListStage>(step, position);
}

//===- DeriveList.cpp - the affine list of one stratum of a step ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "DeriveLevels.h"
#include "DeriveStage.h"
#include "ListFacts.h"
#include "ValueRanges.h"

#include "qdelta/Dialect/QDelta/IR/LogBounds.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

namespace {
class ListStage : public Stage {
public:
  ListStage(Step &step, int64_t position)
      : Stage(step, position), list(step.listAt(position)) {}

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
  /// The same for the state that `op` reads, if it is a read on the list's
  /// side.
  std::optional<unsigned> numberRead(Operation *op);
  void cloneTokenLocal();
  void chooseBases();
  void emitStage(unsigned number, Operation *stage);
  void emitDecay(unsigned number, Location loc, Value g, bool ofValues);
  void emitRead(unsigned number, Operation *read);
  void emitWrite(unsigned number, WriteOp write);
  void emitOutput(Value value);
  LinearForm formOf(Value value, bool splitsImports);
  SmallVector<Value> coefficientsOf(Location loc, const LinearForm &form);

  Step::List list;
  llvm::DenseMap<Operation *, Value> readouts;
  /// The last write to each state, as long as nothing has seen what it wrote,
  /// and its values.
  struct OpenWrite {
    AffineWriteOp op;
    LinearForm value;
  };
  llvm::DenseMap<unsigned, OpenWrite> openWrites;
  bool splitReads = true;
};

std::optional<unsigned> ListStage::numberOf(Value version) {
  const unsigned *found = llvm::find(list.states, step.stateOf(version));
  if (found == list.states.end())
    return std::nullopt;
  return found - list.states.begin();
}

std::optional<unsigned> ListStage::numberRead(Operation *op) {
  bool isRead = list.transposed ? isa_and_nonnull<ReadValuesOp>(op)
                                : isa_and_nonnull<ReadOp>(op);
  return isRead ? numberOf(op->getOperand(0)) : std::nullopt;
}

void ListStage::cloneTokenLocal() {
  for (Operation &op : recurrence().getBody().front().without_terminator())
    if (!readsMatrix(&op) && !changesMatrix(&op) && !isa<DecayOp>(op) &&
        step.positionOf(op.getResult(0)) < 0)
      local(op.getResult(0));
}

/// Reads share base vectors if that takes no more products with the state than
/// reading at each key vector as it stands.
void ListStage::chooseBases() {
  llvm::SetVector<Value> whole, split;
  for (Operation &read : recurrence().getBody().front()) {
    if (!numberRead(&read))
      continue;
    whole.insert(local(read.getOperand(1)));
    for (auto &entry : formOf(read.getOperand(1), /*splitsImports=*/true))
      split.insert(entry.first);
  }
  splitReads = split.size() <= whole.size();
}

SmallVector<Value> ListStage::coefficientsOf(Location loc,
                                             const LinearForm &form) {
  auto state = cast<RankedTensorType>(
      recurrence().getBody().getArgument(list.states[0]).getType());
  return llvm::map_to_vector(form, [&](auto &entry) {
    return oneIfNull(b, loc, entry.second, state.getElementType());
  });
}

static SmallVector<Value> termsOf(const LinearForm &form) {
  return llvm::map_to_vector(form, [](auto &entry) { return entry.first; });
}

/// The linear form of a vector of the step over token-local vectors and
/// readouts of the list. What an earlier stage makes is one term, unless
/// `splitsImports` or it is a multiple of an input: a number crosses for less
/// than a vector.
LinearForm ListStage::formOf(Value value, bool splitsImports) {
  auto isTerm = [&](Value part) {
    int64_t home = step.positionOf(part);
    if (splitsImports || home < 0 || home == position)
      return false;
    auto scale = part.getDefiningOp<ScaleOp>();
    return !scale || !isa<BlockArgument>(scale.getVector()) ||
           step.positionOf(scale.getVector()) >= 0;
  };
  auto termOf = [&](Value leaf) {
    if (numberRead(leaf.getDefiningOp()))
      return readouts.lookup(leaf.getDefiningOp());
    return local(leaf);
  };
  auto scalarOf = [&](Value scalar) { return local(scalar); };
  return linearize(b, value, isTerm, termOf, scalarOf);
}

void ListStage::emitRead(unsigned number, Operation *read) {
  if (readouts.contains(read))
    return;
  openWrites.erase(number);
  Value at = read->getOperand(1);
  LinearForm form;
  if (splitReads)
    form = formOf(at, /*splitsImports=*/true);
  else
    form[local(at)] = Value();
  readouts[read] = AffineReadOp::create(
      b, read->getLoc(), ReadoutType::get(b.getContext()), number,
      coefficientsOf(read->getLoc(), form), termsOf(form));
}

/// A decay of rows or, `ofValues`, columns: the transposed state's are the
/// state's columns.
void ListStage::emitDecay(unsigned number, Location loc, Value g,
                          bool ofValues) {
  bool perChannel = isa<RankedTensorType>(g.getType());
  if (perChannel && ofValues != list.transposed) {
    AffineDecayValuesOp::create(b, loc, number, local(g));
    return;
  }
  auto decay = AffineDecayOp::create(b, loc, number, local(g));
  if (perChannel)
    setLogLowerBound(decay, findLogLowerBound(recurrence(), g));
}

void ListStage::emitWrite(unsigned number, WriteOp write) {
  Value writeKey = write.getKey(), writeValue = write.getValue();
  if (list.transposed)
    std::swap(writeKey, writeValue);
  // A scaled key is the key, with the factor moved into the value.
  LinearForm keyForm = formOf(writeKey, /*splitsImports=*/true);
  Value key, factor;
  if (keyForm.size() == 1)
    std::tie(key, factor) = *keyForm.begin();
  else
    key = local(writeKey);
  LinearForm value = formOf(writeValue, /*splitsImports=*/false);
  for (auto &entry : value)
    entry.second = multiply(b, write.getLoc(), entry.second, factor);
  // Writes at one key, one right after the other, are one.
  auto open = openWrites.find(number);
  if (open != openWrites.end() && open->second.op.getKey() == key) {
    value = sumOf(b, write.getLoc(), open->second.value, value,
                  getElementTypeOrSelf(writeKey.getType()));
    open->second.op.erase();
  }
  auto op = AffineWriteOp::create(b, write.getLoc(), number, key,
                                  coefficientsOf(write.getLoc(), value),
                                  termsOf(value));
  openWrites[number] = {op, std::move(value)};
}

/// Emits a decay, write or mix, after all reads of the version it consumes:
/// those may stand later in the step.
void ListStage::emitStage(unsigned number, Operation *stage) {
  Value version = stage->getOperand(0);
  for (Operation &op : recurrence().getBody().front())
    if (numberRead(&op) && op.getOperand(0) == version)
      emitRead(number, &op);
  if (!isa<WriteOp>(stage))
    openWrites.erase(number);
  if (auto mix = dyn_cast<MixOp>(stage))
    openWrites.erase(*numberOf(mix.getSource()));
  if (auto decay = dyn_cast<DecayOp>(stage))
    emitDecay(number, decay.getLoc(), decay.getG(), /*ofValues=*/false);
  else if (auto decay = dyn_cast<DecayValuesOp>(stage))
    emitDecay(number, decay.getLoc(), decay.getG(), /*ofValues=*/true);
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
    if (std::optional<unsigned> number = numberRead(&stage)) {
      emitRead(*number, &stage);
    } else if (changesMatrix(&stage)) {
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
  Value index = run.getStateIndex();
  bool hasLevels = !!recurrence().getLevels();
  for (unsigned state : list.states) {
    Value init = run.getInits()[state];
    auto type = cast<RankedTensorType>(run.getFinals()[state].getType());
    if (list.transposed) {
      SmallVector<int64_t> shape(type.getShape());
      std::swap(shape[2], shape[3]);
      if (index)
        shape[0] = cast<RankedTensorType>(index.getType()).getDimSize(0);
      type = type.clone(shape);
      init = TransposeStateOp::create(at, run.getLoc(), type, init, index);
    }
    operands.inits.push_back(init);
    finals.push_back(type);
  }
  // A transposed state is a copy, and nobody asks for what becomes of it.
  bool inPlace = run.isInPlace() && !list.transposed;
  auto op = AffineScanOp::create(
      at, run.getLoc(), resultTypes(run), finals, operands.tokens,
      operands.params, operands.inits, run.getCuSeqlens(),
      inPlace ? index : Value(), inPlace, hasLevels,
      at.getArrayAttr(operands.names),
      FactsAttr::get(at.getContext(), DecayKind::None, 0, 0, {}, false),
      ScheduleAttr());
  op.getBody().takeBody(*region);
  if (op.getLevels())
    deriveLevels(op, levelsOf(run, recurrence()), run.getPosition());
  op.setFactsAttr(findFacts(op, [&](Value value, StringRef name) -> Attribute {
    auto arg = dyn_cast_or_null<BlockArgument>(value ? origins.lookup(value)
                                                     : Value());
    if (!arg)
      return {};
    return cast<DictionaryAttr>(recurrence().getArgAttrs()[arg.getArgNumber()])
        .get(name);
  }));
  setResults(op, list.transposed ? ArrayRef<unsigned>() : list.states,
             sequences, stepOutputs, stepFinals);
}
} // namespace

std::unique_ptr<Stage> qdelta::createListStage(Step &step, int64_t position) {
  return std::make_unique<ListStage>(step, position);
}

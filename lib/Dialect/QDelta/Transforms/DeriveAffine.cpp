//===- DeriveAffine.cpp - prove that a step is affine in its state --------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "LinearForm.h"

#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace qdelta {
#define GEN_PASS_DEF_DERIVEAFFINE
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

/// Dependence on states is a set in a word.
constexpr uint64_t kMostStates = 64;

/// Every value that one state takes within a token, in order.
using Chain = SmallVector<Value>;

/// Proves a step affine and holds what the proof found.
class Step {
public:
  explicit Step(RecurrenceOp recurrence) : recurrence(recurrence) {}

  LogicalResult analyze() {
    if (recurrence.getNumStates() > kMostStates)
      return recurrence.emitError("expected at most ")
             << kMostStates << " states, but got "
             << recurrence.getNumStates();
    if (failed(followChains()))
      return failure();
    findDependence();
    for (Operation &op : recurrence.getBody().front().without_terminator())
      if (failed(checkLinear(&op)))
        return failure();
    return success();
  }

  bool depends(Value value) const { return dependsOn.lookup(value) != 0; }
  /// The number of the state that `version` is a version of.
  unsigned stateOf(Value version) const {
    return llvm::countr_zero(dependsOn.lookup(version));
  }

private:
  StringRef stateName(unsigned index) { return recurrence.getArgName(index); }

  LogicalResult followChains();
  void findDependence();
  LogicalResult checkLinear(Operation *op);
  uint64_t statesReachedFrom(Operation *op);

  RecurrenceOp recurrence;
  SmallVector<Chain> chains;
  /// Bit i: the value depends on state i.
  llvm::DenseMap<Value, uint64_t> dependsOn;
};

/// Follows each state from its argument through decays and writes to the yield.
LogicalResult Step::followChains() {
  YieldOp yield = recurrence.getYield();
  for (BlockArgument state : recurrence.getStates()) {
    Chain chain;
    StringRef name = stateName(state.getArgNumber());
    Value version = state;
    while (version) {
      Operation *consumer = nullptr;
      for (OpOperand &use : version.getUses()) {
        Operation *user = use.getOwner();
        if (!isa<DecayOp, WriteOp>(user) || use.getOperandNumber() != 0)
          continue;
        if (consumer) {
          auto diag = user->emitError("state %")
                      << name
                      << " is used along two paths; each decay and "
                         "write must take the state that the previous "
                         "one returned";
          diag.attachNote(consumer->getLoc()) << "the other path starts here";
          return diag;
        }
        consumer = user;
      }
      chain.push_back(version);
      version = consumer ? consumer->getResult(0) : Value();
    }
    Value last = chain.back();
    if (yield.getStates()[state.getArgNumber()] != last) {
      auto diag = yield.emitError("state %")
                  << name
                  << " must be yielded as its last decay or write left "
                     "it";
      diag.attachNote(last.getLoc()) << "that is this value";
      return diag;
    }
    chains.push_back(std::move(chain));
  }
  return success();
}

void Step::findDependence() {
  for (auto [index, chain] : llvm::enumerate(chains))
    for (Value version : chain)
      dependsOn[version] = uint64_t(1) << index;
  for (Operation &op : recurrence.getBody().front()) {
    if (isa<DecayOp, WriteOp>(op))
      continue;
    uint64_t states = 0;
    for (Value operand : op.getOperands())
      states |= dependsOn.lookup(operand);
    for (Value result : op.getResults())
      dependsOn[result] = states;
  }
}

/// The states whose decays or writes `op`'s results reach.
uint64_t Step::statesReachedFrom(Operation *op) {
  uint64_t reached = 0;
  llvm::SetVector<Operation *> work;
  work.insert(op);
  for (size_t i = 0; i < work.size(); ++i)
    for (Operation *user : work[i]->getUsers()) {
      if (isa<DecayOp, WriteOp>(user))
        reached |= dependsOn.lookup(user->getResult(0));
      else
        work.insert(user);
    }
  return reached;
}

/// Reports the first op that is not linear in the states its operands carry.
LogicalResult Step::checkLinear(Operation *op) {
  uint64_t states = 0;
  if (op->getNumRegions() != 0)
    return op->emitError("a step is a straight line, but ")
           << op->getName() << " has a region";
  auto dependent = [&](Value value) { return depends(value); };
  if (isa<ReadOp, DecayOp, WriteOp>(op)) {
    // Keys and log decays are token-local; a write's value is checked where it
    // is made.
    Value keySide = op->getOperand(1);
    states = dependsOn.lookup(keySide);
    if (states == 0)
      return success();
    unsigned state = llvm::countr_zero(states);
    return op->emitError("the new state is not affine in %")
           << stateName(state) << ": " << op->getName()
           << " takes a key or decay that depends on it";
  }
  for (Value operand : op->getOperands())
    states |= dependsOn.lookup(operand);
  if (states == 0 || isLinearIn(op, dependent))
    return success();

  uint64_t reached = statesReachedFrom(op);
  unsigned state = llvm::countr_zero(states);
  if (reached != 0 && (states & reached) == 0) {
    unsigned target = llvm::countr_zero(reached);
    if (target > state)
      return op->emitError("coefficients of state %")
             << stateName(target) << " depend on state %" << stateName(state)
             << " through " << op->getName()
             << "; recurrences whose states depend on one another are not "
                "derived yet";
    return op->emitError("cyclic use of states: coefficients of %")
           << stateName(target) << " depend on %" << stateName(state)
           << ", which is declared after it";
  }
  auto diag = op->emitError("the ")
              << (reached ? "new state" : "output") << " is not affine in %"
              << stateName(state) << ": " << op->getName()
              << " is applied to a value that depends on it";
  diag.attachNote(recurrence.getLoc())
      << "sums, negations and qdelta.scale by a token's scalar keep a value "
         "affine";
  return diag;
}

/// Writes the proven list of a step as an affine_scan.
class ListBuilder {
public:
  ListBuilder(Step &step, RecurrenceOp recurrence, ScanOp scan)
      : step(step), recurrence(recurrence), scan(scan), b(scan) {}

  AffineScanOp build();

private:
  void cloneTokenLocal();
  void chooseBases();
  void emitStage(unsigned state, Operation *stage);
  void emitRead(unsigned state, ReadOp read);
  void emitWrite(unsigned state, WriteOp write);
  LinearForm formOf(Value value);
  SmallVector<Value> coefficientsOf(Location loc, const LinearForm &form);
  FactsAttr facts();
  DecayKind decayKind(Value g);
  bool isBounded();

  Step &step;
  RecurrenceOp recurrence;
  ScanOp scan;
  OpBuilder b;
  IRMapping map;
  llvm::DenseMap<ReadOp, Value> readouts;
  bool splitReads = true;
  AffineScanOp op;
};

void ListBuilder::cloneTokenLocal() {
  for (Operation &op : recurrence.getBody().front().without_terminator())
    if (llvm::none_of(op.getOperands(),
                      [&](Value v) { return step.depends(v); }))
      b.clone(op, map);
}

/// Reads share base vectors if that takes no more products with the state than
/// reading at each key vector as it stands.
void ListBuilder::chooseBases() {
  llvm::SetVector<Value> whole, split;
  OpBuilder::InsertionGuard guard(b);
  recurrence.walk([&](ReadOp read) {
    Value at = map.lookup(read.getAt());
    whole.insert(at);
    for (auto &entry : formOf(read.getAt()))
      split.insert(entry.first);
  });
  splitReads = split.size() <= whole.size();
}

SmallVector<Value> ListBuilder::coefficientsOf(Location loc,
                                               const LinearForm &form) {
  Type scalar =
      cast<RankedTensorType>(scan.getInits()[0].getType()).getElementType();
  return llvm::map_to_vector(form, [&](auto &entry) {
    return oneIfNull(b, loc, entry.second, scalar);
  });
}

static SmallVector<Value> termsOf(const LinearForm &form) {
  return llvm::map_to_vector(form, [](auto &entry) { return entry.first; });
}

/// The linear form of a vector of the step over token-local vectors and
/// readouts of the list.
LinearForm ListBuilder::formOf(Value value) {
  auto termOf = [&](Value leaf) {
    if (auto read = leaf.getDefiningOp<ReadOp>())
      return readouts.lookup(read);
    return map.lookup(leaf);
  };
  auto scalarOf = [&](Value scalar) { return map.lookup(scalar); };
  return linearize(b, value, termOf, scalarOf);
}

void ListBuilder::emitRead(unsigned state, ReadOp read) {
  if (readouts.contains(read))
    return;
  LinearForm form;
  if (splitReads)
    form = formOf(read.getAt());
  else
    form[map.lookup(read.getAt())] = Value();
  readouts[read] = AffineReadOp::create(
      b, read.getLoc(), ReadoutType::get(b.getContext()), state,
      coefficientsOf(read.getLoc(), form), termsOf(form));
}

void ListBuilder::emitWrite(unsigned state, WriteOp write) {
  // A scaled key is the key, with the factor moved into the value.
  Value key = map.lookup(write.getKey()), factor;
  LinearForm keyForm = formOf(write.getKey());
  if (keyForm.size() == 1)
    std::tie(key, factor) = *keyForm.begin();
  LinearForm value = formOf(write.getValue());
  for (auto &entry : value)
    entry.second = multiply(b, write.getLoc(), entry.second, factor);
  AffineWriteOp::create(b, write.getLoc(), state, key,
                        coefficientsOf(write.getLoc(), value), termsOf(value));
}

/// Emits a decay or write, after all reads of the version it consumes: those
/// may stand later in the step.
void ListBuilder::emitStage(unsigned state, Operation *stage) {
  Value version = stage->getOperand(0);
  for (Operation &op : recurrence.getBody().front())
    if (auto read = dyn_cast<ReadOp>(op))
      if (read.getState() == version)
        emitRead(state, read);
  if (auto decay = dyn_cast<DecayOp>(stage))
    AffineDecayOp::create(b, decay.getLoc(), state, map.lookup(decay.getG()));
  else
    emitWrite(state, cast<WriteOp>(stage));
}

DecayKind ListBuilder::decayKind(Value g) {
  if (isa<RankedTensorType>(g.getType()))
    return DecayKind::PerChannel;
  // Constant unless some token input reaches it.
  llvm::SetVector<Value> work;
  work.insert(g);
  for (size_t i = 0; i < work.size(); ++i) {
    if (auto arg = dyn_cast<BlockArgument>(work[i]))
      if (arg.getArgNumber() < scan.getTokens().size())
        return DecayKind::Scalar;
    if (Operation *def = work[i].getDefiningOp())
      work.insert_range(def->getOperands());
  }
  return DecayKind::Constant;
}

/// Facts, "bounded": one unknown write, read back at its own unit key with a
/// coefficient -b, b in [0, 1].
bool ListBuilder::isBounded() {
  auto attrOf = [&](Value value, StringRef name) -> Attribute {
    auto arg = dyn_cast_or_null<BlockArgument>(value);
    if (!arg)
      return {};
    unsigned index = arg.getArgNumber() + recurrence.getNumStates();
    return cast<DictionaryAttr>(recurrence.getArgAttrs()[index]).get(name);
  };
  unsigned unknown = 0;
  bool bounded = true;
  for (auto decay : op.getBody().getOps<AffineDecayOp>())
    bounded &= attrOf(decay.getG(), "qdelta.log_decay") != nullptr;
  for (auto write : op.getBody().getOps<AffineWriteOp>())
    for (auto [coefficient, term] :
         llvm::zip(write.getCoefficients(), write.getTerms())) {
      auto read = term.getDefiningOp<AffineReadOp>();
      if (!read)
        continue;
      ++unknown;
      auto negated = coefficient.getDefiningOp<arith::NegFOp>();
      auto range = dyn_cast_or_null<ArrayAttr>(
          negated ? attrOf(negated.getOperand(), "qdelta.range") : Attribute());
      bounded &= range && cast<FloatAttr>(range[0]).getValueAsDouble() >= 0 &&
                 cast<FloatAttr>(range[1]).getValueAsDouble() <= 1 &&
                 read.getBases().size() == 1 &&
                 read.getBases()[0] == write.getKey() &&
                 attrOf(write.getKey(), "qdelta.unit");
    }
  return bounded && unknown <= 1;
}

FactsAttr ListBuilder::facts() {
  DecayKind kind = DecayKind::None;
  llvm::SetVector<Value> bases;
  SmallVector<bool> unknown;
  for (Operation &stage : op.getBody().front()) {
    if (auto decay = dyn_cast<AffineDecayOp>(stage))
      kind = std::max(kind, decayKind(decay.getG()));
    if (auto read = dyn_cast<AffineReadOp>(stage))
      bases.insert_range(read.getBases());
    if (auto write = dyn_cast<AffineWriteOp>(stage))
      unknown.push_back(llvm::any_of(write.getTerms(), [](Value term) {
        return isa<ReadoutType>(term.getType());
      }));
  }
  return FactsAttr::get(b.getContext(), kind, bases.size(), unknown.size(),
                        unknown, isBounded());
}

/// Erases token-local arithmetic that no list entry uses.
void eraseDead(Block &list) {
  for (Operation &dead : llvm::make_early_inc_range(llvm::reverse(list)))
    if (isOpTriviallyDead(&dead))
      dead.erase();
}

AffineScanOp ListBuilder::build() {
  Location loc = scan.getLoc();
  ArrayRef<Attribute> names = recurrence.getArgNames().getValue();
  op = AffineScanOp::create(
      b, loc, scan.getOutputs().getTypes(), scan.getFinals().getTypes(),
      scan.getTokens(), scan.getParams(), scan.getInits(),
      b.getArrayAttr(names.drop_front(recurrence.getNumStates())),
      FactsAttr::get(b.getContext(), DecayKind::None, 0, 0, {}, false),
      ScheduleAttr());
  Block &list = op.getBody().emplaceBlock();
  for (BlockArgument arg : recurrence.getBody().getArguments().drop_front(
           recurrence.getNumStates()))
    map.map(arg, list.addArgument(arg.getType(), arg.getLoc()));
  b.setInsertionPointToStart(&list);
  cloneTokenLocal();
  chooseBases();

  for (Operation &stage : recurrence.getBody().front()) {
    if (auto read = dyn_cast<ReadOp>(stage))
      emitRead(step.stateOf(read.getState()), read);
    else if (isa<DecayOp, WriteOp>(stage))
      emitStage(step.stateOf(stage.getOperand(0)), &stage);
  }
  for (Value output : recurrence.getYield().getOutputs()) {
    LinearForm form = formOf(output);
    AffineOutputOp::create(b, output.getLoc(),
                           coefficientsOf(output.getLoc(), form),
                           termsOf(form));
  }
  AffineEndOp::create(b, loc);
  eraseDead(list);
  op.setFactsAttr(facts());
  return op;
}

struct DeriveAffinePass : qdelta::impl::DeriveAffineBase<DeriveAffinePass> {
  void runOnOperation() override {
    addEntryPoints(getOperation());
    SymbolTableCollection symbols;
    SmallVector<ScanOp> scans;
    getOperation().walk([&](ScanOp scan) { scans.push_back(scan); });
    for (ScanOp scan : scans) {
      auto recurrence = symbols.lookupNearestSymbolFrom<RecurrenceOp>(
          scan, scan.getCalleeAttr());
      Step step(recurrence);
      if (failed(step.analyze()))
        return signalPassFailure();
      AffineScanOp list = ListBuilder(step, recurrence, scan).build();
      scan.replaceAllUsesWith(list);
      scan.erase();
    }
  }
};
} // namespace

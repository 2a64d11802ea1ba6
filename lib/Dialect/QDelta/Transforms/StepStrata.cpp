//===- StepStrata.cpp - prove a step affine, and order its work -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "StepStrata.h"
#include "LinearForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace qdelta;

/// Dependence on states is a set in a word.
static constexpr uint64_t kMostStates = 64;

bool qdelta::readsMatrix(Operation *op) {
  return isa<ReadOp, ReadValuesOp>(op);
}

bool qdelta::changesMatrix(Operation *op) {
  return isa<WriteOp, MixOp, DecayValuesOp>(op) ||
         (isa<DecayOp>(op) &&
          isa<RankedTensorType>(op->getResult(0).getType()) &&
          cast<RankedTensorType>(op->getResult(0).getType()).getRank() == 2);
}

bool Step::isMatrix(unsigned state) {
  auto type = dyn_cast<RankedTensorType>(
      recurrence.getBody().getArgument(state).getType());
  return type && type.getRank() == 2;
}

Value Step::updateOf(unsigned state) {
  return recurrence.getYield().getStates()[state];
}

ArrayRef<unsigned> Step::statesAt(int64_t position) const {
  if (position < 0 || position >= numPositions())
    return {};
  return statesByPosition[position];
}

Step::List Step::listAt(int64_t position) const {
  if (ArrayRef<unsigned> states = statesAt(position); !states.empty())
    return {states, solvesTransposed(states[0]), false};
  ArrayRef<unsigned> before = statesAt(position - 2);
  if (position % 2 == 0 || before.empty() || !(valueSide >> before[0] & 1))
    return {{}, false, false};
  return {before, !solvesTransposed(before[0]), true};
}

LogicalResult Step::analyze() {
  if (recurrence.getNumStates() > kMostStates)
    return recurrence.emitError("expected at most ")
           << kMostStates << " states, but got " << recurrence.getNumStates();
  if (failed(followChains()))
    return failure();
  findDependence();
  if (failed(checkMixes()))
    return failure();
  findSides();
  findStrata();
  if (failed(checkSides()))
    return failure();
  for (Operation &op : recurrence.getBody().front().without_terminator())
    if (failed(checkOp(&op)))
      return failure();
  if (failed(checkStrata()))
    return failure();
  place();
  return success();
}

/// Follows each matrix state from its argument through decays, writes and mixes
/// to the yield. A vector or scalar state has a chain of its previous value
/// alone.
LogicalResult Step::followChains() {
  YieldOp yield = recurrence.getYield();
  for (BlockArgument state : recurrence.getStates()) {
    SmallVector<Value> chain;
    if (!isMatrix(state.getArgNumber())) {
      chains.push_back({state});
      continue;
    }
    StringRef name = nameOf(state.getArgNumber());
    Value version = state;
    while (version) {
      Operation *consumer = nullptr;
      for (OpOperand &use : version.getUses()) {
        Operation *user = use.getOwner();
        if (!changesMatrix(user) || use.getOperandNumber() != 0)
          continue;
        if (consumer) {
          auto diag = user->emitError("state %")
                      << name
                      << " is used along two paths; each decay, "
                         "write and mix must take the state that the previous "
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
                  << " must be yielded as its last decay, write or "
                     "mix left it";
      diag.attachNote(last.getLoc()) << "that is this value";
      return diag;
    }
    chains.push_back(std::move(chain));
  }
  return success();
}

/// A list changes its states one after the other: a mix adds another state as
/// it is at the mix's own place.
LogicalResult Step::checkMixes() {
  for (auto mix : recurrence.getBody().getOps<MixOp>()) {
    unsigned state = stateOf(mix.getState()), source = stateOf(mix.getSource());
    if (state == source)
      return mix.emitError("state %")
             << nameOf(state) << " cannot be mixed with itself";
    for (OpOperand &use : mix.getSource().getUses()) {
      Operation *user = use.getOwner();
      if (use.getOperandNumber() != 0 || !changesMatrix(user) ||
          mix->isBeforeInBlock(user))
        continue;
      auto diag = mix.emitError("adds state %")
                  << nameOf(source)
                  << " as it was before a later change; a mix must take the "
                     "state as it is at its place";
      diag.attachNote(user->getLoc()) << "the state is changed here";
      return diag;
    }
  }
  return success();
}

Step::Mask Step::dependenceOfOperands(Operation *op) const {
  Mask states = 0;
  for (Value operand : op->getOperands())
    states |= dependsOn.lookup(operand);
  return states;
}

void Step::findDependence() {
  for (auto [index, chain] : llvm::enumerate(chains))
    for (Value version : chain)
      dependsOn[version] = Mask(1) << index;
  for (Operation &op : recurrence.getBody().front())
    for (Value result : op.getResults())
      if (!dependsOn.contains(result))
        dependsOn[result] = dependenceOfOperands(&op);
  for (auto [index, chain] : llvm::enumerate(chains)) {
    Mask used = 0;
    if (isMatrix(index)) {
      // What the state is read at has to be known before it, too. A mix makes
      // one stratum of its states: each one's chain has it as a user.
      for (Value version : chain)
        for (Operation *user : version.getUsers())
          if (readsMatrix(user) || changesMatrix(user))
            used |= dependenceOfOperands(user);
    } else {
      used = dependsOn.lookup(updateOf(index));
    }
    uses.push_back(used | Mask(1) << index);
  }
}

/// Which states are read on their value side, and which of those have writes
/// with keys made of that.
void Step::findSides() {
  for (auto read : recurrence.getBody().getOps<ReadValuesOp>())
    valueSide |= Mask(1) << stateOf(read.getState());
  for (auto write : recurrence.getBody().getOps<WriteOp>())
    transposed |= dependsOn.lookup(write.getState()) & valueSide &
                  dependsOn.lookup(write.getKey());
}

/// What a write writes is linear in one side of its state alone.
LogicalResult Step::checkSides() {
  for (auto write : recurrence.getBody().getOps<WriteOp>()) {
    unsigned state = stateOf(write.getState());
    if (solvesTransposed(state) && depends(write.getValue(), state))
      return write.emitError("the new state is not affine in %")
             << nameOf(state)
             << ": qdelta.write takes a key and a value that both depend on "
                "it";
  }
  for (auto read : recurrence.getBody().getOps<ReadValuesOp>())
    if (Mask own = strata[stateOf(read.getState())]; llvm::popcount(own) > 1)
      return read.emitError("state %")
             << nameOf(stateOf(read.getState()))
             << " is read on its value side, but is coupled with other "
                "states; this has no lowering yet";
  return success();
}

/// Strata are sets of states that reach one another.
void Step::findStrata() {
  reaches = uses;
  size_t count = uses.size();
  for (size_t through = 0; through < count; ++through)
    for (size_t i = 0; i < count; ++i)
      if (reaches[i] >> through & 1)
        reaches[i] |= reaches[through];
  for (size_t i = 0; i < count; ++i) {
    Mask stratum = 0;
    for (size_t j = 0; j < count; ++j)
      if ((reaches[i] >> j & 1) && (reaches[j] >> i & 1))
        stratum |= Mask(1) << j;
    strata.push_back(stratum);
  }
}

LogicalResult Step::checkStrata() {
  for (unsigned i = 0; i < strata.size(); ++i) {
    Mask others = strata[i] & ~(Mask(1) << i);
    if (isMatrix(i) || others == 0)
      continue;
    return recurrence.getYield().emitError("cyclic use of states: %")
           << nameOf(i) << ", which is no matrix, and %"
           << nameOf(llvm::countr_zero(others)) << " depend on one another";
  }
  return success();
}

/// The states whose updates `op`'s results reach within the token.
Step::Mask Step::statesReachedFrom(Operation *op) {
  Mask reached = 0;
  llvm::SetVector<Operation *> work;
  work.insert(op);
  for (size_t i = 0; i < work.size(); ++i)
    for (OpOperand &use : work[i]->getUses()) {
      Operation *user = use.getOwner();
      unsigned number = use.getOperandNumber();
      if (changesMatrix(user)) {
        reached |= dependsOn.lookup(user->getResult(0));
      } else if (isa<YieldOp>(user)) {
        if (number < recurrence.getNumStates())
          reached |= Mask(1) << number;
      } else {
        work.insert(user);
      }
    }
  return reached;
}

bool qdelta::isDiagonalIn(Operation *op,
                          llvm::function_ref<bool(Value)> depends) {
  if (isa<arith::AddFOp, arith::SubFOp, arith::NegFOp>(op))
    return true;
  if (isa<arith::MulFOp>(op))
    return !depends(op->getOperand(0)) || !depends(op->getOperand(1));
  if (isa<ScaleOp, DecayOp>(op))
    return !depends(op->getOperand(1));
  return isa<MaxPlusOp>(op) && !depends(op->getOperand(1)) &&
         !depends(op->getOperand(2));
}

bool Step::isAllowedIn(Operation *op, unsigned state) {
  auto dependent = [&](Value value) { return depends(value, state); };
  return isMatrix(state) ? isLinearIn(op, dependent)
                         : isDiagonalIn(op, dependent);
}

LogicalResult Step::failCyclic(Operation *op, unsigned state, unsigned later) {
  return op->emitError("cyclic use of states: coefficients of %")
         << nameOf(state) << " depend on %" << nameOf(later)
         << ", which is declared after it";
}

LogicalResult Step::failNotAffine(Operation *op, unsigned state) {
  auto diag = op->emitError("the new state is not affine in %")
              << nameOf(state) << ": " << op->getName()
              << " is applied to a value that depends on it";
  diag.attachNote(recurrence.getLoc())
      << (isMatrix(state) ? "sums, negations and qdelta.scale by a token's "
                            "scalar keep a value affine"
                          : "sums, negations, decays and products with what "
                            "does not depend on the state keep it affine");
  return diag;
}

/// Keys, log decays and factors of a matrix state, and what it is read at, are
/// known before it: they do not depend on its stratum in any way.
LogicalResult Step::checkKeySide(Operation *op) {
  unsigned own = stateOf(op->getOperand(0));
  bool isLast = isa<MixOp>(op) || (isa<WriteOp>(op) && solvesTransposed(own));
  Value known = isLast ? op->getOperand(2) : op->getOperand(1);
  Mask used = dependsOn.lookup(known), all = 0;
  for (unsigned i = 0; i < reaches.size(); ++i)
    if (used >> i & 1)
      all |= reaches[i];
  if (Mask cyclic = all & strata[own])
    return op->emitError("the new state is not affine in %")
           << nameOf(llvm::countr_zero(cyclic)) << ": " << op->getName()
           << " takes a key, decay or factor that depends on it";
  if (Mask later = used >> own)
    if (!readsMatrix(op))
      return failCyclic(op, own, own + llvm::countr_zero(later));
  return success();
}

/// A maximum does not distribute over what is affine: it is all of an update.
LogicalResult Step::checkMaxPlus(MaxPlusOp op, unsigned state) {
  if (op.getState() == recurrence.getBody().getArgument(state) &&
      op.getResult() == updateOf(state))
    return success();
  return op.emitError("expected to take state %")
         << nameOf(state)
         << " as the token before left it, and to be its new value";
}

/// Reports the first op that is not affine in a state that its result changes.
LogicalResult Step::checkOp(Operation *op) {
  if (op->getNumRegions() != 0)
    return op->emitError("a step is a straight line, but ")
           << op->getName() << " has a region";
  if (readsMatrix(op) || changesMatrix(op))
    return checkKeySide(op);
  Mask used = dependenceOfOperands(op), reached = 0;
  if (used == 0)
    return success();
  reached = statesReachedFrom(op);
  for (unsigned state = 0; state < uses.size(); ++state) {
    if (!(used >> state & 1))
      continue;
    if (strata[state] & reached) {
      if (!isAllowedIn(op, state))
        return failNotAffine(op, state);
      if (auto maximum = dyn_cast<MaxPlusOp>(op);
          maximum && failed(checkMaxPlus(maximum, state)))
        return failure();
      continue;
    }
    if (reached && !isAllowedIn(op, state)) {
      unsigned target = llvm::countr_zero(reached);
      if (target < state)
        return failCyclic(op, target, state);
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

static bool isOdd(int64_t position) { return position > 0 && position % 2; }

/// Takes strata in an order in which each uses those before it only.
void Step::place() {
  statePositions.assign(uses.size(), -1);
  int64_t lastList = -1;
  Mask done = 0, all = 0;
  for (Mask stratum : strata)
    all |= stratum;
  auto home = [&](int64_t position) -> SmallVector<unsigned> & {
    if (position >= numPositions())
      statesByPosition.resize(position + 1);
    return statesByPosition[position];
  };
  while (done != all)
    for (unsigned i = 0; i < strata.size(); ++i) {
      if ((done >> i & 1) || (reaches[i] & ~strata[i] & ~done))
        continue;
      int64_t needed = -1;
      for (unsigned j = 0; j < strata.size(); ++j)
        if (strata[i] >> j & 1)
          needed = std::max(needed, needsOf(j));
      int64_t position;
      if (isMatrix(i)) {
        position =
            std::max(isOdd(needed) ? needed + 2 : needed + 1, lastList + 2);
        position += !isOdd(position);
        // A state that is read on both sides has the next list too.
        lastList = position + (valueSide >> i & 1 ? 2 : 0);
        home(lastList);
      } else {
        position = std::max<int64_t>(needed + isOdd(needed), 0);
      }
      for (unsigned j = 0; j < strata.size(); ++j)
        if (strata[i] >> j & 1) {
          statePositions[j] = position;
          home(position).push_back(j);
        }
      done |= strata[i];
    }
  for (Operation &op : recurrence.getBody().front())
    for (Value result : op.getResults())
      if (!changesMatrix(&op))
        place(result);
  for (BlockArgument arg : recurrence.getBody().getArguments())
    place(arg);
}

/// The last position of what the update of `state`, and its reads, use besides
/// its own stratum.
int64_t Step::needsOf(unsigned state) {
  Mask own = strata[state];
  if (!isMatrix(state))
    return coefficientsOf(updateOf(state), own);
  int64_t needed = -1;
  for (Value version : chains[state])
    for (Operation *user : version.getUsers())
      if (readsMatrix(user) || changesMatrix(user))
        for (Value operand : user->getOperands().drop_front())
          needed = std::max(needed, coefficientsOf(operand, own));
  return needed;
}

int64_t Step::coefficientsOf(Value value, Mask own) {
  if (!(dependsOn.lookup(value) & own))
    return place(value);
  int64_t needed = -1;
  Operation *op = value.getDefiningOp();
  if (op && !readsMatrix(op)) // a read's key counts where it is read
    for (Value operand : op->getOperands())
      needed = std::max(needed, coefficientsOf(operand, own));
  return needed;
}

int64_t Step::place(Value value) {
  auto known = positions.find(value);
  if (known != positions.end())
    return known->second;
  int64_t position = -1;
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    if (arg.getArgNumber() < recurrence.getNumStates())
      position = statePositions[arg.getArgNumber()];
  } else {
    position = placeOp(value.getDefiningOp());
  }
  positions[value] = position;
  return position;
}

int64_t Step::placeOp(Operation *op) {
  if (readsMatrix(op)) {
    unsigned state = stateOf(op->getOperand(0));
    bool isSecond = isa<ReadValuesOp>(op) != solvesTransposed(state);
    return statePositions[state] + (isSecond ? 2 : 0);
  }
  int64_t last = -1;
  for (Value operand : op->getOperands())
    last = std::max(last, place(operand));
  if (isOdd(last)) {
    auto isLast = [&](Value operand) { return place(operand) == last; };
    return isLinearIn(op, isLast) ? last : last + 1;
  }
  if (last >= 0)
    return last;
  bool anywhere = op->hasTrait<OpTrait::Elementwise>() ||
                  isa<ScaleOp, SplatOp>(op) ||
                  op->hasTrait<OpTrait::ConstantLike>();
  return anywhere ? -1 : 0;
}

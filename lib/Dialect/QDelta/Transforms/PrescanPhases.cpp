//===- PrescanPhases.cpp - in which order a prescan's ops go --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "PrescanPhases.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qdelta;

/// Whether `inner` is a function of a scalar for which there is no instruction,
/// but a polynomial within an ulp or two: one of many tokens at once costs as
/// much as one. Others stay calls of the C library, token by token.
static bool isFunction(Operation &inner) {
  return isa<math::ExpOp, math::LogOp, math::Log1pOp>(inner) &&
         !isa<RankedTensorType>(inner.getResult(0).getType());
}

/// Whether `inner` has to go token by token: it works on vectors or on a state.
static bool isOfToken(Operation &inner) {
  auto isVector = [](Type type) { return isa<RankedTensorType>(type); };
  return isa<AdvanceOp>(inner) ||
         llvm::any_of(inner.getOperandTypes(), isVector) ||
         llvm::any_of(inner.getResultTypes(), isVector);
}

bool PrescanPhases::isMade(Value value) {
  Operation *def = value.getDefiningOp();
  return def && !matchPattern(def, m_Constant());
}

int64_t PrescanPhases::phaseFor(Operation &inner) const {
  int64_t phase = 0;
  for (Value operand : inner.getOperands())
    phase = std::max(phase, of(operand));
  if (isOfToken(inner))
    return phase | 1;
  return isFunction(inner) ? phase + phase % 2 : phase;
}

/// Places every op once after what it uses; returns whether one has moved. The
/// states before their updates are there where they are updated.
bool PrescanPhases::place() {
  bool moved = false;
  auto raise = [&](Value value, int64_t phase) {
    int64_t &now = phases[value];
    moved |= phase > now;
    now = std::max(now, phase);
    lastPhase = std::max(lastPhase, now);
  };
  for (Operation &inner : op.getBody().front().without_terminator())
    if (inner.getNumResults() == 1 && isMade(inner.getResult(0)))
      raise(inner.getResult(0), phaseFor(inner));
  for (AdvanceOp advance : op.getAdvances()) {
    int64_t phase = std::max(of(advance.getResult()), of(advance.getState()));
    raise(advance.getResult(), phase);
    raise(advance.getState(), phase);
  }
  return moved;
}

void PrescanPhases::placeAllIn(int64_t phase) {
  phases.clear();
  for (Operation &inner : op.getBody().front().without_terminator())
    if (inner.getNumResults() == 1 && isMade(inner.getResult(0)))
      phases[inner.getResult(0)] = phase;
  for (Value state : op.getStates())
    phases[state] = phase;
  lastPhase = phase;
}

PrescanPhases PrescanPhases::single(PrescanOp op) {
  PrescanPhases phases;
  phases.op = op;
  phases.placeAllIn(1);
  return phases;
}

PrescanPhases::PrescanPhases(PrescanOp op) : op(op) {
  Block &body = op.getBody().front();
  if (llvm::none_of(body.without_terminator(), isFunction)) {
    placeAllIn(1);
    return;
  }
  // Every round but the last moves an op by a phase or more; two states whose
  // updates use one another through a function would move for ever.
  size_t rounds = 2 * body.getOperations().size();
  while (place())
    if (rounds-- == 0) {
      placeAllIn(1);
      return;
    }
  functions = true;
  for (Value output : body.getTerminator()->getOperands())
    lastPhase = std::max(lastPhase, ofStore(output));
}

bool PrescanPhases::isUsedIn(Value value, int64_t phase) const {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    return isa<PrescanYieldOp>(user) ? ofStore(value) == phase
                                     : of(user) == phase;
  });
}

bool PrescanPhases::isUsedLater(Value value) const {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    return isa<PrescanYieldOp>(user) ? ofStore(value) > of(value)
                                     : of(user) > of(value);
  });
}

//===- SquareStates.cpp - states whose columns are keys too ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"

using namespace mlir;
using namespace qdelta;

bool qdelta::isSquare(Value state) {
  while (Operation *op = state.getDefiningOp()) {
    // Ops that change a state take it first.
    if (!isa<DecayOp, DecayValuesOp, WriteOp, MixOp>(op))
      return false;
    state = op->getOperand(0);
  }
  auto arg = cast<BlockArgument>(state);
  auto recurrence = dyn_cast<RecurrenceOp>(arg.getOwner()->getParentOp());
  // Its names and attributes may not have been verified yet.
  if (!recurrence || arg.getArgNumber() >= recurrence.getNumStates() ||
      arg.getArgNumber() >= recurrence.getArgAttrs().size())
    return false;
  return cast<DictionaryAttr>(recurrence.getArgAttrs()[arg.getArgNumber()])
      .contains(kSquareAttr);
}

bool qdelta::readsSquare(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (isa<ReadOp, ReadValuesOp>(op))
    return isSquare(op->getOperand(0));
  return llvm::any_of(op->getOperands(), readsSquare);
}

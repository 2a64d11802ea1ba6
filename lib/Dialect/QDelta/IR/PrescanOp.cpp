//===- PrescanOp.cpp - qdelta.prescan: shapes and the order of its states -===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "PackedSequences.h"
#include "SequenceTypes.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

void PrescanOp::getAsmBlockArgumentNames(Region &region,
                                         OpAsmSetValueNameFn setName) {
  for (auto [arg, name] : llvm::zip(region.getArguments(), getArgNames()))
    setName(arg, cast<StringAttr>(name).getValue());
}

SmallVector<AdvanceOp> PrescanOp::getAdvances() {
  return llvm::to_vector(getBody().front().getOps<AdvanceOp>());
}

/// prescan_c1 and prescan_c2: `found` holds `inStep`, a scalar or a vector,
/// behind `lead` dimensions.
static LogicalResult verifyShape(PrescanOp op, Type found, Type inStep,
                                 int64_t lead, const Twine &name,
                                 StringRef label) {
  auto tensor = cast<RankedTensorType>(found);
  auto vector = dyn_cast<RankedTensorType>(inStep);
  if (!vector && !isa<FloatType>(inStep))
    return op.emitOpError("expected ")
           << name << " to be a scalar or a vector, but got " << inStep << " /*"
           << label << "*/";
  int64_t rank = lead + (vector ? 1 : 0);
  if (tensor.getRank() == rank)
    return success();
  return op.emitOpError("expected ")
         << name << " to have rank " << rank << ", but got " << found << " /*"
         << label << "*/";
}

static LogicalResult verifyArguments(PrescanOp op) {
  Block &step = op.getBody().front();
  size_t tokens = op.getTokens().size(), params = op.getParams().size();
  size_t count = tokens + params + op.getInits().size();
  if (step.getNumArguments() != count || op.getArgNames().size() != count ||
      tokens == 0)
    return op.emitOpError("has ")
           << step.getNumArguments() << " region arguments for " << tokens
           << " token inputs, " << params << " parameters and "
           << op.getInits().size()
           << " states, and at least one token input is needed "
              "/*prescan_c1*/";
  SequenceTypes types(op, "prescan_c1", /*mayMix=*/true);
  for (BlockArgument arg : step.getArguments()) {
    unsigned index = arg.getArgNumber();
    Type found = op.getOperand(1 + index).getType();
    StringRef name = cast<StringAttr>(op.getArgNames()[index]).getValue();
    bool isToken = index < tokens,
         isParam = !isToken && index < tokens + params;
    if (failed(verifyShape(op, found, arg.getType(),
                           isToken   ? 3
                           : isParam ? 1
                                     : 2,
                           name, "prescan_c1")) ||
        failed(isToken && isa<RankedTensorType>(arg.getType())
                   ? types.addVectors(found, arg.getType(), name)
                   : types.addPlain(found, arg.getType(), name)))
      return failure();
  }
  return success();
}

static LogicalResult verifyResults(PrescanOp op) {
  auto yield = dyn_cast<PrescanYieldOp>(op.getBody().front().getTerminator());
  if (!yield)
    return op.emitOpError("expected the region to end with "
                          "qdelta.prescan_yield");
  if (yield.getValues().size() != op.getOutputs().size())
    return op.emitOpError("yields ")
           << yield.getValues().size() << " values for "
           << op.getOutputs().size() << " outputs /*prescan_c2*/";
  SequenceTypes types(op, "prescan_c2", /*mayMix=*/true);
  for (auto [index, value, output] :
       llvm::enumerate(yield.getValues(), op.getOutputs())) {
    std::string name = "output " + std::to_string(index);
    if (failed(verifyShape(op, output.getType(), value.getType(), 3, name,
                           "prescan_c2")) ||
        failed(isa<RankedTensorType>(value.getType())
                   ? types.addVectors(output.getType(), value.getType(), name)
                   : types.addPlain(output.getType(), value.getType(), name)))
      return failure();
  }
  if (op.getFinals().getTypes() != op.getInits().getTypes())
    return op.emitOpError("expected final states of the types of the initial "
                          "ones /*prescan_c2*/");
  return success();
}

/// prescan_c3 and prescan_c4.
static LogicalResult verifyStates(PrescanOp op) {
  SmallVector<AdvanceOp> advances = op.getAdvances();
  auto states = op.getStates();
  bool inOrder = advances.size() == states.size();
  for (auto [advance, state] : llvm::zip(advances, states))
    inOrder &= advance.getState() == state;
  if (!inOrder)
    return op.emitOpError("expected one qdelta.advance of each state, in their "
                          "order /*prescan_c3*/");
  // The highest state, counted from 1, that a value depends on.
  llvm::DenseMap<Value, size_t> highest;
  for (auto [index, state] : llvm::enumerate(states))
    highest[state] = index + 1;
  size_t index = 0;
  for (Operation &inner : op.getBody().front()) {
    size_t most = 0;
    for (Value operand : inner.getOperands())
      most = std::max(most, highest.lookup(operand));
    if (auto advance = dyn_cast<AdvanceOp>(inner)) {
      ++index;
      for (Value used : {advance.getBy(), advance.getWith()})
        if (used && highest.lookup(used) >= index)
          return advance.emitOpError("takes a factor or an addend that depends "
                                     "on this state or a later one "
                                     "/*prescan_c4*/");
    }
    for (Value result : inner.getResults())
      highest[result] = most;
  }
  return success();
}

LogicalResult PrescanOp::verifyRegions() {
  if (failed(verifyArguments(*this)) || failed(verifyResults(*this)) ||
      failed(verifyPacked(*this, "prescan_c5")) ||
      failed(verifyInPlace(*this, getInPlace(), getCuSeqlens(), getStateIndex(),
                           cast<RankedTensorType>(getTokens()[0].getType()),
                           getInits(), getFinals(), "prescan_c6")))
    return failure();
  return verifyStates(*this);
}

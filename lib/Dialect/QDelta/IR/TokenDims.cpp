//===- TokenDims.cpp - key, value or scalar: the dimension of each value of a
// step ===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"
#include "qdelta/Dialect/QDelta/IR/TokenHeads.h"

using namespace mlir;
using namespace qdelta;

namespace {
bool isVectorDim(TokenDim dim) {
  return dim == TokenDim::Key || dim == TokenDim::HalfKey ||
         dim == TokenDim::Value;
}

/// One pass of constraints over the step. Returns whether anything was learnt.
/// Elementwise ops join the dimensions of their vector operands and results.
bool propagate(Block &step, llvm::DenseMap<Value, TokenDim> &dims) {
  bool changed = false;
  auto learn = [&](Value value, TokenDim dim) {
    TokenDim &known = dims[value];
    if (known != TokenDim::Unknown || dim == TokenDim::Unknown)
      return;
    known = dim;
    changed = true;
  };
  auto learnKey = [&](Value value) { learn(value, TokenDim::Key); };
  auto learnValue = [&](Value value) { learn(value, TokenDim::Value); };
  // What runs over the columns of a state.
  auto learnColumn = [&](Value state, Value value) {
    learn(value, isSquare(state) ? TokenDim::Key : TokenDim::Value);
  };
  for (Operation &op : step) {
    auto decayed = dyn_cast<DecayOp>(op);
    if (decayed && dims[decayed.getState()] == TokenDim::State) {
      learnKey(decayed.getG());
    } else if (auto rotate = dyn_cast<RotateOp>(op)) {
      learnKey(rotate.getVector());
      learnKey(rotate.getResult());
      learn(rotate.getCos(), TokenDim::HalfKey);
      learn(rotate.getSin(), TokenDim::HalfKey);
    } else if (auto read = dyn_cast<ReadOp>(op)) {
      learnKey(read.getAt());
      learnColumn(read.getState(), read.getResult());
    } else if (auto read = dyn_cast<ReadValuesOp>(op)) {
      learnColumn(read.getState(), read.getAt());
      learnKey(read.getResult());
    } else if (auto decay = dyn_cast<DecayValuesOp>(op)) {
      learnColumn(decay.getState(), decay.getG());
    } else if (auto write = dyn_cast<WriteOp>(op)) {
      learnKey(write.getKey());
      learnColumn(write.getState(), write.getValue());
    } else if (isa<MixOp>(op)) {
      continue; // two matrices and a scalar
    } else if (auto yield = dyn_cast<YieldOp>(op)) {
      llvm::for_each(yield.getOutputs(), learnValue);
      for (auto [value, state] :
           llvm::zip(yield.getStates(), step.getArguments())) {
        learn(value, dims[state]);
        learn(state, dims[value]);
      }
    } else if (auto decay = dyn_cast<AffineDecayOp>(op)) {
      learnKey(decay.getG());
    } else if (auto decay = dyn_cast<AffineDecayValuesOp>(op)) {
      learnValue(decay.getG());
    } else if (auto read = dyn_cast<AffineReadOp>(op)) {
      llvm::for_each(read.getBases(), learnKey);
    } else if (auto write = dyn_cast<AffineWriteOp>(op)) {
      learnKey(write.getKey());
      llvm::for_each(write.getTerms(), learnValue);
    } else if (auto output = dyn_cast<AffineOutputOp>(op)) {
      llvm::for_each(output.getTerms(), learnValue);
    } else {
      SmallVector<Value> joined(op.getOperands());
      llvm::append_range(joined, op.getResults());
      TokenDim dim = TokenDim::Unknown;
      for (Value value : joined)
        if (isVectorDim(dims[value]))
          dim = dims[value];
      for (Value value : joined)
        learn(value, dim);
    }
  }
  return changed;
}

/// What no op of a summary's step tells is as in the recurrence that it was
/// derived from. Returns whether anything was learnt.
bool inherit(Block &step, llvm::DenseMap<Value, TokenDim> &dims) {
  auto recurrence = dyn_cast_or_null<RecurrenceOp>(step.getParentOp());
  auto name = recurrence
                  ? recurrence->getAttrOfType<FlatSymbolRefAttr>(kSummaryOfAttr)
                  : FlatSymbolRefAttr();
  auto of = name ? SymbolTable::lookupNearestSymbolFrom<RecurrenceOp>(
                       recurrence->getParentOp(), name)
                 : RecurrenceOp();
  if (!of || of == recurrence || of->hasAttr(kSummaryOfAttr))
    return false;
  auto known = inferTokenDims(of.getBody().front());
  bool changed = false;
  for (BlockArgument arg : step.getArguments())
    for (BlockArgument own : of.getBody().getArguments()) {
      if (dims[arg] != TokenDim::Unknown ||
          recurrence.getArgNames()[arg.getArgNumber()] !=
              of.getArgNames()[own.getArgNumber()])
        continue;
      dims[arg] = known[own];
      changed |= dims[arg] != TokenDim::Unknown;
    }
  return changed;
}
} // namespace

bool qdelta::hasValueHeads(TokenDim dim, DictionaryAttr attrs) {
  return dim == TokenDim::Scalar || dim == TokenDim::Value ||
         attrs.contains("qdelta.log_decay");
}

llvm::DenseMap<Value, TokenDim> qdelta::inferTokenDims(Block &step) {
  llvm::DenseMap<Value, TokenDim> dims;
  auto start = [&](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    dims[value] = !type                 ? TokenDim::Scalar
                  : type.getRank() == 2 ? TokenDim::State
                                        : TokenDim::Unknown;
  };
  llvm::for_each(step.getArguments(), start);
  for (Operation &op : step)
    llvm::for_each(op.getResults(), start);
  do
    while (propagate(step, dims)) {
    }
  while (inherit(step, dims));
  return dims;
}

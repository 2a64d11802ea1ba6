//===- TokenDims.cpp - key, value or scalar: the dimension of each value of a
// step ===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

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
      learnValue(read.getResult());
    } else if (auto read = dyn_cast<ReadValuesOp>(op)) {
      learnValue(read.getAt());
      learnKey(read.getResult());
    } else if (auto decay = dyn_cast<DecayValuesOp>(op)) {
      learnValue(decay.getG());
    } else if (auto write = dyn_cast<WriteOp>(op)) {
      learnKey(write.getKey());
      learnValue(write.getValue());
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
  while (propagate(step, dims)) {
  }
  return dims;
}

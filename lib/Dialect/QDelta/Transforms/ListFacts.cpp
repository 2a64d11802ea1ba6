//===- ListFacts.cpp - what the derivation knows about a list
//--------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "DeriveStage.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qdelta;

/// How strongly a decay by `g` depends on the token.
static DecayKind decayKind(AffineScanOp op, Value g) {
  if (isa<RankedTensorType>(g.getType()))
    return DecayKind::PerChannel;
  // Constant unless some token input reaches it.
  llvm::SetVector<Value> work;
  work.insert(g);
  for (size_t i = 0; i < work.size(); ++i) {
    if (auto arg = dyn_cast<BlockArgument>(work[i]))
      if (arg.getArgNumber() < op.getTokens().size())
        return DecayKind::Scalar;
    if (Operation *def = work[i].getDefiningOp())
      work.insert_range(def->getOperands());
  }
  return DecayKind::Constant;
}

/// Facts, "bounded": one unknown write, read back at its own unit key with a
/// coefficient -b, b in [0, 1].
static bool isBounded(AffineScanOp op,
                      llvm::function_ref<Attribute(Value, StringRef)> attrOf) {
  unsigned unknown = 0;
  bool bounded = op.getInits().size() == 1;
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

FactsAttr
qdelta::findFacts(AffineScanOp op,
                  llvm::function_ref<Attribute(Value, StringRef)> attrOf) {
  DecayKind kind = DecayKind::None;
  llvm::SetVector<std::pair<Value, uint64_t>> bases;
  SmallVector<bool> unknown;
  for (Operation &stage : op.getBody().front()) {
    if (auto decay = dyn_cast<AffineDecayOp>(stage))
      kind = std::max(kind, decayKind(op, decay.getG()));
    if (auto read = dyn_cast<AffineReadOp>(stage))
      for (Value base : read.getBases())
        bases.insert({base, read.getState()});
    if (auto write = dyn_cast<AffineWriteOp>(stage))
      unknown.push_back(llvm::any_of(write.getTerms(), [](Value term) {
        return isa<ReadoutType>(term.getType());
      }));
  }
  return FactsAttr::get(op.getContext(), kind, bases.size(), unknown.size(),
                        unknown, isBounded(op, attrOf));
}

//===- ListFacts.cpp - what the derivation knows about a list -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ListFacts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"

#include <set>

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
  for (auto decay : op.getBody().getOps<AffineDecayValuesOp>())
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

static bool isPerChannel(AffineDecayOp decay) {
  return isa<RankedTensorType>(decay.getG().getType());
}

FactsAttr
qdelta::findFacts(AffineScanOp op,
                  llvm::function_ref<Attribute(Value, StringRef)> attrOf) {
  DecayKind kind = DecayKind::None;
  // A state, a base, and the decays per channel of that state before it.
  std::set<std::tuple<uint64_t, void *, int64_t>> reads;
  llvm::DenseMap<uint64_t, int64_t> places;
  SmallVector<bool> unknown;
  for (Operation &stage : op.getBody().front()) {
    if (auto decay = dyn_cast<AffineDecayOp>(stage)) {
      kind = std::max(kind, decayKind(op, decay.getG()));
      places[decay.getState()] += isPerChannel(decay);
    } else if (isa<AffineDecayValuesOp>(stage)) {
      kind = DecayKind::PerValueChannel;
    } else if (auto read = dyn_cast<AffineReadOp>(stage)) {
      for (Value base : read.getBases())
        reads.insert({read.getState(), base.getAsOpaquePointer(),
                      places[read.getState()]});
    } else if (auto write = dyn_cast<AffineWriteOp>(stage)) {
      unknown.push_back(llvm::any_of(write.getTerms(), [](Value term) {
        return isa<ReadoutType>(term.getType());
      }));
    }
  }
  return FactsAttr::get(op.getContext(), kind, reads.size(), unknown.size(),
                        unknown, isBounded(op, attrOf));
}

int64_t qdelta::countGrams(AffineScanOp op) {
  /// A base or key, where it stands in the list, and how many of its state's
  /// decays per channel stand before it.
  struct Vector {
    uint64_t state;
    void *value;
    int64_t position, place;
  };
  SmallVector<Vector> reads, writes;
  llvm::DenseMap<uint64_t, int64_t> places;
  int64_t position = 0;
  for (Operation &stage : op.getBody().front()) {
    ++position;
    auto at = [&](uint64_t state, Value value) {
      return Vector{state, value.getAsOpaquePointer(), position, places[state]};
    };
    if (auto decay = dyn_cast<AffineDecayOp>(stage))
      places[decay.getState()] += isPerChannel(decay);
    else if (auto read = dyn_cast<AffineReadOp>(stage))
      for (Value base : read.getBases())
        reads.push_back(at(read.getState(), base));
    else if (auto write = dyn_cast<AffineWriteOp>(stage))
      writes.push_back(at(write.getState(), write.getKey()));
  }
  // A mix carries writes of one state to reads of another; there are no decays
  // per channel then, and states share their products.
  bool mixes = !op.getBody().getOps<AffineMixOp>().empty();
  std::set<std::tuple<uint64_t, void *, void *, int64_t, int64_t, bool>> grams;
  for (const Vector &read : reads)
    for (const Vector &write : writes)
      if (mixes || read.state == write.state)
        grams.insert(
            {mixes ? 0 : read.state, read.value, write.value, read.place,
             write.place,
             places[read.state] > 0 && write.position < read.position});
  return grams.size();
}

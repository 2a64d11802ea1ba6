//===- Restarts.cpp - both lists of a state, span by span -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Restarts.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include <numeric>

using namespace mlir;
using namespace qdelta;

/// Bounds on the tokens of a span, for the sake of speed: a transpose costs
/// little beside 128 tokens.
static constexpr int64_t kFewestTokens = 16, kMostTokens = 128;

namespace {
/// The first list of a state.
struct FirstList {
  size_t place;
  OpResult final;
  bool isTransposed;
};
} // namespace

Restarts qdelta::findRestarts(ArrayRef<Operation *> ops) {
  Restarts restarts;
  llvm::DenseMap<Value, FirstList> known;
  for (auto [at, op] : llvm::enumerate(ops)) {
    auto list = dyn_cast<AffineScanOp>(op);
    if (!list)
      continue;
    if (list.getInPlace() || list.getLevels())
      return {};
    for (auto [init, result] : llvm::zip(list.getInits(), list.getFinals())) {
      auto transpose = init.getDefiningOp<TransposeStateOp>();
      Value state = transpose ? transpose.getState() : init;
      auto final = cast<OpResult>(result);
      auto [entry, isFirst] =
          known.try_emplace(state, FirstList{at, final, !!transpose});
      const FirstList &first = entry->second;
      if (isFirst || first.isTransposed == !!transpose)
        continue;
      restarts.begin =
          restarts ? std::min(restarts.begin, first.place) : first.place;
      restarts.end = at + 1;
      restarts.firsts[final] = first.final;
    }
  }
  return restarts;
}

/// A delta rule whose keys have D channels corrects an error within some D
/// tokens, so a sum of more tokens would be worse than it.
int64_t qdelta::restartTokens(ArrayRef<Operation *> ops,
                              const Restarts &restarts) {
  int64_t chunks = 1, channels = kMostTokens;
  for (Operation *op : ops)
    if (auto list = dyn_cast<AffineScanOp>(op))
      chunks = std::lcm(chunks, list.getSchedule()->getChunk());
  for (auto [second, first] : restarts.firsts)
    channels = std::min(channels,
                        cast<RankedTensorType>(first.getType()).getDimSize(2));
  return llvm::alignTo(std::max(channels, kFewestTokens), chunks);
}

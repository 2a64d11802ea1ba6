//===- Restarts.cpp - both lists of a state, span by span -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Restarts.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <numeric>

using namespace mlir;
using namespace qdelta;

/// Tokens between restarts at least: few enough that what they add up stays
/// within the bound on errors where nothing decays, enough that a transpose
/// costs little beside them.
static constexpr int64_t kLeastTokens = 64;

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
      restarts.begin = restarts ? std::min(restarts.begin, first.place)
                                : first.place;
      restarts.end = at + 1;
      restarts.pairs.push_back({first.final, final});
    }
  }
  return restarts;
}

int64_t qdelta::restartTokens(ArrayRef<Operation *> ops) {
  int64_t chunks = 1;
  for (Operation *op : ops)
    if (auto list = dyn_cast<AffineScanOp>(op))
      chunks = std::lcm(chunks, list.getSchedule()->getChunk());
  return llvm::alignTo(kLeastTokens, chunks);
}

Value qdelta::createTranspose(OpBuilder &b, Location loc, Value states,
                              Value batch, Value head, Value to) {
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  auto type = cast<RankedTensorType>(states.getType());
  Value zero = index(0), one = index(1);
  auto overKeys = scf::ForOp::create(
      b, loc, zero, index(type.getDimSize(2)), one, to,
      [&](OpBuilder &, Location, Value k, ValueRange outer) {
        auto overValues = scf::ForOp::create(
            b, loc, zero, index(type.getDimSize(3)), one, outer,
            [&](OpBuilder &, Location, Value v, ValueRange inner) {
              Value element = tensor::ExtractOp::create(
                  b, loc, states, ValueRange{batch, head, k, v});
              Value next = tensor::InsertOp::create(
                  b, loc, element, inner[0], ValueRange{zero, zero, v, k});
              scf::YieldOp::create(b, loc, next);
            });
        scf::YieldOp::create(b, loc, overValues.getResults());
      });
  return overKeys.getResult(0);
}

//===- TokenFactors.cpp - factors of passes that go token by token --------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "TokenFactors.h"
#include "LinalgTiles.h"
#include "Renewal.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qdelta;

namespace {
class FactorBuilder {
public:
  FactorBuilder(OpBuilder &b, Location loc, const ChunkList &list, Value valid,
                RunningDecay &running)
      : b(b), loc(loc), list(list), valid(valid), running(running.states) {
    tile = RankedTensorType::get({list.chunk}, list.element);
  }

  FailureOr<TokenFactors> build(TokenTiles &tiles);

private:
  Value constant(Type type, double value) {
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
  }
  /// A token's entry of a tile [C].
  Value at(Value of, int64_t token) {
    Value index = arith::ConstantIndexOp::create(b, loc, token);
    return tensor::ExtractOp::create(b, loc, of, index);
  }
  Value wide(Value value) { return convert(b, loc, value, b.getF64Type()); }
  Value rounded(Value value) { return convert(b, loc, value, list.element); }
  Value runningOf(unsigned state) {
    return running.empty() ? Value() : running[state];
  }
  Value decay(unsigned state, Value log);
  Value mix(const CouplingStep &step, Value by);
  Value write(unsigned state, int64_t token);
  Value read(unsigned state);

  OpBuilder &b;
  Location loc;
  const ChunkList &list;
  Value valid;
  RankedTensorType tile;
  SmallVectorImpl<Value> &running;
};

/// What the rows are multiplied by.
Value FactorBuilder::decay(unsigned state, Value log) {
  Value factor = math::ExpOp::create(b, loc, log);
  Value before = runningOf(state);
  if (!before)
    return factor;
  NumberRenewal renewal = createNumberRenewal(
      b, loc, arith::MulFOp::create(b, loc, before, wide(factor)));
  running[state] = renewal.next;
  return rounded(renewal.factor);
}

Value FactorBuilder::mix(const CouplingStep &step, Value by) {
  Value source = runningOf(step.source), target = runningOf(step.target);
  if (!source && !target)
    return by;
  Value factor = wide(by);
  if (source)
    factor = arith::MulFOp::create(b, loc, factor, source);
  if (target)
    factor = arith::DivFOp::create(b, loc, factor, target);
  return rounded(factor);
}

Value FactorBuilder::write(unsigned state, int64_t token) {
  Value factor = constant(list.element, 1.0);
  if (Value own = runningOf(state))
    factor = rounded(
        arith::DivFOp::create(b, loc, constant(b.getF64Type(), 1.0), own));
  Value zero = constant(list.element, 0.0);
  return arith::SelectOp::create(b, loc, at(valid, token), factor, zero);
}

/// Null for 1.
Value FactorBuilder::read(unsigned state) {
  Value own = runningOf(state);
  return own ? rounded(own) : Value();
}

FailureOr<TokenFactors> FactorBuilder::build(TokenTiles &tiles) {
  SmallVector<Value> by;
  for (const CouplingStep &step : list.steps) {
    Value &tile = by.emplace_back();
    if (step.along == TokenDim::Value)
      continue;
    // Tokens that do not exist change nothing.
    tile = step.along == TokenDim::Key ? tiles.get(b, step.by)
                                       : tiles.getWhere(b, step.by, valid);
    if (!tile)
      return failure();
  }
  SmallVector<SmallVector<Value>> couplings(list.steps.size()),
      writes(list.writes.size()), reads(list.lateReadings.size());
  for (int64_t token = 0; token < list.chunk; ++token)
    for (auto [kind, number] : list.rowSteps) {
      if (kind == RowStep::Write) {
        writes[number].push_back(write(list.writes[number].state, token));
      } else if (kind == RowStep::Read) {
        if (Value factor = read(std::get<1>(list.lateReadings[number])))
          reads[number].push_back(factor);
      } else {
        const CouplingStep &step = list.steps[number];
        if (step.along != TokenDim::Scalar)
          continue;
        Value own = at(by[number], token);
        couplings[number].push_back(step.target == step.source
                                        ? decay(step.target, own)
                                        : mix(step, own));
      }
    }
  auto tilesOf = [&](ArrayRef<SmallVector<Value>> all) {
    SmallVector<Value> made;
    for (ArrayRef<Value> entries : all)
      made.push_back(entries.empty()
                         ? Value()
                         : tensor::FromElementsOp::create(b, loc, tile, entries)
                               .getResult());
    return made;
  };
  TokenFactors made{tilesOf(couplings), tilesOf(writes), tilesOf(reads)};
  for (auto [step, log, factor] : llvm::zip(list.steps, by, made.couplings))
    if (step.along == TokenDim::Key)
      factor = math::ExpOp::create(b, loc, log);
  return made;
}
} // namespace

FailureOr<TokenFactors> qdelta::createTokenFactors(OpBuilder &b, Location loc,
                                                   const ChunkList &list,
                                                   TokenTiles &tiles,
                                                   Value valid,
                                                   RunningDecay &running) {
  return FactorBuilder(b, loc, list, valid, running).build(tiles);
}

int64_t qdelta::countRowsOfTokens(const ChunkList &list) {
  int64_t mixes = llvm::count_if(list.steps, [](const CouplingStep &step) {
    return step.target != step.source;
  });
  int64_t rows = list.states.size();
  rows += list.chunk *
          static_cast<int64_t>(list.writes.size() + list.lateReadings.size());
  for (const Reading &reading : list.readings)
    for (int64_t token = 0; token < list.chunk; ++token)
      rows += list.isRead(reading, token);
  return rows + list.chunk * mixes;
}

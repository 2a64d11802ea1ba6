//===- ChunkSystem.cpp - the part of a chunk that all value columns share -===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ChunkSystem.h"
#include "LinearForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qdelta;

void ChunkSystem::forEachShared(llvm::function_ref<void(Value &)> visit) {
  auto visitIfSet = [&](Value &value) {
    if (value)
      visit(value);
  };
  for (auto &key : keys)
    visit(key.second);
  for (auto *targets : {&writes, &outputs})
    for (ChunkTarget &target : *targets) {
      for (auto &readout : target.readouts)
        visitIfSet(readout.second);
      for (auto &direct : target.direct)
        visitIfSet(direct.second);
      for (auto &earlier : target.earlier)
        visit(earlier.second.matrix);
    }
  for (Value &factor : updateFactors)
    visit(factor);
  for (auto &scalar : scalars)
    visit(scalar.second);
  visit(decay);
  visitIfSet(runningDecay);
}

namespace {

class SystemBuilder {
public:
  SystemBuilder(OpBuilder &b, Location loc, const ChunkList &list,
                TokenTiles &tiles, Value valid, Value runningDecay)
      : b(b), loc(loc), list(list), tiles(tiles), valid(valid) {
    system.runningDecay = runningDecay;
    scalarTile = RankedTensorType::get(
        cast<RankedTensorType>(valid.getType()).getShape(), list.element);
  }

  FailureOr<ChunkSystem> build();

private:
  LogicalResult createKeysAndLogs();
  void createDecays();
  LogicalResult createTarget(ChunkTarget &target,
                             const ChunkList::Terms &terms);
  Value readInteraction(const ChunkList::Read &read, unsigned writeIndex,
                        bool inclusive);
  LogicalResult addScalars(Value vector);
  /// `tile` where the token exists, 0 elsewhere.
  Value maskInvalid(Value tile);
  Value addTiles(Value lhs, Value rhs);
  DenseElementsAttr ones() {
    return DenseElementsAttr::get(scalarTile,
                                  b.getFloatAttr(list.element, 1.0));
  }
  /// A number in f64 as one of the list's.
  Value rounded(Value value) {
    return value.getType() == list.element
               ? value
               : arith::TruncFOp::create(b, loc, list.element, value);
  }
  Value scaleRows(Value tile, Value by);
  Value decayTo(int64_t place);

  OpBuilder &b;
  Location loc;
  const ChunkList &list;
  TokenTiles &tiles;
  Value valid;
  RankedTensorType scalarTile;
  SmallVector<Value> logs;
  llvm::DenseMap<std::pair<Value, Value>, Value> grams;
  llvm::DenseMap<int64_t, Value> decaysToPlace;
  ChunkSystem system;
};

Value SystemBuilder::maskInvalid(Value tile) {
  auto zeros = arith::ConstantOp::create(
      b, loc, b.getZeroAttr(cast<RankedTensorType>(tile.getType())));
  return arith::SelectOp::create(b, loc, valid, tile, zeros);
}

Value SystemBuilder::addTiles(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return arith::AddFOp::create(b, loc, lhs, rhs);
}

Value SystemBuilder::scaleRows(Value tile, Value by) {
  return by ? ScaleOp::create(b, loc, tile, by).getResult() : tile;
}

LogicalResult SystemBuilder::createKeysAndLogs() {
  for (Value key : list.keys) {
    Value tile = tiles.get(b, key);
    if (!tile)
      return failure();
    system.keys[key] = tile;
  }
  for (Value log : list.logs) {
    Value tile = tiles.get(b, log);
    if (!tile)
      return failure();
    logs.push_back(maskInvalid(tile));
  }
  return success();
}

/// What the state's content at the chunk's start has become at place `place` of
/// each token, [C]; null for 1.
Value SystemBuilder::decayTo(int64_t place) {
  Value &decay = decaysToPlace[place];
  if (!decay && !logs.empty()) {
    decay = ChunkDecayOp::create(b, loc, scalarTile, logs, IntegerAttr(),
                                 b.getI64IntegerAttr(place), UnitAttr());
    if (system.runningDecay)
      decay = ScaleOp::create(b, loc, decay, rounded(system.runningDecay));
  }
  return decay;
}

/// The decay of the whole chunk, and the update factors. A deferred decay
/// divides what is stored by the running decay; before that leaves
/// [2^-40, 2^40] the stored state is brought up to date instead
/// (docs/Decisions/0004). Products that run on from chunk to chunk are f64:
/// their rounding is common to the whole state and would add up.
void SystemBuilder::createDecays() {
  Type f64 = b.getF64Type();
  auto constant = [&](double value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(value));
  };
  Value inverse;
  if (logs.empty()) {
    system.decay =
        arith::ConstantOp::create(b, loc, b.getFloatAttr(list.element, 1.0));
  } else {
    Value total = ChunkDecayOp::create(b, loc, f64, logs, IntegerAttr(),
                                       IntegerAttr(), UnitAttr());
    if (Value running = system.runningDecay) {
      Value one = constant(1.0);
      Value end = arith::MulFOp::create(b, loc, running, total);
      Value low = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ULT, end,
                                        constant(0x1p-40));
      Value high = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UGT, end,
                                         constant(0x1p40));
      Value renew = arith::OrIOp::create(b, loc, low, high);
      total = arith::SelectOp::create(b, loc, renew, end, one);
      system.nextRunningDecay =
          arith::SelectOp::create(b, loc, renew, one, end);
      inverse =
          rounded(arith::DivFOp::create(b, loc, one, system.nextRunningDecay));
    }
    system.decay = rounded(total);
  }
  for (const ChunkList::Write &write : list.writes) {
    Value factor;
    if (logs.empty())
      factor = arith::ConstantOp::create(b, loc, ones());
    else
      factor = ChunkDecayOp::create(b, loc, scalarTile, logs,
                                    b.getI64IntegerAttr(write.place),
                                    IntegerAttr(), UnitAttr());
    if (inverse)
      factor = ScaleOp::create(b, loc, factor, inverse);
    system.updateFactors.push_back(maskInvalid(factor));
  }
}

/// B of docs/Spec.md for one read and one write: (sum_b c_b X_b A^T) * decay.
Value SystemBuilder::readInteraction(const ChunkList::Read &read,
                                     unsigned writeIndex, bool inclusive) {
  const ChunkList::Write &write = list.writes[writeIndex];
  int64_t chunk = scalarTile.getDimSize(0);
  auto matrixType = RankedTensorType::get({chunk, chunk}, list.element);
  Value sum;
  for (auto [coefficient, base] : read.bases) {
    Value &gram = grams[{base, write.key}];
    if (!gram)
      gram = ChunkGramOp::create(b, loc, matrixType, system.keys[base],
                                 system.keys[write.key]);
    sum = addTiles(sum, scaleRows(gram, tiles.getUnlessOne(b, coefficient)));
  }
  Value decay = ChunkDecayOp::create(b, loc, matrixType, logs,
                                     b.getI64IntegerAttr(write.place),
                                     b.getI64IntegerAttr(read.place),
                                     inclusive ? b.getUnitAttr() : UnitAttr());
  return arith::MulFOp::create(b, loc, sum, decay);
}

/// Token scalars that the token-local value vector `vector` is made with.
LogicalResult SystemBuilder::addScalars(Value vector) {
  Operation *op = vector.getDefiningOp();
  if (!op)
    return success();
  for (Value operand : op->getOperands()) {
    if (isa<RankedTensorType>(operand.getType())) {
      if (failed(addScalars(operand)))
        return failure();
      continue;
    }
    Value tile = tiles.get(b, operand);
    if (!tile)
      return failure();
    system.scalars[operand] = tile;
  }
  return success();
}

LogicalResult SystemBuilder::createTarget(ChunkTarget &target,
                                          const ChunkList::Terms &terms) {
  auto addTo = [&](llvm::MapVector<Value, Value> &sums, Value term,
                   Value coefficient) {
    auto [entry, isNew] = sums.try_emplace(term, coefficient);
    if (isNew)
      return;
    auto one = [&](Value value) {
      return value ? value : arith::ConstantOp::create(b, loc, ones());
    };
    entry->second =
        arith::AddFOp::create(b, loc, one(entry->second), one(coefficient));
  };
  for (auto [coefficient, term] : terms) {
    Value factor = tiles.getUnlessOne(b, coefficient);
    auto read = list.reads.find(term);
    if (read == list.reads.end()) {
      addTo(target.direct, term, factor);
      if (failed(addScalars(term)))
        return failure();
      continue;
    }
    for (auto [baseCoefficient, base] : read->second.bases) {
      Value product =
          multiply(b, loc, factor, tiles.getUnlessOne(b, baseCoefficient));
      product = multiply(b, loc, product, decayTo(read->second.place));
      addTo(target.readouts, base, product);
    }
    for (unsigned w = 0; w < list.writes.size(); ++w) {
      bool inclusive = list.writes[w].position < read->second.position;
      Value matrix =
          scaleRows(readInteraction(read->second, w, inclusive), factor);
      auto [entry, isNew] = target.earlier.try_emplace(
          w, ChunkTarget::Interaction{matrix, inclusive});
      if (isNew)
        continue;
      entry->second.matrix = addTiles(entry->second.matrix, matrix);
      entry->second.inclusive |= inclusive;
    }
  }
  return success();
}

FailureOr<ChunkSystem> SystemBuilder::build() {
  if (failed(createKeysAndLogs()))
    return failure();
  createDecays();
  for (const ChunkList::Write &write : list.writes)
    if (failed(createTarget(system.writes.emplace_back(), write.values)))
      return failure();
  for (const ChunkList::Terms &output : list.outputs)
    if (failed(createTarget(system.outputs.emplace_back(), output)))
      return failure();
  if (tiles.hasFailed())
    return failure();
  return std::move(system);
}
} // namespace

FailureOr<ChunkSystem> qdelta::createChunkSystem(OpBuilder &b, Location loc,
                                                 const ChunkList &list,
                                                 TokenTiles &tiles, Value valid,
                                                 Value runningDecay) {
  return SystemBuilder(b, loc, list, tiles, valid, runningDecay).build();
}

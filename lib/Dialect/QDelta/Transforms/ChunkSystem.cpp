//===- ChunkSystem.cpp - the part of a chunk that all value columns share -===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ChunkSystem.h"
#include "LinearForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <map>

using namespace mlir;
using namespace qdelta;

void ChunkSystem::forEachShared(llvm::function_ref<void(Value &)> visit) {
  auto visitIfSet = [&](Value &value) {
    if (value)
      visit(value);
  };
  for (auto &read : reads)
    visit(read.second);
  for (Value &key : writeKeys)
    visit(key);
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
  visitIfSet(channelDecay);
  visitIfSet(channelsDecay);
  visitIfSet(nextRunning.common);
  visitIfSet(nextRunning.channels);
}

/// The tiles of `decays`' readings. Fails like `createChunkSystem`.
static FailureOr<ReadTiles> readTiles(OpBuilder &b, Location loc,
                                      const ChunkList &list, TokenTiles &tiles,
                                      ChunkDecays &decays) {
  ReadTiles reads;
  for (auto [base, place] : list.readings) {
    Value tile = tiles.get(b, base);
    if (!tile)
      return failure();
    if (Value decay = decays.channelsTo(place))
      tile = arith::MulFOp::create(b, loc, tile, decay);
    reads[{base, place}] = tile;
  }
  return reads;
}

FailureOr<ReadTiles> qdelta::createReadTiles(OpBuilder &b, Location loc,
                                             const ChunkList &list,
                                             TokenTiles &tiles, Value valid) {
  ChunkDecays decays(b, loc, list, valid, RunningDecay());
  if (failed(decays.load(tiles)))
    return failure();
  return readTiles(b, loc, list, tiles, decays);
}

namespace {

class SystemBuilder {
public:
  SystemBuilder(OpBuilder &b, Location loc, const ChunkList &list,
                TokenTiles &tiles, Value valid, RunningDecay running)
      : b(b), loc(loc), list(list), tiles(tiles),
        decays(b, loc, list, valid, running) {
    scalarTile = RankedTensorType::get(
        cast<RankedTensorType>(valid.getType()).getShape(), list.element);
  }

  FailureOr<ChunkSystem> build();

private:
  LogicalResult createKeysAndDecays();
  LogicalResult createTarget(ChunkTarget &target,
                             const ChunkList::Terms &terms);
  Value readInteraction(const ChunkList::Read &read, unsigned writeIndex);
  LogicalResult addScalars(Value vector);
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

  OpBuilder &b;
  Location loc;
  const ChunkList &list;
  TokenTiles &tiles;
  ChunkDecays decays;
  RankedTensorType scalarTile;
  /// By base, write's key, their channel places and whether the write stands
  /// before the read.
  std::map<std::tuple<void *, void *, int64_t, int64_t, bool>, Value> grams;
  ChunkSystem system;
};

Value SystemBuilder::addTiles(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return arith::AddFOp::create(b, loc, lhs, rhs);
}

Value SystemBuilder::scaleRows(Value tile, Value by) {
  return by ? ScaleOp::create(b, loc, tile, by).getResult() : tile;
}

LogicalResult SystemBuilder::createKeysAndDecays() {
  for (Value key : list.keys)
    if (!tiles.get(b, key))
      return failure();
  if (failed(decays.load(tiles)))
    return failure();
  decays.createTotals();
  for (const ChunkList::Write &write : list.writes)
    system.updateFactors.push_back(decays.updateFactor(write.place));
  FailureOr<ReadTiles> reads = readTiles(b, loc, list, tiles, decays);
  if (failed(reads))
    return failure();
  system.reads = std::move(*reads);
  for (const ChunkList::Write &write : list.writes) {
    Value key = tiles.get(b, write.key);
    if (Value decay = decays.channelsToEnd(write.channelPlace))
      key = arith::MulFOp::create(b, loc, key, decay);
    system.writeKeys.push_back(key);
  }
  system.decay = decays.decay;
  system.channelDecay = decays.channelDecay;
  system.channelsDecay = decays.channelsDecay;
  system.nextRunning = decays.next;
  return success();
}

/// B of docs/Spec.md for one read and one write: (sum_b c_b X_b A^T) * decay,
/// where decays per channel are part of the products.
Value SystemBuilder::readInteraction(const ChunkList::Read &read,
                                     unsigned writeIndex) {
  const ChunkList::Write &write = list.writes[writeIndex];
  bool inclusive = write.position < read.position;
  Value sum;
  for (auto [coefficient, base] : read.bases) {
    Value &gram =
        grams[{base.getAsOpaquePointer(), write.key.getAsOpaquePointer(),
               write.channelPlace, read.channelPlace,
               inclusive && !list.channelLogs.empty()}];
    if (!gram)
      gram =
          decays.gram(tiles.get(b, base), tiles.get(b, write.key), write, read);
    sum = addTiles(sum, scaleRows(gram, tiles.getUnlessOne(b, coefficient)));
  }
  if (Value decay = decays.between(write, read))
    sum = arith::MulFOp::create(b, loc, sum, decay);
  return sum;
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
  auto addTo = [&](auto &sums, auto term, Value coefficient) {
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
      product = multiply(b, loc, product, decays.to(read->second.place));
      addTo(target.readouts, Reading(base, read->second.channelPlace), product);
    }
    for (unsigned w = 0; w < list.writes.size(); ++w) {
      bool inclusive = list.writes[w].position < read->second.position;
      Value matrix = scaleRows(readInteraction(read->second, w), factor);
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
  if (failed(createKeysAndDecays()))
    return failure();
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
                                                 RunningDecay running) {
  return SystemBuilder(b, loc, list, tiles, valid, running).build();
}

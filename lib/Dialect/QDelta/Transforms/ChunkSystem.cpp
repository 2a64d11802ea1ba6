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
  for (auto *keys : {&writeKeys, &lateKeys, &tokens.couplings})
    for (Value &shared : *keys)
      visitIfSet(shared);
  for (auto *targets : {&writes, &outputs})
    for (ChunkTarget &target : *targets) {
      for (auto &readout : target.readouts)
        visitIfSet(readout.second);
      for (auto &late : target.late)
        visitIfSet(late.second);
      for (auto &direct : target.direct)
        visitIfSet(direct.second);
      for (auto &earlier : target.earlier)
        visit(earlier.second.matrix);
      for (auto &joined : target.joined)
        visitIfSet(joined.second);
    }
  for (ByState &factors : updateFactors)
    for (auto &factor : factors)
      visit(factor.second);
  for (auto &scalar : scalars)
    visit(scalar.second);
  for (StateUpdate &state : states) {
    visit(state.decay);
    visitIfSet(state.channelDecay);
    visitIfSet(state.channelsDecay);
    for (auto &other : state.others)
      visit(other.second);
  }
  visitIfSet(nextRunning.common);
  visitIfSet(nextRunning.channels);
  for (Value &running : nextRunning.states)
    visitIfSet(running);
}

/// The tiles of the list's readings. Fails like `createChunkSystem`.
static FailureOr<ReadTiles> readTiles(OpBuilder &b, Location loc,
                                      const ChunkList &list, TokenTiles &tiles,
                                      ChunkCoupling &coupling) {
  ReadTiles reads;
  for (auto [base, place, state] : list.readings) {
    Value tile = tiles.get(b, base);
    if (!tile)
      return failure();
    if (Value decay = coupling.decaysOf(state).channelsTo(place))
      tile = arith::MulFOp::create(b, loc, tile, decay);
    reads[{base, place, state}] = tile;
  }
  return reads;
}

FailureOr<ReadTiles> qdelta::createReadTiles(OpBuilder &b, Location loc,
                                             const ChunkList &list,
                                             TokenTiles &tiles, Value valid) {
  ChunkCoupling coupling(b, loc, list, valid, RunningDecay());
  if (failed(coupling.load(tiles)))
    return failure();
  return readTiles(b, loc, list, tiles, coupling);
}

namespace {

class SystemBuilder {
public:
  SystemBuilder(OpBuilder &b, Location loc, const ChunkList &list,
                TokenTiles &tiles, Value valid, RunningDecay running)
      : b(b), loc(loc), list(list), tiles(tiles), valid(valid),
        running(running), coupling(b, loc, list, valid, running) {
    scalarTile = RankedTensorType::get(
        cast<RankedTensorType>(valid.getType()).getShape(), list.element);
  }

  FailureOr<ChunkSystem> build();

private:
  LogicalResult createKeysAndDecays();
  LogicalResult createTarget(ChunkTarget &target,
                             const ChunkList::Terms &terms);
  void createUpdates();
  LogicalResult createTokens();
  template <typename Sums, typename Term>
  void addTo(Sums &sums, const Term &term, Value coefficient);
  void addLate(ChunkTarget &target, const ChunkList::Read &read, Value factor);
  void addReadings(ChunkTarget &target, const ChunkList::Read &read,
                   Value factor);
  void addWrites(ChunkTarget &target, const ChunkList::Read &read,
                 Value factor);
  void addJoined(ChunkTarget &target, const ChunkList::Write &write);
  Value products(const ChunkList::Read &read, const ChunkList::Write &write);
  Value readInteraction(const ChunkList::Read &read,
                        const ChunkList::Write &write);
  Value ownInteraction(const ChunkList::Read &read,
                       const ChunkList::Write &write);
  Value identity();
  /// Whether `read` stands behind `write`, but not behind the next one that
  /// joins it.
  bool standsBetween(const ChunkList::Read &read,
                     const ChunkList::Write &write) const {
    return write.joinedBy && write.position < read.position &&
           read.position < list.writes[*write.joinedBy].position;
  }
  LogicalResult addScalars(Value vector);
  Value addTiles(Value lhs, Value rhs);
  DenseElementsAttr ones() {
    return DenseElementsAttr::get(scalarTile,
                                  b.getFloatAttr(list.element, 1.0));
  }
  Value scaleRows(Value tile, Value by);

  OpBuilder &b;
  Location loc;
  const ChunkList &list;
  TokenTiles &tiles;
  Value valid;
  RunningDecay running;
  ChunkCoupling coupling;
  RankedTensorType scalarTile;
  /// By base, write's key, their channel places, whose decays per channel stand
  /// in between, and whether the write stands before the read.
  std::map<std::tuple<void *, void *, int64_t, int64_t, int64_t, bool>, Value>
      grams;
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
  // What is done in order asks for nothing between two places.
  if (!list.inOrder && failed(coupling.load(tiles)))
    return failure();
  if (list.byTokens && failed(createTokens()))
    return failure();
  if (!list.byTokens)
    createUpdates();
  FailureOr<ReadTiles> reads = readTiles(b, loc, list, tiles, coupling);
  if (failed(reads))
    return failure();
  system.reads = std::move(*reads);
  for (const ChunkList::Write &write : list.writes) {
    Value key = tiles.get(b, write.key);
    ChunkDecays &decays = coupling.decaysOf(write.state);
    if (Value decay = decays.channelsToEnd(write.channelPlace))
      key = arith::MulFOp::create(b, loc, key, decay);
    system.writeKeys.push_back(key);
  }
  return success();
}

/// The factors of what a pass over all states does for one token after the
/// other.
LogicalResult SystemBuilder::createTokens() {
  system.nextRunning = running;
  FailureOr<TokenFactors> factors =
      createTokenFactors(b, loc, list, tiles, valid, system.nextRunning);
  if (failed(factors))
    return failure();
  system.tokens = std::move(*factors);
  for (auto [write, factor] : llvm::zip(list.writes, system.tokens.writes))
    system.updateFactors.emplace_back()[write.state] = factor;
  for (const LateReading &late : list.lateReadings)
    system.lateKeys.push_back(tiles.get(b, std::get<0>(late)));
  return success();
}

/// The factors of all that is in the states at the chunk's end.
void SystemBuilder::createUpdates() {
  coupling.createTotals();
  for (const ChunkList::Write &write : list.writes) {
    ByState &factors = system.updateFactors.emplace_back();
    if (write.joinedBy)
      continue;
    for (unsigned state = 0; state < list.states.size(); ++state)
      if (list.isLeftIn(write, state))
        factors[state] = coupling.updateFactor(write, state);
  }
  int64_t end = list.steps.size();
  for (unsigned state = 0; state < list.states.size(); ++state) {
    ChunkDecays &decays = coupling.decaysOf(state);
    StateUpdate &update = system.states.emplace_back();
    update.decay = coupling.total(state, state);
    update.channelDecay = decays.channelDecay;
    update.channelsDecay = decays.channelsDecay;
    for (unsigned other = 0; other < list.states.size(); ++other)
      if (other != state && list.reaches(other, 0, state, end, list.chunk - 1))
        update.others[other] = coupling.total(other, state);
  }
  system.nextRunning = coupling.decaysOf(0).next;
}

/// sum_b c_b X_b A^T for one read and one write. Decays per channel are part of
/// the products.
Value SystemBuilder::products(const ChunkList::Read &read,
                              const ChunkList::Write &write) {
  bool inclusive = write.position < read.position;
  ChunkDecays &decays = coupling.decaysOf(read.state);
  bool perChannel = !list.states[read.state].channelLogs.empty();
  int64_t whose = perChannel ? read.state : -1;
  Value sum;
  for (auto [coefficient, base] : read.bases) {
    Value &gram = grams[{base.getAsOpaquePointer(),
                         write.key.getAsOpaquePointer(), write.channelPlace,
                         read.channelPlace, whose, inclusive && perChannel}];
    if (!gram)
      gram =
          decays.gram(tiles.get(b, base), tiles.get(b, write.key), write, read);
    sum = addTiles(sum, scaleRows(gram, tiles.getUnlessOne(b, coefficient)));
  }
  return sum;
}

/// B of docs/Spec.md for one read and one write.
Value SystemBuilder::readInteraction(const ChunkList::Read &read,
                                     const ChunkList::Write &write) {
  Value sum = products(read, write);
  if (Value decay = coupling.between(write, read))
    sum = arith::MulFOp::create(b, loc, sum, decay);
  return sum;
}

/// The diagonal of B: what a token's own write is to its read.
Value SystemBuilder::ownInteraction(const ChunkList::Read &read,
                                    const ChunkList::Write &write) {
  Value sum = arith::MulFOp::create(b, loc, products(read, write), identity());
  return arith::MulFOp::create(b, loc, sum, coupling.between(write, read));
}

/// Ones on the diagonal of a matrix [C x C].
Value SystemBuilder::identity() {
  auto type = RankedTensorType::get({list.chunk, list.chunk}, list.element);
  auto ones = [&](bool inclusive) {
    return ChunkDecayOp::create(b, loc, type, ValueRange(),
                                b.getI64IntegerAttr(0), b.getI64IntegerAttr(0),
                                inclusive ? b.getUnitAttr() : UnitAttr());
  };
  return arith::SubFOp::create(b, loc, ones(true), ones(false));
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

/// Adds `coefficient` to that of `term`; null is 1.
template <typename Sums, typename Term>
void SystemBuilder::addTo(Sums &sums, const Term &term, Value coefficient) {
  auto [entry, isNew] = sums.try_emplace(term, coefficient);
  if (isNew)
    return;
  auto one = [&](Value value) {
    return value ? value : arith::ConstantOp::create(b, loc, ones());
  };
  entry->second =
      arith::AddFOp::create(b, loc, one(entry->second), one(coefficient));
}

/// `factor` times what `read` sees of the states at its own place.
void SystemBuilder::addLate(ChunkTarget &target, const ChunkList::Read &read,
                            Value factor) {
  for (auto [coefficient, base] : read.bases) {
    auto entry = llvm::find(list.lateReadings,
                            LateReading(base, read.state, read.rowPlace));
    auto number = static_cast<unsigned>(entry - list.lateReadings.begin());
    Value product =
        multiply(b, loc, factor, tiles.getUnlessOne(b, coefficient));
    addTo(target.late, number,
          multiply(b, loc, product, system.tokens.reads[number]));
  }
}

/// `factor` times what `read` sees of the states at the chunk's start.
void SystemBuilder::addReadings(ChunkTarget &target,
                                const ChunkList::Read &read, Value factor) {
  for (auto [coefficient, base] : read.bases) {
    Value product =
        multiply(b, loc, factor, tiles.getUnlessOne(b, coefficient));
    for (unsigned state = 0; state < list.states.size(); ++state)
      if (Reading reading(base, read.channelPlace, state);
          list.reaches(state, 0, read.state, read.step, list.chunk - 1))
        addTo(target.readouts, PlacedReading(reading, read.valuePlace),
              multiply(b, loc, product, coupling.to(read, state)));
  }
}

/// `factor` times what `read` sees of the chunk's own writes.
void SystemBuilder::addWrites(ChunkTarget &target, const ChunkList::Read &read,
                              Value factor) {
  for (auto [w, write] : llvm::enumerate(list.writes)) {
    // Of writes that are joined, later tokens see the last.
    bool isOwn = standsBetween(read, write);
    if (write.joinedBy && !isOwn)
      continue;
    if (!list.reaches(write.state, write.step, read.state, read.step,
                      isOwn ? 0 : list.chunk - 1))
      continue;
    bool inclusive = write.position < read.position;
    Value matrix =
        isOwn ? ownInteraction(read, write) : readInteraction(read, write);
    matrix = scaleRows(matrix, factor);
    auto [entry, isNew] = target.earlier.try_emplace(
        {w, read.valuePlace}, ChunkTarget::Interaction{matrix, inclusive});
    if (isNew)
      continue;
    entry->second.matrix = addTiles(entry->second.matrix, matrix);
    entry->second.inclusive |= inclusive;
  }
}

/// What `write` takes along of the one that it joins.
void SystemBuilder::addJoined(ChunkTarget &target,
                              const ChunkList::Write &write) {
  if (!write.joins)
    return;
  const ChunkList::Write &before = list.writes[*write.joins];
  Value factor =
      coupling.decaysOf(write.state).within(before.place, write.place);
  if (!before.unknown && !write.takesAllBack) {
    target.joined[*write.joins] = factor;
    return;
  }
  auto &[matrix, inclusive] = target.earlier[{*write.joins, 0}];
  matrix = addTiles(matrix, scaleRows(identity(), factor));
  inclusive = true;
}

LogicalResult SystemBuilder::createTarget(ChunkTarget &target,
                                          const ChunkList::Terms &terms) {
  for (auto [coefficient, term] : terms) {
    Value factor = tiles.getUnlessOne(b, coefficient);
    auto read = list.reads.find(term);
    if (read == list.reads.end()) {
      addTo(target.direct, term, factor);
      if (failed(addScalars(term)))
        return failure();
      continue;
    }
    if (read->second.late) {
      addLate(target, read->second, factor);
      continue;
    }
    addReadings(target, read->second, factor);
    addWrites(target, read->second, factor);
  }
  return success();
}

FailureOr<ChunkSystem> SystemBuilder::build() {
  if (failed(createKeysAndDecays()))
    return failure();
  for (const ChunkList::Write &write : list.writes) {
    ChunkTarget &target = system.writes.emplace_back();
    if (failed(createTarget(target, write.values)))
      return failure();
    addJoined(target, write);
  }
  for (const ChunkList::Terms &output : list.outputs)
    if (failed(createTarget(system.outputs.emplace_back(), output)))
      return failure();
  for (const ChunkList::State &state : list.states)
    for (Value log : state.valueLogs)
      if (failed(addScalars(log)))
        return failure();
  for (const CouplingStep &step : list.steps)
    if (step.along == TokenDim::Value && failed(addScalars(step.by)))
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

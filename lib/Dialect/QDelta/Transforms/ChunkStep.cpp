//===- ChunkStep.cpp - what a chunk does to one block of value columns ----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ChunkStep.h"
#include "LinalgTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qdelta;

namespace {

class StepBuilder {
public:
  StepBuilder(OpBuilder &b, Location loc, const ChunkList &list,
              ChunkSystem &system, TokenTiles &tiles, Value running,
              const llvm::DenseMap<Reading, Value> &readouts,
              RankedTensorType tileType)
      : b(b), loc(loc), list(list), system(system), tiles(tiles),
        readouts(readouts), tileType(tileType), decays(b, loc, list, running) {}

  FailureOr<ChunkStep> build(StepSolver solver, Value valid,
                             UpdateByTokens updateByTokens);

private:
  Value addScaled(Value sum, Value tile, Value by) {
    if (by)
      tile = ScaleOp::create(b, loc, tile, by);
    return sum ? arith::AddFOp::create(b, loc, sum, tile) : tile;
  }
  Value addDirect(Value sum, ChunkTarget &target);
  Value addReadouts(Value sum, ChunkTarget &target);
  Value matrixOf(ChunkTarget &target, unsigned w);
  Value applyWrite(Value sum, ChunkTarget &target, unsigned w, Value written);
  void findWritten(StepSolver solver);
  Value addLate(Value sum, ChunkTarget &target, ArrayRef<Value> late);
  Value writeInOrder(unsigned write, ArrayRef<Value> late);
  LogicalResult createCouplings();
  void createOutputs(ArrayRef<Value> late);
  void createUpdates();
  void substituteToken();
  SmallVector<Value> solve(ArrayRef<Value> matrices, ArrayRef<Value> rhs);
  SmallVector<Value> solveByInverse(ArrayRef<Value> matrices,
                                    ArrayRef<Value> rhs, bool bounded);

  OpBuilder &b;
  Location loc;
  const ChunkList &list;
  ChunkSystem &system;
  TokenTiles &tiles;
  const llvm::DenseMap<Reading, Value> &readouts;
  RankedTensorType tileType;
  ValueDecays decays;
  ChunkStep step;
};

Value StepBuilder::addDirect(Value sum, ChunkTarget &target) {
  for (auto [term, coefficient] : target.direct)
    sum = addScaled(sum, tiles.get(b, term), coefficient);
  return sum;
}

Value StepBuilder::addReadouts(Value sum, ChunkTarget &target) {
  for (auto [placed, coefficient] : target.readouts) {
    auto [reading, valuePlace] = placed;
    Value readout = readouts.lookup(reading);
    if (Value decay = decays.to(std::get<2>(reading), valuePlace))
      readout = arith::MulFOp::create(b, loc, readout, decay);
    sum = addScaled(sum, readout, coefficient);
  }
  return sum;
}

/// What write `w` enters `target` with: zeros if nothing carries it there.
/// Without decays per value channel all value places are 0.
Value StepBuilder::matrixOf(ChunkTarget &target, unsigned w) {
  auto entry = target.earlier.find({w, 0});
  if (entry != target.earlier.end())
    return entry->second.matrix;
  int64_t chunk = tileType.getDimSize(0);
  auto type = RankedTensorType::get({chunk, chunk}, tileType.getElementType());
  return arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
}

Value StepBuilder::applyWrite(Value sum, ChunkTarget &target, unsigned w,
                              Value written) {
  for (auto &[place, interaction] : target.earlier)
    if (place.first == w)
      sum = decays.apply(interaction.matrix, written, sum, list.writes[w],
                         place.second, interaction.inclusive);
  return sum;
}

SmallVector<Value> StepBuilder::solve(ArrayRef<Value> matrices,
                                      ArrayRef<Value> rhs) {
  auto op = ChunkSolveOp::create(
      b, loc, SmallVector<Type>(rhs.size(), tileType), matrices, rhs);
  return llvm::to_vector_of<Value>(op.getResults());
}

SmallVector<Value> StepBuilder::solveByInverse(ArrayRef<Value> matrices,
                                               ArrayRef<Value> rhs,
                                               bool bounded) {
  SmallVector<Type> types;
  for (Value matrix : matrices)
    types.push_back(matrix.getType());
  auto inverse = ChunkInverseOp::create(b, loc, types, matrices, bounded);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(tileType));
  SmallVector<Value> solutions;
  size_t count = rhs.size();
  for (size_t row = 0; row < count; ++row) {
    Value sum = zero;
    for (size_t column = 0; column < count; ++column)
      sum =
          ChunkApplyOp::create(b, loc, inverse.getResult(row * count + column),
                               rhs[column], sum, column <= row);
    solutions.push_back(sum);
  }
  return solutions;
}

/// Known writes first, then the system of the unknown ones: of what an unknown
/// one has come to, `known` is what it has joined, and the rest is solved for.
void StepBuilder::findWritten(StepSolver solver) {
  ArrayRef<ChunkList::Write> writes = list.writes;
  SmallVector<Value> rhs, matrices, known(writes.size());
  SmallVector<unsigned> unknown;
  bool hasKnown =
      !llvm::all_of(writes, std::mem_fn(&ChunkList::Write::unknown));
  for (auto [w, target] : llvm::enumerate(system.writes)) {
    // What comes directly may be large, and then would round each addend.
    bool isLast = hasKnown && writes[w].unknown;
    Value sum =
        addReadouts(isLast ? Value() : addDirect(Value(), target), target);
    for (auto [before, coefficient] : target.joined)
      known[w] = addScaled(Value(), known[before], coefficient);
    if (writes[w].unknown) {
      unknown.push_back(w);
      rhs.push_back(sum);
      continue;
    }
    known[w] = known[w] ? addScaled(sum, known[w], Value()) : sum;
    step.written[w] = known[w];
  }
  for (auto [i, row] : llvm::enumerate(unknown)) {
    ChunkTarget &target = system.writes[row];
    for (unsigned w = 0; w < writes.size(); ++w)
      if (known[w])
        rhs[i] = applyWrite(rhs[i], target, w, known[w]);
    if (hasKnown)
      rhs[i] = addDirect(rhs[i], target);
    for (unsigned w : unknown)
      matrices.push_back(matrixOf(target, w));
  }
  if (unknown.empty())
    return;
  auto solutions =
      solver == StepSolver::Substitution
          ? solve(matrices, rhs)
          : solveByInverse(matrices, rhs, solver == StepSolver::BoundedInverse);
  for (auto [w, solution] : llvm::zip(unknown, solutions))
    step.written[w] =
        known[w] ? addScaled(solution, known[w], Value()) : solution;
}

/// The writes of a chunk of one token, whatever decays stand between them: each
/// follows from those before it.
void StepBuilder::substituteToken() {
  for (auto [w, target] : llvm::enumerate(system.writes)) {
    Value sum = addReadouts(addDirect(Value(), target), target);
    for (auto &[place, interaction] : target.earlier)
      if (interaction.inclusive)
        sum = decays.apply(interaction.matrix, step.written[place.first], sum,
                           list.writes[place.first], place.second,
                           /*inclusive=*/true);
    step.written[w] = sum;
  }
}

Value StepBuilder::addLate(Value sum, ChunkTarget &target,
                           ArrayRef<Value> late) {
  for (auto [number, coefficient] : target.late)
    sum = addScaled(sum, late[number], coefficient);
  return sum;
}

/// A write that comes to its turn when all reads before it are known.
Value StepBuilder::writeInOrder(unsigned write, ArrayRef<Value> late) {
  ChunkTarget &target = system.writes[write];
  step.written[write] = addLate(addDirect(Value(), target), target, late);
  return ScaleOp::create(b, loc, step.written[write],
                         system.updateFactors[write].front().second);
}

LogicalResult StepBuilder::createCouplings() {
  for (const CouplingStep &coupling : list.steps) {
    Value &factor = step.couplings.emplace_back();
    if (coupling.along != TokenDim::Value)
      continue;
    Value log = tiles.get(b, coupling.by);
    if (!log)
      return failure();
    factor = math::ExpOp::create(b, loc, log);
  }
  return success();
}

/// `late` are the tiles of the late readings.
void StepBuilder::createOutputs(ArrayRef<Value> late) {
  for (ChunkTarget &target : system.outputs) {
    Value sum = addReadouts(Value(), target);
    for (unsigned w = 0; w < list.writes.size(); ++w)
      sum = applyWrite(sum, target, w, step.written[w]);
    step.outputs.push_back(addDirect(addLate(sum, target, late), target));
  }
}

void StepBuilder::createUpdates() {
  for (auto [write, value, factors] :
       llvm::zip(list.writes, step.written, system.updateFactors)) {
    ByState &updates = step.updates.emplace_back();
    Value left = value;
    if (Value decay = decays.toEnd(write.state, write.valuePlace))
      left = arith::MulFOp::create(b, loc, left, decay);
    for (auto &[state, factor] : factors)
      updates[state] = ScaleOp::create(b, loc, left, factor);
  }
}

FailureOr<ChunkStep> StepBuilder::build(StepSolver solver, Value valid,
                                        UpdateByTokens updateByTokens) {
  if (failed(decays.load(tiles, valid)))
    return failure();
  step.written.resize(list.writes.size());
  bool ofOneToken = list.hasValueDecays() && list.chunk == 1;
  if (ofOneToken)
    substituteToken();
  else if (!list.inOrder)
    findWritten(solver);
  if (list.inOrder) {
    if (failed(createCouplings()))
      return failure();
    auto valueOf = [&](unsigned write, ArrayRef<Value> late) {
      return writeInOrder(write, late);
    };
    createOutputs(updateByTokens(step, valueOf));
  } else if (list.byTokens) {
    createUpdates();
    auto valueOf = [&](unsigned write, ArrayRef<Value>) {
      return step.updates[write].lookup(list.writes[write].state);
    };
    createOutputs(updateByTokens(step, valueOf));
  } else {
    createOutputs({});
    createUpdates();
  }
  for (unsigned state = 0; state < list.states.size(); ++state)
    step.columns.push_back(decays.total(state));
  step.columnsDecay = decays.getRenewal().when;
  step.nextRunning = decays.getRenewal().next;
  return std::move(step);
}
} // namespace

FailureOr<ChunkStep> qdelta::createChunkStep(
    OpBuilder &b, Location loc, const ChunkList &list, ChunkSystem &system,
    TokenTiles &tiles, Value valid, Value running,
    const llvm::DenseMap<Reading, Value> &readouts, RankedTensorType tileType,
    StepSolver solver, UpdateByTokens updateByTokens) {
  return StepBuilder(b, loc, list, system, tiles, running, readouts, tileType)
      .build(solver, valid, updateByTokens);
}

static Value onesUnless(OpBuilder &b, Location loc, Value when, Value factors) {
  return arith::SelectOp::create(b, loc, when, factors,
                                 onesOf(b, loc, typeOf(factors)));
}

ChunkUpdateOp qdelta::createStateUpdate(OpBuilder &b, Location loc,
                                        const ChunkSystem &system,
                                        const ChunkStep &step, unsigned state,
                                        ArrayRef<Value> states,
                                        RankedTensorType tileType,
                                        ValueRange reads) {
  const StateUpdate &update = system.states[state];
  SmallVector<Value> others, factors, keys, values;
  for (auto &[other, factor] : update.others) {
    others.push_back(states[other]);
    factors.push_back(factor);
  }
  for (auto [key, updates] : llvm::zip(system.writeKeys, step.updates)) {
    auto own = updates.find(state);
    if (own == updates.end())
      continue;
    // Writes at one key may nearly cancel. Where one key is one value they are
    // added up first; rows of a state take them token by token.
    auto same = llvm::find(keys, key);
    if (same != keys.end()) {
      Value &sum = values[same - keys.begin()];
      sum = arith::AddFOp::create(b, loc, sum, own->second);
      continue;
    }
    keys.push_back(key);
    values.push_back(own->second);
  }
  // Rows and columns are renewed each in their own chunks.
  Value rows = update.channelDecay, columns = step.columns[state];
  Value when = update.channelsDecay ? update.channelsDecay : step.columnsDecay;
  if (update.channelsDecay && step.columnsDecay) {
    rows = onesUnless(b, loc, update.channelsDecay, rows);
    columns = onesUnless(b, loc, step.columnsDecay, columns);
    when =
        arith::OrIOp::create(b, loc, update.channelsDecay, step.columnsDecay);
  }
  return ChunkUpdateOp::create(b, loc, states[state].getType(),
                               SmallVector<Type>(reads.size(), tileType),
                               states[state], update.decay, rows, when, columns,
                               others, factors, keys, values, reads, Value(),
                               ValueRange());
}

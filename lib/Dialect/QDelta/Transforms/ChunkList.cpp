//===- ChunkList.cpp - an affine list as the chunk form reads it ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ChunkList.h"

#include "qdelta/Dialect/QDelta/IR/LogBounds.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/BitVector.h"

using namespace mlir;
using namespace qdelta;

static ChunkList::Terms termsOf(OperandRange coefficients, OperandRange terms) {
  ChunkList::Terms result;
  for (auto [coefficient, term] : llvm::zip(coefficients, terms))
    result.emplace_back(coefficient, term);
  return result;
}

static bool isReadout(const std::pair<Value, Value> &term) {
  return isa<ReadoutType>(term.second.getType());
}

/// Whether only outputs use a read.
static bool isForOutputs(AffineReadOp read) {
  return llvm::none_of(read->getUsers(), llvm::IsaPred<AffineWriteOp>);
}

static TokenDim alongOf(AffineDecayOp decay) {
  return isa<RankedTensorType>(decay.getG().getType()) ? TokenDim::Key
                                                       : TokenDim::Scalar;
}

bool qdelta::mixesChannels(AffineScanOp op) {
  Block &body = op.getBody().front();
  bool perValue = !body.getOps<AffineDecayValuesOp>().empty();
  bool perKey = llvm::any_of(body.getOps<AffineDecayOp>(), [](auto decay) {
    return alongOf(decay) == TokenDim::Key;
  });
  return !body.getOps<AffineMixOp>().empty() && (perValue || perKey);
}

void ChunkList::addDecay(unsigned state, Value log, TokenDim along) {
  if (along == TokenDim::Scalar || inOrder)
    steps.push_back({state, state, log, along});
  if (inOrder)
    return;
  State &own = states[state];
  (along == TokenDim::Scalar ? own.logs
   : along == TokenDim::Key  ? own.channelLogs
                             : own.valueLogs)
      .push_back(log);
}

ChunkList ChunkList::read(AffineScanOp op, int64_t chunk, bool goesByRows) {
  ChunkList list;
  list.element =
      cast<FloatType>(getElementTypeOrSelf(op.getInits()[0].getType()));
  list.chunk = chunk;
  list.states.resize(op.getInits().size());
  list.inOrder = mixesChannels(op);
  int64_t position = 0;
  auto entryOf = [&](unsigned state) -> ListEntry {
    State &own = list.states[state];
    return {state,
            static_cast<int64_t>(own.logs.size()),
            static_cast<int64_t>(own.channelLogs.size()),
            static_cast<int64_t>(own.valueLogs.size()),
            static_cast<int64_t>(list.steps.size()),
            position++};
  };
  for (Operation &entry : op.getBody().front()) {
    if (auto decay = dyn_cast<AffineDecayOp>(entry)) {
      list.addDecay(decay.getState(), decay.getG(), alongOf(decay));
      if (auto bound = logLowerBoundOf(decay))
        list.states[decay.getState()].logBounds[decay.getG()] = *bound;
    } else if (auto decay = dyn_cast<AffineDecayValuesOp>(entry)) {
      list.addDecay(decay.getState(), decay.getG(), TokenDim::Value);
    } else if (auto mix = dyn_cast<AffineMixOp>(entry)) {
      list.steps.push_back({static_cast<unsigned>(mix.getState()),
                            static_cast<unsigned>(mix.getSource()),
                            mix.getBy()});
    } else if (auto read = dyn_cast<AffineReadOp>(entry)) {
      Read made{entryOf(read.getState()),
                termsOf(read.getCoefficients(), read.getBases())};
      made.late = isForOutputs(read);
      list.keys.insert_range(read.getBases());
      list.reads.insert({read.getResult(), std::move(made)});
    } else if (auto write = dyn_cast<AffineWriteOp>(entry)) {
      Write made{entryOf(write.getState()), write.getKey(),
                 termsOf(write.getCoefficients(), write.getTerms())};
      made.unknown = llvm::any_of(made.values, isReadout);
      list.writes.push_back(std::move(made));
    } else if (auto output = dyn_cast<AffineOutputOp>(entry)) {
      list.outputs.push_back(
          termsOf(output.getCoefficients(), output.getTerms()));
    }
  }
  bool isPlain = llvm::all_of(list.states, [](const State &state) {
    return state.channelLogs.empty() && state.valueLogs.empty();
  });
  list.byTokens =
      list.inOrder || (goesByRows && list.states.size() > 1 && isPlain);
  list.findReadings();
  if (list.byTokens)
    list.findRowSteps(op);
  for (Write &write : list.writes)
    list.keys.insert(write.key);
  if (!goesByRows && chunk > 1)
    list.joinWrites();
  return list;
}

/// Whether all that becomes of `earlier` from `later` on is a number times what
/// becomes of `later`. A known write does not join an unknown one: it would be
/// one more unknown.
bool ChunkList::mayJoin(const Write &later, const Write &earlier) const {
  const State &state = states[later.state];
  if (earlier.joinedBy || earlier.key != later.key ||
      earlier.state != later.state || (earlier.unknown && !later.unknown))
    return false;
  if (!state.channelLogs.empty() || !state.valueLogs.empty())
    return false;
  for (unsigned other = 0; other < states.size(); ++other)
    if (other != later.state &&
        reaches(earlier.state, earlier.step, other, later.step, 0))
      return false;
  return true;
}

/// Whether -1 times what a read finds at its key is part of what it writes.
bool ChunkList::isTakingAllBack(const Write &write) const {
  return llvm::any_of(write.values, [&](const auto &term) {
    auto negated = term.first.template getDefiningOp<arith::NegFOp>();
    auto read = reads.find(term.second);
    return negated && matchPattern(negated.getOperand(), m_OneFloat()) &&
           read != reads.end() && read->second.state == write.state &&
           read->second.bases.size() == 1 &&
           read->second.bases[0].second == write.key &&
           matchPattern(read->second.bases[0].first, m_OneFloat());
  });
}

void ChunkList::joinWrites() {
  for (unsigned w = 0; w < writes.size(); ++w)
    for (unsigned before = 0; before < w; ++before)
      if (mayJoin(writes[w], writes[before])) {
        writes[w].joins = before;
        writes[before].joinedBy = w;
        writes[w].takesAllBack = isTakingAllBack(writes[w]);
        break;
      }
}

/// What has to be read before a chunk is updated. What only outputs use waits
/// until then where it can, unless it is there anyway.
void ChunkList::findReadings() {
  if (inOrder) {
    for (auto &[readout, read] : reads)
      read.late = true;
    return;
  }
  auto readingsOf = [&](const Read &read) {
    SmallVector<Reading> all;
    for (auto &[coefficient, base] : read.bases)
      for (unsigned state = 0; state < states.size(); ++state)
        if (reaches(state, 0, read.state, read.step, chunk - 1))
          all.push_back({base, read.channelPlace, state});
    return all;
  };
  for (auto &[readout, read] : reads) {
    read.late &= byTokens;
    if (!read.late)
      readings.insert_range(readingsOf(read));
  }
  for (auto &[readout, read] : reads)
    read.late &= !llvm::all_of(readingsOf(read), [&](const Reading &reading) {
      return readings.contains(reading);
    });
}

void ChunkList::findRowSteps(AffineScanOp op) {
  unsigned coupling = 0, write = 0;
  for (Operation &entry : op.getBody().front()) {
    if (isa<AffineDecayOp, AffineDecayValuesOp, AffineMixOp>(entry)) {
      rowSteps.push_back({RowStep::Coupling, coupling++});
    } else if (isa<AffineWriteOp>(entry)) {
      rowSteps.push_back({RowStep::Write, write++});
    } else if (auto made = dyn_cast<AffineReadOp>(entry)) {
      Read &read = reads.find(made.getResult())->second;
      read.rowPlace = coupling + write;
      for (auto &[coefficient, base] : read.bases)
        if (LateReading late(base, read.state, read.rowPlace);
            read.late && lateReadings.insert(late))
          rowSteps.push_back(
              {RowStep::Read, static_cast<unsigned>(lateReadings.size() - 1)});
    }
  }
}

bool ChunkList::isRead(const Reading &reading, int64_t token) const {
  auto [base, channelPlace, state] = reading;
  return llvm::any_of(reads, [&, base = base, channelPlace = channelPlace,
                              state = state](const auto &entry) {
    const Read &read = entry.second;
    return !read.late && read.channelPlace == channelPlace &&
           llvm::is_contained(llvm::make_second_range(read.bases), base) &&
           reaches(state, 0, read.state, read.step, token);
  });
}

FailureOr<ChunkList> ChunkList::get(AffineScanOp op) {
  ScheduleAttr schedule = *op.getSchedule();
  size_t states = op.getInits().size();
  ChunkList list =
      read(op, schedule.getChunk(), schedule.getUnroll() && schedule.getFuse());
  if (states > 1 && schedule.getKernel())
    return op.emitError("GPU kernels in chunks cover lists with one state, but "
                        "this one has ")
           << states;
  if (states > 1 && schedule.getDefer() && (!list.byTokens || list.inOrder))
    return op.emitError("deferred decays are those of one state, or of states "
                        "in rows that one pass updates and that decay as a "
                        "whole, but this list has ")
           << states << " states and its schedule says unroll = "
           << (schedule.getUnroll() ? "true" : "false")
           << ", fuse = " << (schedule.getFuse() ? "true" : "false");
  auto shapeOf = [](Value init) {
    return cast<RankedTensorType>(init.getType()).getShape().take_back(2);
  };
  Value first = op.getInits()[0];
  Type element = getElementTypeOrSelf(first.getType());
  for (Value init : op.getInits())
    if (shapeOf(init) != shapeOf(first) ||
        getElementTypeOrSelf(init.getType()) != element)
      return op.emitError("the chunk form covers states of one shape and "
                          "element type, but got ")
             << first.getType() << " and " << init.getType();
  for (Value arg : op.getBody().getArguments())
    if (Type type = getElementTypeOrSelf(arg.getType()); type != element)
      return op.emitError(
                 "the chunk form covers lists in one element type, but "
                 "an argument of this one is in ")
             << type << " and its state in " << element;
  if (list.inOrder && list.chunk > 1)
    return op.emitError("chunks of several tokens cover mixes of states that "
                        "decay as a whole: with decays per key or value "
                        "channel, expected chunks of 1 token, but got ")
           << list.chunk;
  bool perColumn = list.hasValueDecays();
  if (perColumn && schedule.getKernel())
    return op.emitError(
        "GPU kernels in chunks cover decays common to all value "
        "channels, but this list has one per value channel");
  bool unknown = llvm::any_of(list.writes, std::mem_fn(&Write::unknown));
  if (perColumn && unknown && list.chunk > 1)
    return op.emitError("a chunk's system is one for all value columns: with "
                        "decays per value channel and writes that use reads, "
                        "expected chunks of 1 token, but got ")
           << list.chunk;
  return list;
}

bool ChunkList::reaches(unsigned source, int64_t from, unsigned target,
                        int64_t to, int64_t tokens) const {
  llvm::BitVector holds(states.size());
  holds.set(source);
  int64_t perToken = steps.size();
  // States are reached by then or never.
  tokens = std::min<int64_t>(tokens, states.size());
  for (int64_t at = from; at < tokens * perToken + to; ++at)
    if (holds[steps[at % perToken].source])
      holds.set(steps[at % perToken].target);
  return holds[target];
}

bool ChunkList::returns(unsigned state) const {
  auto far = static_cast<int64_t>(states.size());
  for (unsigned other = 0; other < states.size(); ++other)
    if (other != state && reaches(state, 0, other, 0, far) &&
        reaches(other, 0, state, 0, far))
      return true;
  return false;
}

SmallVector<unsigned> ChunkList::updateOrder() const {
  llvm::SetVector<unsigned> order;
  auto isFree = [&](unsigned state) {
    return llvm::all_of(steps, [&](const CouplingStep &step) {
      return step.source != state || step.target == state ||
             order.contains(step.target);
    });
  };
  while (order.size() < states.size()) {
    std::optional<unsigned> next;
    for (unsigned state = 0; state < states.size(); ++state)
      if (!order.contains(state) &&
          (!next || (!isFree(*next) && isFree(state))))
        next = state;
    order.insert(*next);
  }
  return order.takeVector();
}

//===- CpuSchedule.cpp - how lists and prescans run on a CPU --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ChunkList.h"
#include "Schedules.h"
#include "TokenFactors.h"

using namespace mlir;
using namespace qdelta;

/// Tokens whose token-local part is made ahead of the value blocks.
static constexpr int64_t kSpanTokens = 32;
/// Longest chunk that is expanded into rows; longer ones are matrices.
static constexpr int64_t kLongestUnrolled = 4;
/// Tokens a chunk unless asked for: as rows, in registers, the flop count of a
/// token grows with the chunk, so two; as matrices, one tile of 16.
static constexpr int64_t kUnrolledChunk = 2, kMatrixChunk = 16;
/// The same as rows whose products are of pairs: a row of the state is rounded
/// and packed once for all tokens of a chunk.
static constexpr int64_t kPairedChunk = 4;
/// Value columns of a block of matrices.
static constexpr int64_t kMatrixColumns = 64;

/// Vector registers that a pass over one row of a state needs: an accumulator
/// per reading, a value per write that is left in it, the row itself and one of
/// a state that is mixed in, each `vectors` wide, and one broadcast. The most
/// that a state of the list needs.
static int64_t registersNeeded(const ChunkList &list, int64_t vectors) {
  if (list.byTokens)
    return countRowsOfTokens(list) * vectors + 1;
  int64_t most = 0;
  for (unsigned state = 0; state < list.states.size(); ++state) {
    int64_t rows = llvm::count_if(list.readings, [&](const Reading &reading) {
      return std::get<2>(reading) == state;
    });
    rows += llvm::count_if(list.writes, [&](const ChunkList::Write &write) {
      return list.isLeftIn(write, state);
    });
    rows *= list.chunk;
    rows += 1 + llvm::any_of(list.steps, [&](const CouplingStep &step) {
              return step.target == state && step.source != state;
            });
    most = std::max(most, rows * vectors + 1);
  }
  return most;
}

/// The same with products of pairs, for a list with one state: the values of
/// two tokens share registers, two rows and what they are packed to are there
/// at once, and a write takes two broadcasts.
static int64_t registersForPairs(FactsAttr facts, int64_t chunk,
                                 int64_t vectors) {
  return (chunk * facts.getReads() + chunk / 2 * facts.getWrites() + 3) *
             vectors +
         2;
}

/// Whether there is one state, sequences of vectors are bf16, rows decay alike,
/// and sizes are such that two rows can be multiplied at once: whole pairs of
/// keys, and columns that fill registers.
static bool multipliesPairs(AffineScanOp op, int64_t lanes) {
  if (isOfSummary(op))
    return false;
  if (op.getFacts().getDecay() >= DecayKind::PerChannel ||
      op.getInits().size() > 1)
    return false;
  for (Value operand : llvm::concat<Value>(op.getTokens(), op.getOutputs()))
    if (auto sequence = cast<RankedTensorType>(operand.getType());
        sequence.getRank() == 4 && !sequence.getElementType().isBF16())
      return false;
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  return state.getDimSize(2) % 2 == 0 && state.getDimSize(3) % lanes == 0;
}

/// One token after the other on states in place. Bytes of the state decide, so
/// that a pass goes over rows that are as long as registers allow. What reads
/// first waits for memory and what writes then does not, and asks for the next
/// head's state meanwhile; one pass that does both keeps memory busy itself.
static void scheduleInPlace(AffineScanOp op, const Target &row) {
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  int64_t values = state.getDimSize(3);
  int64_t bytes = state.getElementTypeBitWidth() / 8;
  int64_t lanes = std::max<int64_t>(1, row.lanes * 4 / bytes);
  bool unroll = row.lanes > 1;
  // A pass reads or writes, or does both if no write needs a read. Besides its
  // sums and values it needs a few rows on their way and a broadcast.
  constexpr int64_t kOnTheWay = 4;
  FactsAttr facts = op.getFacts();
  bool isOnePass = !llvm::is_contained(facts.getUnknown(), true);
  int64_t rows = isOnePass ? facts.getReads() + facts.getWrites()
                           : std::max(facts.getReads(), facts.getWrites());
  int64_t vectors = llvm::divideCeil(std::max<int64_t>(values, 1), lanes);
  while (vectors > 1 && rows * vectors + kOnTheWay > row.registers)
    vectors = llvm::divideCeil(vectors, 2);
  int64_t columns = unroll ? vectors * lanes : kMatrixColumns;
  columns = std::min(columns, std::max<int64_t>(values, 1));
  op.setScheduleAttr(
      ScheduleAttr::get(op.getContext(), row.name, /*chunk=*/1, columns,
                        /*span=*/1, lanes, unroll, /*fuse=*/false,
                        /*defer=*/false, /*prefetch=*/unroll && !isOnePass,
                        /*kernel=*/false, /*operands=*/"", /*split=*/1));
}

/// Tokens of a chunk as matrices. Rounding errors grow with the rows of its
/// system: they are as many as with one unknown write a token.
static int64_t matrixChunk(FactsAttr facts) {
  int64_t unknown = llvm::count(facts.getUnknown(), true);
  return std::max<int64_t>(1, kMatrixChunk / std::max<int64_t>(unknown, 1));
}

void qdelta::scheduleOnCpu(AffineScanOp op, const Target &target,
                           const ScheduleOptions &options) {
  if (op.getInPlace())
    return scheduleInPlace(op, target);
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  int64_t keys = state.getDimSize(2), values = state.getDimSize(3);
  FactsAttr facts = op.getFacts();
  bool vectorises = target.lanes > 1;
  int64_t bytes = state.getElementTypeBitWidth() / 8;
  int64_t states = op.getInits().size();
  int64_t lanes = std::max<int64_t>(1, target.lanes * 4 / bytes);
  int64_t vectors = target.vectorsPerRow;
  bool pairUp = target.bf16Pairs && multipliesPairs(op, target.lanes);
  int64_t tokens = options.chunk ? options.chunk
                   : options.mode == "recurrent" || needsSingleTokens(op) ? 1
                   : pairUp     ? kPairedChunk
                   : vectorises ? kUnrolledChunk
                                : matrixChunk(facts);
  bool unroll = vectorises && tokens <= kLongestUnrolled;
  auto hasPairs = [&] { return unroll && pairUp && tokens % 2 == 0; };
  auto fits = [&] {
    int64_t needed =
        hasPairs()
            ? registersForPairs(facts, tokens, vectors)
            : registersNeeded(ChunkList::read(op, tokens, unroll), vectors);
    return needed <= target.registers;
  };
  bool byTokens = ChunkList::read(op, tokens, unroll).byTokens;
  // The key vectors of a token go through the cache beside the states, which
  // are loaded and stored once a chunk: narrow rows before short chunks.
  int64_t ofStates = byTokens ? target.l1Bytes / 2 : target.l1Bytes;
  auto isTooWide = [&] {
    return states * keys * vectors * lanes * bytes > ofStates;
  };
  while (byTokens && vectors > 1 && (isTooWide() || !fits()))
    --vectors;
  while (unroll && !options.chunk && tokens > 1 && !fits())
    tokens -= pairUp && tokens > 2 ? 2 : 1;
  while (unroll && vectors > 1 && (!fits() || isTooWide()))
    --vectors;
  int64_t columns = unroll ? vectors * lanes : kMatrixColumns;
  columns = std::min(columns, std::max<int64_t>(values, 1));
  int64_t span = unroll ? std::max<int64_t>(1, kSpanTokens / tokens) : 1;
  bool defers = facts.getDecay() != DecayKind::None && !mixesChannels(op);
  op.setScheduleAttr(ScheduleAttr::get(
      op.getContext(), target.name, tokens, columns, span, lanes, unroll,
      /*fuse=*/unroll,
      /*defer=*/unroll && defers && (states == 1 || byTokens),
      /*prefetch=*/unroll, /*kernel=*/false,
      /*operands=*/hasPairs() ? "bf16" : "", /*split=*/1));
}

void qdelta::scheduleOnCpu(PrescanOp op, const Target &target) {
  bool unroll = target.lanes > 1;
  op->getBlock()->walk([&](AffineScanOp list) {
    if (list.getSchedule())
      unroll &= list.getSchedule()->getUnroll();
  });
  op.setScheduleAttr(ScheduleAttr::get(
      op.getContext(), target.name, /*chunk=*/1, /*columns=*/1, /*span=*/1,
      target.lanes, unroll, /*fuse=*/false, /*defer=*/false, /*prefetch=*/false,
      /*kernel=*/false, /*operands=*/"", /*split=*/1));
}

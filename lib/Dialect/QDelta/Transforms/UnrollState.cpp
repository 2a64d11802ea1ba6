//===- UnrollState.cpp - passes over the rows of a state ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "JoinPasses.h"
#include "Unroller.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qdelta;

/// Reads of one state that follow one another share a pass over its rows.
void Unroller::unroll(ChunkReadOp op) {
  if (parts.isExpanded(op.getResult()))
    return; // by the one before it, or by the update
  SmallVector<ChunkReadOp> reads;
  for (auto read = op; read && read.getState() == op.getState();
       read = dyn_cast<ChunkReadOp>(read->getNextNode()))
    reads.push_back(read);
  auto type = cast<RankedTensorType>(op.getResult().getType());
  int64_t chunk = type.getDimSize(0), width = type.getDimSize(1);
  int64_t rows = cast<RankedTensorType>(op.getState().getType()).getDimSize(0);
  SmallVector<Value> keys;
  for (ChunkReadOp read : reads)
    keys.push_back(parts.memory(read.getKeys()));
  SmallVector<Value> zeros(chunk * reads.size(), parts.zeroRow(loc, type));
  auto loop = scf::ForOp::create(
      b, loc, index(0), index(rows), index(1), zeros,
      [&](OpBuilder &, Location, Value k, ValueRange sums) {
        Value row = parts.readRow(loc, op.getState(), {k, index(0)}, width);
        SmallVector<Value> next;
        for (auto [i, sum] : llvm::enumerate(sums))
          next.push_back(
              fma(readTerm(keys[i / chunk], i % chunk, k), row, sum));
        scf::YieldOp::create(b, loc, next);
      });
  for (auto [i, read] : llvm::enumerate(reads))
    parts.set(read.getResult(), loop.getResults().slice(i * chunk, chunk));
}

/// Hints for row k of the state that is next. Processors fetch the other line
/// of a pair by themselves, and a hint for each line would take up all that may
/// be under way at once.
void Unroller::prefetchAhead(ChunkUpdateOp op, Value k) {
  if (!op.getAhead())
    return;
  constexpr int64_t kPairOfLines = 128;
  ValueRange at = op.getAheadAt();
  auto type = cast<RankedTensorType>(op.getState().getType());
  int64_t step = kPairOfLines * 8 / type.getElementTypeBitWidth();
  for (int64_t column = 0; column < type.getDimSize(1); column += step)
    PrefetchOp::create(b, loc, op.getAhead(), ValueRange{at[0], at[1], k},
                       add(at[2], column), /*rows=*/1, /*width=*/1,
                       /*for_write=*/false);
}

SmallVector<Value> Unroller::statePass(ChunkUpdateOp op,
                                       function_ref<Value(Value)> decayOf,
                                       Value columns) {
  auto type = cast<RankedTensorType>(op.getState().getType());
  int64_t keys = type.getDimSize(0), width = type.getDimSize(1);
  SmallVector<Value> writeKeys, readKeys, inits{op.getState()};
  for (Value key : op.getKeys())
    writeKeys.push_back(parts.memory(key));
  size_t chunk = 0, ofNew = op.getReads().size();
  auto addRead = [&](Value key) {
    readKeys.push_back(parts.memory(key));
    chunk = cast<RankedTensorType>(key.getType()).getDimSize(0);
  };
  llvm::for_each(op.getReads(), addRead);
  for (ChunkReadOp read : readsBehind(op))
    addRead(read.getKeys());
  inits.append(readKeys.size() * chunk, parts.zeroRow(loc, type));
  auto loop = scf::ForOp::create(
      b, loc, index(0), index(keys), index(1), inits,
      [&](OpBuilder &, Location, Value k, ValueRange args) {
        SmallVector<Value> at{k, index(0)};
        prefetchAhead(op, k);
        Value row = parts.readRow(loc, args[0], at, width), old = row;
        if (Value decay = decayOf(k))
          row = timesRow(decay, row);
        if (columns)
          row = arith::MulFOp::create(b, loc, row, columns);
        for (auto [other, factor] : llvm::zip(op.getOthers(), op.getFactors()))
          row = fma(factor, parts.readRow(loc, other, at, width), row);
        for (auto [key, value] : llvm::zip(writeKeys, op.getValues()))
          for (auto [t, written] : llvm::enumerate(parts.rows(value)))
            row = fma(readTerm(key, t, k), written, row);
        SmallVector<Value> next{parts.writeRow(loc, row, args[0], at)};
        for (auto [i, sum] : llvm::enumerate(args.drop_front()))
          next.push_back(fma(readTerm(readKeys[i / chunk], i % chunk, k),
                             i / chunk < ofNew ? row : old, sum));
        scf::YieldOp::create(b, loc, next);
      });
  return SmallVector<Value>(loop.getResults());
}

void Unroller::unroll(ChunkUpdateOp op) {
  if (joinUpdates(op))
    return;
  // Rows are made once, outside both branches.
  for (Value value : op.getValues())
    parts.rows(value);
  Value columns = op.getColumns() ? parts.rows(op.getColumns())[0] : Value();
  bool common = !matchPattern(op.getDecay(), m_OneFloat());
  Value channels = op.getChannels() ? parts.memory(op.getChannels()) : Value();
  Value when = op.getWhen();
  auto plain = [](Value) { return Value(); };
  // Where a common decay is what asks for it, the others may not.
  auto onlyWhen = [&](Value factor, Value one) -> Value {
    if (!common || !when)
      return factor;
    return arith::SelectOp::create(b, loc, when, factor, one);
  };
  auto decaying = [&](Value k) -> Value {
    if (!channels)
      return common ? op.getDecay() : Value();
    Value own = readTerm(channels, 0, k);
    if (!common)
      return own;
    own = onlyWhen(own, parts.one(loc, own.getType()));
    return parts.multiply(loc, op.getDecay(), own);
  };
  SmallVector<Value> results;
  if (!when && !common) {
    results = channels ? statePass(op, decaying, columns)
                       : statePass(op, plain, columns);
  } else if (!when && channels) {
    results = statePass(op, decaying, columns);
  } else {
    Value decays = when;
    if (common) {
      decays = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE,
                                     op.getDecay(),
                                     parts.one(loc, op.getDecay().getType()));
      if (when)
        decays = arith::OrIOp::create(b, loc, decays, when);
    }
    Value renewed = columns;
    if (columns && common && when)
      renewed = onlyWhen(
          columns, parts.broadcast(loc, parts.one(loc, op.getDecay().getType()),
                                   columns));
    auto branch = scf::IfOp::create(
        b, loc, decays,
        [&](OpBuilder &, Location) {
          scf::YieldOp::create(b, loc, statePass(op, decaying, renewed));
        },
        [&](OpBuilder &, Location) {
          scf::YieldOp::create(b, loc,
                               statePass(op, plain, when ? Value() : columns));
        });
    results.assign(branch.getResults().begin(), branch.getResults().end());
  }
  op.getResult().replaceAllUsesWith(results[0]);
  ArrayRef<Value> rows = ArrayRef(results).drop_front();
  auto take = [&](Value readout) {
    int64_t chunk = cast<RankedTensorType>(readout.getType()).getDimSize(0);
    parts.set(readout, rows.take_front(chunk));
    rows = rows.drop_front(chunk);
  };
  llvm::for_each(op.getReadouts(), take);
  for (ChunkReadOp read : readsBehind(op))
    take(read.getResult());
}

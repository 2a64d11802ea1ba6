//===- UnrollPasses.cpp - one pass over the rows of several states --------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "JoinPasses.h"
#include "LinalgTiles.h"
#include "Unroller.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qdelta;

bool Unroller::joinUpdates(ChunkUpdateOp op) {
  if (joined.contains(op))
    return true;
  SmallVector<ChunkUpdateOp> updates = updatesFrom(op);
  if (updates.size() < 2)
    return false;
  joined.insert_range(updates);
  Value decays;
  for (ChunkUpdateOp update : updates) {
    // Rows are made once, outside both branches.
    for (Value value : update.getValues())
      parts.rows(value);
    if (update.getColumns())
      parts.rows(update.getColumns());
    if (matchPattern(update.getDecay(), m_OneFloat()))
      continue;
    Value one = parts.one(loc, update.getDecay().getType());
    Value decays_ = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE,
                                          update.getDecay(), one);
    decays = decays ? arith::OrIOp::create(b, loc, decays, decays_) : decays_;
  }
  SmallVector<Value> results;
  if (decays) {
    auto branch = scf::IfOp::create(
        b, loc, decays,
        [&](OpBuilder &, Location) {
          scf::YieldOp::create(b, loc, joinedPass(updates, /*decays=*/true));
        },
        [&](OpBuilder &, Location) {
          scf::YieldOp::create(b, loc, joinedPass(updates, /*decays=*/false));
        });
    results.assign(branch.getResults().begin(), branch.getResults().end());
  } else {
    results = joinedPass(updates, /*decays=*/false);
  }
  ArrayRef<Value> left = results;
  for (Value last : lastOf(updates))
    last.replaceAllUsesWith(left.consume_front());
  for (ChunkUpdateOp update : updates)
    for (Value readout : update.getReadouts()) {
      int64_t chunk = cast<RankedTensorType>(readout.getType()).getDimSize(0);
      parts.set(readout, left.take_front(chunk));
      left = left.drop_front(chunk);
    }
  return true;
}

SmallVector<Value> Unroller::joinedPass(ArrayRef<ChunkUpdateOp> updates,
                                        bool decays) {
  auto type = cast<RankedTensorType>(firstOf(updates)[0].getType());
  int64_t keys = type.getDimSize(0), width = type.getDimSize(1);
  SmallVector<Value> firsts = firstOf(updates), lasts = lastOf(updates);
  SmallVector<Value> inits(firsts);
  llvm::DenseMap<Value, Value> keysOf;
  for (ChunkUpdateOp update : updates) {
    for (Value key : llvm::concat<Value>(update.getKeys(), update.getReads()))
      keysOf[key] = parts.memory(key);
    if (Value channels = update.getChannels())
      keysOf[channels] = parts.memory(channels);
    for (Value read : update.getReads())
      inits.append(typeOf(read).getDimSize(0), parts.zeroRow(loc, type));
  }
  auto loop = scf::ForOp::create(
      b, loc, index(0), index(keys), index(1), inits,
      [&](OpBuilder &, Location, Value k, ValueRange args) {
        SmallVector<Value> at{k, index(0)};
        llvm::DenseMap<Value, Value> rows;
        auto rowOf = [&](Value state) {
          Value &row = rows[state];
          if (row)
            return row;
          auto first = llvm::find(firsts, state);
          Value memory =
              first == firsts.end() ? state : args[first - firsts.begin()];
          return row = parts.readRow(loc, memory, at, width);
        };
        SmallVector<Value> sums(args.drop_front(firsts.size()));
        MutableArrayRef<Value> left = sums;
        for (ChunkUpdateOp update : updates) {
          Value row = rowOf(update.getState());
          if (decays && !matchPattern(update.getDecay(), m_OneFloat()))
            row = timesRow(update.getDecay(), row);
          if (Value channels = update.getChannels())
            row = timesRow(readTerm(keysOf[channels], 0, k), row);
          if (Value columns = update.getColumns())
            row = arith::MulFOp::create(b, loc, row, parts.rows(columns)[0]);
          for (auto [other, factor] :
               llvm::zip(update.getOthers(), update.getFactors()))
            row = fma(factor, rowOf(other), row);
          for (auto [key, value] :
               llvm::zip(update.getKeys(), update.getValues()))
            for (auto [t, written] : llvm::enumerate(parts.rows(value)))
              row = fma(readTerm(keysOf[key], t, k), written, row);
          for (Value read : update.getReads()) {
            int64_t chunk = typeOf(read).getDimSize(0);
            for (int64_t t = 0; t < chunk; ++t)
              left[t] = fma(readTerm(keysOf[read], t, k), row, left[t]);
            left = left.drop_front(chunk);
          }
          rows[update.getResult()] = row;
        }
        SmallVector<Value> next;
        for (auto [i, last] : llvm::enumerate(lasts))
          next.push_back(parts.writeRow(loc, rows[last], args[i], at));
        llvm::append_range(next, sums);
        scf::YieldOp::create(b, loc, next);
      });
  return SmallVector<Value>(loop.getResults());
}

//===- JoinPasses.cpp - one pass over a state for its reads and update ---===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "JoinPasses.h"
#include "PlainTiles.h"

using namespace mlir;
using namespace qdelta;

static bool usesAny(Operation &op, const llvm::SetVector<Operation *> &makers) {
  auto isOne = [&](Value operand) {
    return makers.contains(operand.getDefiningOp());
  };
  return op
      .walk([&](Operation *inner) {
        return llvm::any_of(inner->getOperands(), isOne)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// The reads of the update's state in its block before it and what is made of
/// them there, or nothing if the update needs any of it.
static llvm::SetVector<Operation *> findReads(ChunkUpdateOp update) {
  llvm::SetVector<Operation *> reads, late;
  for (Operation &op : *update->getBlock()) {
    if (&op == update)
      break;
    auto read = dyn_cast<ChunkReadOp>(op);
    bool isRead = read && read.getState() == update.getState();
    if (isRead)
      reads.insert(&op);
    else if (usesAny(op, reads) || usesAny(op, late))
      late.insert(&op);
  }
  reads.insert(late.begin(), late.end());
  if (usesAny(*update, reads))
    return {};
  return reads;
}

void qdelta::moveReadsBehindUpdates(
    Operation *root, llvm::function_ref<bool(ChunkUpdateOp)> goesByRows) {
  SmallVector<ChunkUpdateOp> updates;
  root->walk([&](ChunkUpdateOp update) {
    if (goesByRows(update))
      updates.push_back(update);
  });
  for (ChunkUpdateOp update : updates) {
    Operation *last = update;
    for (Operation *op : findReads(update)) {
      op->moveAfter(last);
      last = op;
    }
  }
}

SmallVector<ChunkReadOp> qdelta::readsBehind(ChunkUpdateOp update) {
  SmallVector<ChunkReadOp> reads;
  auto read = dyn_cast<ChunkReadOp>(update->getNextNode());
  while (read && read.getState() == update.getState()) {
    reads.push_back(read);
    read = dyn_cast<ChunkReadOp>(read->getNextNode());
  }
  return reads;
}

/// Of each state in turn, what it is before the updates and after them.
static llvm::MapVector<Value, Value> statesOf(ArrayRef<ChunkUpdateOp> updates) {
  llvm::MapVector<Value, Value> states;
  for (ChunkUpdateOp update : updates) {
    auto own = llvm::find_if(states, [&](const auto &entry) {
      return entry.second == update.getState();
    });
    if (own == states.end())
      states.insert({update.getState(), update.getResult()});
    else
      own->second = update.getResult();
  }
  return states;
}

SmallVector<Value> qdelta::firstOf(ArrayRef<ChunkUpdateOp> updates) {
  return llvm::to_vector(llvm::make_first_range(statesOf(updates)));
}

SmallVector<Value> qdelta::lastOf(ArrayRef<ChunkUpdateOp> updates) {
  return llvm::to_vector(llvm::make_second_range(statesOf(updates)));
}

SmallVector<ChunkUpdateOp> qdelta::updatesFrom(ChunkUpdateOp update) {
  SmallVector<ChunkUpdateOp> updates;
  llvm::DenseSet<Value> updated;
  auto isReadout = [&](Value operand) {
    auto result = dyn_cast<OpResult>(operand);
    return result && result.getResultNumber() > 0 &&
           llvm::is_contained(updates, result.getOwner());
  };
  auto joins = [&](ChunkUpdateOp op) {
    return op && !op.getWhen() && !op.getAhead() && !multipliesPairs(op) &&
           llvm::none_of(op->getOperands(), isReadout) &&
           op.getState().getType() == update.getState().getType() &&
           updated.insert(op.getState()).second;
  };
  for (ChunkUpdateOp op = update; joins(op);
       op = dyn_cast<ChunkUpdateOp>(op->getNextNode()))
    updates.push_back(op);
  SmallVector<Value> lasts = lastOf(updates);
  llvm::DenseSet<Operation *> all(updates.begin(), updates.end());
  for (ChunkUpdateOp op : updates)
    if (!readsBehind(op).empty() ||
        (!llvm::is_contained(lasts, op.getResult()) &&
         !llvm::all_of(op.getResult().getUsers(),
                       [&](Operation *user) { return all.contains(user); })))
      return {update};
  return updates;
}

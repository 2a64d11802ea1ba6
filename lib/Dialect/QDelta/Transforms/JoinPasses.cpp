//===- JoinPasses.cpp - one pass over a state for its reads and update ---===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "JoinPasses.h"

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

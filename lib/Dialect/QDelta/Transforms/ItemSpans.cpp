//===- ItemSpans.cpp - both lists of a state, span by span ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ItemLoopBuilder.h"
#include "TokenSlices.h"

using namespace mlir;
using namespace qdelta;

/// An initial state in memory that spans may change.
Value ItemLoop::startState(OpResult final, Value init) {
  if (Value own = made.lookup(init))
    return own;
  Value slice = memoryOf(final);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, slice);
  SmallVector<OpFoldResult> from(sizes.size(), b.getIndexAttr(0)), to(from);
  SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
  from[0] = batch, from[1] = head;
  Value state = tensor::ExtractSliceOp::create(
      b, loc, cast<RankedTensorType>(slice.getType()), init, from, sizes, ones);
  return tensor::InsertSliceOp::create(b, loc, state, slice, to, sizes, ones);
}

/// One op for a span: of its sequences the span's part is made, and its states
/// go on from the span before or from where they start anew.
LogicalResult ItemLoop::createSpan(Operation *op, Carried &carried,
                                   const Carried &starts) {
  Places places = takeOperands(op);
  size_t outputs = numOutputs(op);
  SmallVector<Value> slices;
  for (OpResult result : op->getResults().take_front(outputs))
    slices.push_back(takeSequence(carried.lookup(result), firstOfSpan));
  for (auto [result, init] :
       llvm::zip(op->getResults().drop_front(outputs), initsOf(op))) {
    Value start = starts.lookup(result);
    slices.push_back(start ? memoryOf(result) : carried.lookup(result));
    setState(init, start ? start : slices.back(), places);
  }
  if (failed(create(op, places, slices)))
    return failure();
  for (auto [result, slice] : llvm::zip(op->getResults(), slices)) {
    if (!isFinal(result)) {
      made[result] = slice;
      ofSpan.insert(result);
    } else if (!starts.contains(result)) {
      carried[result] = slice;
    }
  }
  return success();
}

/// Puts the span's part of a sequence where it was taken from.
void ItemLoop::putBack(OpResult result, Value &whole) {
  whole = putTokens(b, loc, made.lookup(result), whole, firstOfSpan, length);
}

/// What `inSpans` take over from one span to the next: all sequences, and the
/// states that do not start anew.
ItemLoop::Carried ItemLoop::startRestarts(ArrayRef<Operation *> inSpans,
                                          const Restarts &restarts) {
  Carried carried;
  for (Operation *op : inSpans) {
    auto results = op->getResults();
    for (OpResult output : results.take_front(numOutputs(op)))
      carried[output] = memoryOf(output);
    for (auto [final, init] :
         llvm::zip(results.drop_front(numOutputs(op)), initsOf(op)))
      if (!restarts.firsts.contains(final))
        carried[final] = startState(final, init.get());
  }
  return carried;
}

/// Both lists of a state, and what stands between them, in spans of tokens.
LogicalResult ItemLoop::createRestarts(const Restarts &restarts) {
  SmallVector<Operation *> inSpans;
  for (Operation *op : ops.slice(restarts.begin, restarts.end - restarts.begin))
    if (auto transpose = dyn_cast<TransposeStateOp>(op))
      transposeItem(transpose);
    else
      inSpans.push_back(op);
  Carried carried = startRestarts(inSpans, restarts);
  auto values = llvm::make_second_range(carried);
  Value all = length, zero = index(0);
  Value tokens = index(restartTokens(inSpans, restarts));
  auto loop =
      scf::ForOp::create(b, loc, zero, all, tokens, llvm::to_vector(values));
  auto take = [&](ValueRange from) {
    for (auto [entry, value] : llvm::zip(carried, from))
      entry.second = value;
  };
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    firstOfSpan = loop.getInductionVar();
    Value left = arith::SubIOp::create(b, loc, all, firstOfSpan);
    length = arith::MinUIOp::create(b, loc, left, tokens);
    take(loop.getRegionIterArgs());
    Carried starts;
    for (auto [second, first] : restarts.firsts)
      starts[second] = transpose(carried[first]);
    for (Operation *op : inSpans)
      if (failed(createSpan(op, carried, starts)))
        return failure();
    // Last, so that nothing is read from a part that has become the whole.
    for (auto &[result, whole] : carried)
      if (!isFinal(result))
        putBack(result, whole);
    scf::YieldOp::create(b, loc, llvm::to_vector(values));
  }
  length = all, firstOfSpan = Value();
  take(loop.getResults());
  for (auto [result, value] : carried)
    made[result] = value;
  for (auto [second, first] : restarts.firsts)
    if (destinations.contains(second))
      made[second] = transpose(carried[first]);
  return success();
}

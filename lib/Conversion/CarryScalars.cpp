//===- CarryScalars.cpp - scalars of a buffer in registers ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "CarryScalars.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace {
/// What a loop loads and stores at one place.
struct Carried {
  SmallVector<memref::LoadOp> loads;
  memref::StoreOp store;
};

/// Whether the indices are the same, and known before the loop.
bool isSamePlace(OperandRange some, OperandRange others, scf::ForOp loop) {
  return llvm::all_of(llvm::zip(some, others), [&](auto pair) {
    auto [index, other] = pair;
    std::optional<int64_t> known = getConstantIntValue(index);
    if (known)
      return known == getConstantIntValue(other);
    return index == other && loop.isDefinedOutsideOfLoop(index);
  });
}

/// The loads that `store` replaces the number of, all of them before it; none
/// if something else in the loop may use its buffer.
std::optional<Carried> carriedBy(memref::StoreOp store, scf::ForOp loop) {
  Value buffer = store.getMemRef();
  if (!buffer.getDefiningOp<memref::AllocOp>() ||
      !loop.isDefinedOutsideOfLoop(buffer))
    return std::nullopt;
  Carried carried{{}, store};
  for (Operation *user : buffer.getUsers()) {
    // A view may be used where it is not made.
    if (isa<ViewLikeOpInterface>(user))
      return std::nullopt;
    if (!loop->isAncestor(user) || user == store)
      continue;
    auto load = dyn_cast<memref::LoadOp>(user);
    if (!load || load->getBlock() != store->getBlock() ||
        !load->isBeforeInBlock(store) ||
        !isSamePlace(store.getIndices(), load.getIndices(), loop))
      return std::nullopt;
    carried.loads.push_back(load);
  }
  if (carried.loads.empty() ||
      !isSamePlace(store.getIndices(), store.getIndices(), loop))
    return std::nullopt;
  return carried;
}

/// Indices that are constants may stand in the loop.
void moveIndicesBefore(scf::ForOp loop, memref::StoreOp store) {
  for (Value index : store.getIndices())
    if (!loop.isDefinedOutsideOfLoop(index))
      index.getDefiningOp()->moveBefore(loop);
}

scf::ForOp carry(IRRewriter &b, scf::ForOp loop, Carried carried) {
  memref::StoreOp store = carried.store;
  moveIndicesBefore(loop, store);
  b.setInsertionPoint(loop);
  SmallVector<Value> indices(store.getIndices());
  Value buffer = store.getMemRef();
  Location loc = store.getLoc();
  Value init = memref::LoadOp::create(b, loc, buffer, indices).getResult();
  auto next = [&](OpBuilder &, Location, ArrayRef<BlockArgument> args) {
    for (memref::LoadOp load : carried.loads)
      b.replaceOp(load, args[0]);
    // A load may be what is stored.
    SmallVector<Value> yielded{store.getValue()};
    b.eraseOp(store);
    return yielded;
  };
  auto made = cast<scf::ForOp>(*loop.replaceWithAdditionalYields(
      b, init, /*replaceInitOperandUsesInLoop=*/false, next));
  b.setInsertionPointAfter(made);
  memref::StoreOp::create(b, loc, made.getResults().back(), buffer, indices);
  return made;
}
} // namespace

void qdelta::carryScalars(func::FuncOp func) {
  SmallVector<scf::ForOp> loops;
  func.walk([&](scf::ForOp loop) { loops.push_back(loop); });
  IRRewriter b(func.getContext());
  for (scf::ForOp loop : loops) {
    bool changed = true;
    while (changed) {
      changed = false;
      for (auto store : loop.getBody()->getOps<memref::StoreOp>())
        if (auto carried = carriedBy(store, loop)) {
          loop = carry(b, loop, *carried);
          changed = true;
          break;
        }
    }
  }
}

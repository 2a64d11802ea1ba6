//===- CarryRows.cpp - rows that cross rounds of a loop in registers ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Utils/VectorUtils.h"
#include "mlir/IR/PatternMatch.h"

namespace qdelta {
#define GEN_PASS_DEF_CARRYROWS
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

/// A row of a buffer that a loop reads and writes.
struct Place {
  VectorTransferOpInterface any;
  bool isWritten = false;
};

bool isSame(VectorTransferOpInterface one, VectorTransferOpInterface other) {
  return one.getIndices() == other.getIndices() &&
         one.getVectorType() == other.getVectorType();
}

/// Whether it moves all of a row at a place that is known before the loop.
bool movesFixedRow(VectorTransferOpInterface transfer, scf::ForOp loop) {
  return !transfer.getMask() && !transfer.hasOutOfBoundsDim() &&
         transfer.getTransferRank() == 1 &&
         transfer.getPermutationMap().isMinorIdentity() &&
         llvm::all_of(transfer.getIndices(), [&](Value index) {
           return loop.isDefinedOutsideOfLoop(index);
         });
}

/// Whether nothing but these accesses can reach the buffer.
bool isAccessed(memref::AllocOp buffer) {
  return llvm::all_of(buffer->getUsers(), [](Operation *user) {
    return isa<vector::TransferReadOp, vector::TransferWriteOp, memref::LoadOp,
               memref::StoreOp, memref::DeallocOp>(user);
  });
}

/// The places of the buffer in the loop, none if not all can be carried.
SmallVector<Place> findPlaces(memref::AllocOp buffer, scf::ForOp loop) {
  SmallVector<Place> places;
  for (Operation *user : buffer->getUsers()) {
    if (!loop->isProperAncestor(user))
      continue;
    auto transfer = dyn_cast<VectorTransferOpInterface>(user);
    if (!transfer || user->getParentOp() != loop ||
        !movesFixedRow(transfer, loop))
      return {};
    auto own = llvm::find_if(
        places, [&](Place &place) { return isSame(place.any, transfer); });
    if (own == places.end())
      own = &places.emplace_back(Place{transfer});
    own->isWritten |= isa<vector::TransferWriteOp>(user);
  }
  for (auto [i, place] : llvm::enumerate(places))
    for (const Place &other : ArrayRef(places).drop_front(i + 1))
      if (!vector::isDisjointTransferIndices(place.any, other.any))
        return {};
  if (llvm::none_of(places, [](Place &place) { return place.isWritten; }))
    return {};
  return places;
}

/// Replaces the accesses to the places in the loop by its values.
void carry(memref::AllocOp buffer, scf::ForOp loop,
           MutableArrayRef<Place> places) {
  IRRewriter b(loop);
  Location loc = loop.getLoc();
  SmallVector<Value> firsts;
  SmallVector<SmallVector<Value>> indices;
  for (Place &place : places) {
    indices.emplace_back(place.any.getIndices());
    firsts.push_back(vector::TransferReadOp::create(
        b, loc, place.any.getVectorType(), buffer, indices.back(),
        /*padding=*/std::nullopt, ArrayRef<bool>{true}));
  }
  SmallVector<VectorTransferOpInterface> accesses;
  for (Operation &op : *loop.getBody())
    if (auto transfer = dyn_cast<VectorTransferOpInterface>(op);
        transfer && transfer.getBase() == buffer)
      accesses.push_back(transfer);
  auto replaceAccesses = [&](OpBuilder &, Location,
                             ArrayRef<BlockArgument> carried) {
    SmallVector<Value> rows(carried);
    for (VectorTransferOpInterface access : accesses) {
      auto at = llvm::find(indices, SmallVector<Value>(access.getIndices()));
      Value &row = rows[at - indices.begin()];
      if (auto write = dyn_cast<vector::TransferWriteOp>(*access))
        row = write.getValueToStore();
      else
        b.replaceAllUsesWith(access->getResult(0), row);
      b.eraseOp(access);
    }
    return rows;
  };
  size_t before = loop.getNumResults();
  auto made = cast<scf::ForOp>(*loop.replaceWithAdditionalYields(
      b, firsts, /*replaceInitOperandUsesInLoop=*/false, replaceAccesses));
  b.setInsertionPointAfter(made);
  for (auto [row, at] :
       llvm::zip(made.getResults().drop_front(before), indices))
    vector::TransferWriteOp::create(b, loc, row, buffer, at,
                                    ArrayRef<bool>{true});
}

struct CarryRowsPass : qdelta::impl::CarryRowsBase<CarryRowsPass> {
  void runOnOperation() override {
    SmallVector<memref::AllocOp> buffers;
    getOperation().walk(
        [&](memref::AllocOp buffer) { buffers.push_back(buffer); });
    for (memref::AllocOp buffer : buffers) {
      if (!isAccessed(buffer))
        continue;
      llvm::SetVector<Operation *> loops;
      for (Operation *user : buffer->getUsers())
        if (isa<scf::ForOp>(user->getParentOp()))
          loops.insert(user->getParentOp());
      for (Operation *loop : loops) {
        SmallVector<Place> places = findPlaces(buffer, cast<scf::ForOp>(loop));
        if (!places.empty())
          carry(buffer, cast<scf::ForOp>(loop), places);
      }
    }
  }
};
} // namespace

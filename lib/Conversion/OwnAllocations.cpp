//===- OwnAllocations.cpp - one allocation per buffer and call ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace qdelta {
#define GEN_PASS_DEF_OWNALLOCATIONS
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

/// Moves `alloc` to the start of `entry`, or to where its sizes are known.
LogicalResult hoist(memref::AllocOp alloc, Block &entry) {
  if (alloc.getType().hasStaticShape()) {
    alloc->moveBefore(&entry, entry.begin());
    return success();
  }
  for (Value size : alloc.getDynamicSizes())
    if (size.getParentBlock() != &entry)
      return alloc.emitError("cannot be allocated once per call: its size is "
                             "not known outside of its loop");
  alloc->moveBefore(entry.findAncestorOpInBlock(*alloc));
  return success();
}

struct OwnAllocationsPass
    : qdelta::impl::OwnAllocationsBase<OwnAllocationsPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (func.isDeclaration())
        continue;
      Block &entry = func.getBody().front();
      SmallVector<memref::AllocOp> allocations;
      func.walk([&](memref::AllocOp alloc) { allocations.push_back(alloc); });
      for (memref::AllocOp alloc : allocations) {
        if (failed(hoist(alloc, entry)))
          return signalPassFailure();
        alloc.setAlignment(64);
        OpBuilder b(entry.getTerminator());
        memref::DeallocOp::create(b, alloc.getLoc(), alloc);
      }
    }
  }
};
} // namespace

//===- Chunk.cpp - write each list as chunks of one triangular system -----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ItemLoop.h"

#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace qdelta {
#define GEN_PASS_DEF_CHUNK
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

/// Whether a GPU kernel takes the op as it is.
static bool isOfTokenLoop(Operation *op) {
  if (isa<TransposeStateOp>(op))
    return llvm::any_of(op->getUsers(), isOfTokenLoop);
  auto schedule = op->getAttrOfType<ScheduleAttr>("schedule");
  return schedule && schedule.isTokenLoop();
}

namespace {
struct ChunkPass : qdelta::impl::ChunkBase<ChunkPass> {
  void runOnOperation() override {
    // What one recurrence became shares a loop over heads; elsewhere heads of
    // different scans have nothing to do with one another.
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      SmallVector<Operation *> ops;
      func.walk([&](Operation *op) {
        if (isa<AffineScanOp, PrescanOp, TransposeStateOp>(op) &&
            !isOfTokenLoop(op))
          ops.push_back(op);
      });
      bool isEntry = func->hasAttr(kRecurrenceAttr);
      while (!ops.empty()) {
        size_t count = isEntry ? ops.size() : 1;
        if (failed(createItemLoop(ArrayRef(ops).take_front(count))))
          return signalPassFailure();
        ops.erase(ops.begin(), ops.begin() + count);
      }
    }
  }
};
} // namespace

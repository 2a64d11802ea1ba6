//===- CopiesToLoops.cpp - memref.copy as loops ---------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

namespace qdelta {
#define GEN_PASS_DEF_COPIESTOLOOPS
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

struct CopiesToLoopsPass : qdelta::impl::CopiesToLoopsBase<CopiesToLoopsPass> {
  void runOnOperation() override {
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp copy) { copies.push_back(copy); });
    IRRewriter rewriter(&getContext());
    for (memref::CopyOp copy : copies) {
      rewriter.setInsertionPoint(copy);
      auto structured = linalg::CopyOp::create(
          rewriter, copy.getLoc(), copy.getSource(), copy.getTarget());
      if (failed(linalg::linalgOpToLoops(rewriter, structured))) {
        copy.emitError("cannot be written as loops");
        return signalPassFailure();
      }
      rewriter.eraseOp(structured);
      rewriter.eraseOp(copy);
    }
  }
};
} // namespace

//===- ExpandMath.cpp - math functions as polynomials ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "VectorFunctions.h"

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qdelta {
#define GEN_PASS_DEF_EXPANDMATH
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

/// What a GPU has an instruction for, and code generation selects it.
bool isInstruction(Operation *op) {
  return isa<math::AbsFOp, math::CeilOp, math::CopySignOp, math::FloorOp,
             math::FmaOp, math::RoundEvenOp, math::TruncOp>(op);
}

struct ExpandMathPass : qdelta::impl::ExpandMathBase<ExpandMathPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns);
    RewritePatternSet ofVectors(&getContext());
    populateMathPolynomialApproximationPatterns(ofVectors);
    qdelta::populateVectorExpPatterns(ofVectors);
    qdelta::populateVectorTrigPatterns(ofVectors);
    // First, while it can be seen what log(1 + x) is of.
    RewritePatternSet ofLogs(&getContext());
    qdelta::populateVectorLogPatterns(ofLogs);
    FrozenRewritePatternSet ofKernels(std::move(patterns)),
        ofRows(std::move(ofVectors)), logsOfRows(std::move(ofLogs));
    // What the expansions make is no function to expand.
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingOps);
    auto expand = [&](Operation *func, const FrozenRewritePatternSet &patterns,
                      bool isKernel) -> LogicalResult {
      bool changed = true;
      while (changed) {
        SmallVector<Operation *> found;
        func->walk([&](Operation *op) {
          if (isa_and_nonnull<math::MathDialect>(op->getDialect()) &&
              (isKernel || isa<VectorType>(op->getResult(0).getType())))
            found.push_back(op);
        });
        if (failed(applyOpPatternsGreedily(found, patterns, config, &changed)))
          return failure();
      }
      return success();
    };
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (failed(expand(func, logsOfRows, /*isKernel=*/false)) ||
          failed(expand(func, ofRows, /*isKernel=*/false)))
        return signalPassFailure();
    // A GPU has no C library.
    for (auto kernel : getOperation().getOps<LLVM::LLVMFuncOp>()) {
      if (failed(expand(kernel, ofKernels, /*isKernel=*/true)))
        return signalPassFailure();
      WalkResult left = kernel.walk([](Operation *op) {
        if (!isa_and_nonnull<math::MathDialect>(op->getDialect()) ||
            isInstruction(op))
          return WalkResult::advance();
        op->emitOpError("is not lowered for GPUs yet in the step of a token");
        return WalkResult::interrupt();
      });
      if (left.wasInterrupted())
        return signalPassFailure();
    }
  }
};
} // namespace

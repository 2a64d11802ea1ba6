//===- ExpandMath.cpp - math functions as polynomials ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qdelta {
#define GEN_PASS_DEF_EXPANDMATH
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

struct ExpandMathPass : qdelta::impl::ExpandMathBase<ExpandMathPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns);
    FrozenRewritePatternSet frozen(std::move(patterns));
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      SmallVector<Operation *> onVectors;
      func.walk([&](Operation *op) {
        if (isa_and_nonnull<math::MathDialect>(op->getDialect()) &&
            isa<VectorType>(op->getResult(0).getType()))
          onVectors.push_back(op);
      });
      if (failed(applyOpPatternsGreedily(onVectors, frozen)))
        return signalPassFailure();
    }
  }
};
} // namespace

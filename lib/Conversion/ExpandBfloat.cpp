//===- ExpandBfloat.cpp - conversions of bf16 as integer arithmetic -------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qdelta {
#define GEN_PASS_DEF_EXPANDBFLOAT
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

struct ExpandBfloatPass : qdelta::impl::ExpandBfloatBase<ExpandBfloatPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    arith::populateExpandBFloat16Patterns(patterns);
    FrozenRewritePatternSet frozen(std::move(patterns));
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      SmallVector<Operation *> conversions;
      func.walk([&](Operation *op) {
        if (isa<arith::ExtFOp, arith::TruncFOp>(op))
          conversions.push_back(op);
      });
      if (failed(applyOpPatternsGreedily(conversions, frozen)))
        return signalPassFailure();
    }
  }
};
} // namespace

//===- CallCLibrary.cpp - log(1 + x) and e^x - 1 as calls -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace qdelta {
#define GEN_PASS_DEF_CALLCLIBRARY
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

struct CallCLibraryPass : qdelta::impl::CallCLibraryBase<CallCLibraryPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathToLibmConversionPatterns(patterns);
    ConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    target.addIllegalOp<math::Log1pOp, math::ExpM1Op>();
    target.addLegalOp<qdelta::RecurrenceOp>();
    target.markOpRecursivelyLegal<qdelta::RecurrenceOp>();
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

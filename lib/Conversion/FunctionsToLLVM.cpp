//===- FunctionsToLLVM.cpp - functions to LLVM, recurrences untouched -----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace qdelta {
#define GEN_PASS_DEF_FUNCTIONSTOLLVM
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

struct FunctionsToLLVMPass
    : qdelta::impl::FunctionsToLLVMBase<FunctionsToLLVMPass> {
  void runOnOperation() override {
    LLVMTypeConverter converter(&getContext());
    RewritePatternSet patterns(&getContext());
    populateFuncToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    LLVMConversionTarget target(getContext());
    target.addLegalOp<qdelta::RecurrenceOp>();
    target.markOpRecursivelyLegal<qdelta::RecurrenceOp>();
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

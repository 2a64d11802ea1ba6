//===- EmitEntries.cpp - functions that the runtime calls -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace qdelta {
#define GEN_PASS_DEF_EMITENTRIES
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

struct EmitEntriesPass : qdelta::impl::EmitEntriesBase<EmitEntriesPass> {
  void runOnOperation() override {
    auto functions = llvm::to_vector(getOperation().getOps<LLVM::LLVMFuncOp>());
    for (LLVM::LLVMFuncOp func : functions)
      if (func->hasAttr(qdelta::kArgumentsAttr) &&
          !func.getSymName().starts_with("_mlir_ciface_"))
        emit(func);
  }

private:
  /// The C interface of `func` takes a descriptor per buffer, then the range.
  void emit(LLVM::LLVMFuncOp func) {
    OpBuilder b(func->getContext());
    b.setInsertionPointAfter(func);
    Location loc = func.getLoc();
    auto interface = getOperation().lookupSymbol<LLVM::LLVMFuncOp>(
        ("_mlir_ciface_" + func.getSymName()).str());
    if (!interface) {
      func.emitError("has no C interface");
      return signalPassFailure();
    }
    interface->removeAttr(qdelta::kArgumentsAttr);
    Type pointer = LLVM::LLVMPointerType::get(b.getContext());
    Type i64 = b.getI64Type();
    auto type = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(b.getContext()), {pointer, i64, i64});
    auto entry = LLVM::LLVMFuncOp::create(
        b, loc, (func.getSymName() + "_entry").str(), type);
    b.setInsertionPointToStart(entry.addEntryBlock(b));
    Value descriptors = entry.getArgument(0);
    SmallVector<Value> args;
    for (unsigned i = 0; i + 2 < interface.getNumArguments(); ++i) {
      Value at = LLVM::GEPOp::create(b, loc, pointer, pointer, descriptors,
                                     ArrayRef<LLVM::GEPArg>{int32_t(i)});
      args.push_back(LLVM::LoadOp::create(b, loc, pointer, at));
    }
    args.append({entry.getArgument(1), entry.getArgument(2)});
    LLVM::CallOp::create(b, loc, interface, args);
    LLVM::ReturnOp::create(b, loc, ValueRange());
  }
};
} // namespace

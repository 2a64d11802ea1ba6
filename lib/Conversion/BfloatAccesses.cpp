//===- BfloatAccesses.cpp - bf16 in memory as integers --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/TypeUtilities.h"

namespace qdelta {
#define GEN_PASS_DEF_BFLOATACCESSES
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

/// The integers in place of bf16 `type`, or null for another type.
Type bitsOf(Type type) {
  if (!getElementTypeOrSelf(type).isBF16())
    return {};
  Type bits = IntegerType::get(type.getContext(), 16);
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(bits)) : bits;
}

void rewrite(LLVM::LoadOp load) {
  Type type = load.getType(), bits = bitsOf(type);
  OpBuilder b(load);
  b.setInsertionPointAfter(load);
  load.getResult().setType(bits);
  Value again = LLVM::BitcastOp::create(b, load.getLoc(), type, load);
  load.getResult().replaceAllUsesExcept(again, again.getDefiningOp());
}

void rewrite(LLVM::StoreOp store) {
  OpBuilder b(store);
  Value value = store.getValue();
  store.getValueMutable().assign(LLVM::BitcastOp::create(
      b, store.getLoc(), bitsOf(value.getType()), value));
}

/// There and back is what there was.
void fold(LLVM::BitcastOp second) {
  auto first = second.getArg().getDefiningOp<LLVM::BitcastOp>();
  if (!first || first.getArg().getType() != second.getType())
    return;
  second.replaceAllUsesWith(first.getArg());
  second.erase();
  if (first->use_empty())
    first.erase();
}

struct BfloatAccessesPass
    : qdelta::impl::BfloatAccessesBase<BfloatAccessesPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<LLVM::LLVMFuncOp>()) {
      func.walk([](Operation *op) {
        if (auto load = dyn_cast<LLVM::LoadOp>(op);
            load && bitsOf(load.getType()))
          rewrite(load);
        if (auto store = dyn_cast<LLVM::StoreOp>(op);
            store && bitsOf(store.getValue().getType()))
          rewrite(store);
      });
      SmallVector<LLVM::BitcastOp> casts;
      func.walk([&](LLVM::BitcastOp cast) {
        if (cast.getArg().getDefiningOp<LLVM::BitcastOp>())
          casts.push_back(cast);
      });
      for (LLVM::BitcastOp cast : casts)
        fold(cast);
    }
  }
};
} // namespace

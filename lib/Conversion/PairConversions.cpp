//===- PairConversions.cpp - two registers are rounded at once ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

namespace qdelta {
#define GEN_PASS_DEF_PAIRCONVERSIONS
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

/// Columns of a register of f32.
constexpr int64_t kLanes = 16;

/// The conversion that makes `half`, or null if it does not fill half a
/// register.
x86vector::CvtPackedF32ToBF16Op conversionOf(Value half) {
  if (cast<VectorType>(half.getType()).getShape() != ArrayRef(kLanes))
    return {};
  return half.getDefiningOp<x86vector::CvtPackedF32ToBF16Op>();
}

void rewrite(vector::InterleaveOp op) {
  auto first = conversionOf(op.getLhs()), second = conversionOf(op.getRhs());
  if (!first || !second)
    return;
  OpBuilder b(op);
  // What comes second fills the lower half.
  auto rounded = LLVM::CallIntrinsicOp::create(
      b, op.getLoc(), op.getType(),
      b.getStringAttr("llvm.x86.avx512bf16.cvtne2ps2bf16.512"),
      ValueRange{second.getA(), first.getA()});
  SmallVector<int64_t> places;
  for (int64_t column = 0; column < kLanes; ++column)
    places.append({column, kLanes + column});
  Value both = rounded.getResult(0);
  Value packed = vector::ShuffleOp::create(b, op.getLoc(), both, both, places);
  op.replaceAllUsesWith(packed);
  op.erase();
  if (first->use_empty())
    first.erase();
  if (second != first && second->use_empty())
    second.erase();
}

struct PairConversionsPass
    : qdelta::impl::PairConversionsBase<PairConversionsPass> {
  void runOnOperation() override {
    SmallVector<vector::InterleaveOp> packs;
    getOperation().walk([&](vector::InterleaveOp op) { packs.push_back(op); });
    for (vector::InterleaveOp pack : packs)
      rewrite(pack);
  }
};
} // namespace

//===- Elementwise.cpp - a step's arithmetic on one number ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

/// x log2(e) as a whole number and the rest, which is small, so that its error
/// is.
Num qdelta::gpu::exponential(Num x) {
  constexpr double high = 0x1.715476p+0, low = 0x1.4ae0bf85ddf44p-26;
  constexpr double rounder = 0x1.8p+23;
  Emitter &e = x.owner();
  x = e.minimum(e.maximum(x, e.f32(-104)), e.f32(89));
  Num whole = e.fma(x, e.f32(high), e.f32(rounder)) - e.f32(rounder);
  Num rest = e.fma(x, e.f32(high), e.f32(0) - whole);
  rest = e.fma(x, e.f32(low), rest);
  return e.exp2(rest) * e.exp2(whole);
}

FailureOr<Num> qdelta::gpu::makeElement(Emitter &e, Operation &op,
                                        ArrayRef<Num> operands) {
  Num x = operands[0];
  auto instruction = [&](StringRef name) {
    return e.intrinsic(name, {x}, e.f32Type())[0];
  };
  if (isa<ScaleOp>(op))
    return x * operands[1];
  if (isa<math::ExpOp>(op))
    return exponential(x);
  if (isa<math::Exp2Op>(op))
    return e.exp2(x);
  if (isa<math::RsqrtOp>(op))
    return instruction("llvm.nvvm.rsqrt.approx.ftz.f");
  if (isa<math::SqrtOp>(op))
    return instruction("llvm.nvvm.sqrt.rn.f");
  Type element = getElementTypeOrSelf(op.getResult(0));
  StringRef dialect = op.getName().getDialectNamespace();
  if ((dialect != "arith" && dialect != "math") ||
      !op.hasTrait<OpTrait::Elementwise>() || op.getNumResults() != 1 ||
      !(element.isF32() || element.isInteger(1))) {
    op.emitOpError("is not lowered for GPUs yet in the step of a token");
    return failure();
  }
  SmallVector<Value> values(operands.begin(), operands.end());
  Operation *made = e.b.create(op.getLoc(), op.getName().getIdentifier(),
                               values, element, op.getAttrs());
  return e.num(made->getResult(0));
}

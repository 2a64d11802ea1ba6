//===- FuseMultiplyAdds.cpp - products and sums of vectors as one ---------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"

namespace qdelta {
#define GEN_PASS_DEF_FUSEMULTIPLYADDS
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

/// The product that `value` is, if nothing else uses it.
arith::MulFOp productOf(Value value) {
  auto product = value.getDefiningOp<arith::MulFOp>();
  return product && product->hasOneUse() ? product : arith::MulFOp();
}

Value negated(OpBuilder &b, Value value) {
  return arith::NegFOp::create(b, value.getLoc(), value);
}

/// What a sum or difference with a product is; nothing for other ops.
Value fused(OpBuilder &b, Operation *op) {
  if (!isa<arith::AddFOp, arith::SubFOp>(op) ||
      !isa<VectorType>(op->getResult(0).getType()))
    return {};
  b.setInsertionPoint(op);
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  bool isDifference = isa<arith::SubFOp>(op);
  auto create = [&](Value a, Value factor, Value rest) -> Value {
    return math::FmaOp::create(b, op->getLoc(), a, factor, rest);
  };
  if (auto product = productOf(rhs)) {
    Value a = product.getLhs();
    return create(isDifference ? negated(b, a) : a, product.getRhs(), lhs);
  }
  if (auto product = productOf(lhs))
    return create(product.getLhs(), product.getRhs(),
                  isDifference ? negated(b, rhs) : rhs);
  return {};
}

struct FuseMultiplyAddsPass
    : qdelta::impl::FuseMultiplyAddsBase<FuseMultiplyAddsPass> {
  void runOnOperation() override {
    IRRewriter b(&getContext());
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      SmallVector<Operation *> sums;
      func.walk([&](Operation *op) {
        if (isa<arith::AddFOp, arith::SubFOp>(op))
          sums.push_back(op);
      });
      for (Operation *sum : sums)
        if (Value made = fused(b, sum)) {
          SmallVector<Value> operands(sum->getOperands());
          b.replaceOp(sum, made);
          for (Value operand : operands)
            if (Operation *product = operand.getDefiningOp();
                product && isa<arith::MulFOp>(product) && product->use_empty())
              b.eraseOp(product);
        }
    }
  }
};
} // namespace

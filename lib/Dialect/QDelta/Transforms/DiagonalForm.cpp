//===- DiagonalForm.cpp - the update of a vector or scalar state ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "DiagonalForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

Value qdelta::scaleBy(OpBuilder &b, Location loc, Value vector, Value factor) {
  if (!vector || !factor)
    return vector ? vector : factor;
  if (vector.getType() == factor.getType())
    return arith::MulFOp::create(b, loc, vector, factor);
  if (isa<FloatType>(vector.getType()))
    std::swap(vector, factor);
  return ScaleOp::create(b, loc, vector.getType(), vector, factor);
}

namespace {
class FormBuilder {
public:
  FormBuilder(OpBuilder &b, Value state,
              llvm::function_ref<bool(Value)> depends,
              llvm::function_ref<Value(Value)> local)
      : b(b), state(state), depends(depends), local(local) {}

  DiagonalForm make(Value value);

private:
  DiagonalForm makeSum(Operation *op);
  DiagonalForm scaled(Value value, Location loc, Value factor);
  Value negated(Location loc, Value value) {
    return value ? arith::NegFOp::create(b, loc, value) : Value();
  }
  Value one(Location loc) {
    Type type = getElementTypeOrSelf(state.getType());
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, 1.0));
  }

  OpBuilder &b;
  Value state;
  llvm::function_ref<bool(Value)> depends;
  llvm::function_ref<Value(Value)> local;
};

DiagonalForm FormBuilder::scaled(Value value, Location loc, Value factor) {
  DiagonalForm form = make(value);
  if (form.usesState)
    form.factor = scaleBy(b, loc, form.factor, factor);
  if (form.addend)
    form.addend = scaleBy(b, loc, form.addend, factor);
  return form;
}

DiagonalForm FormBuilder::makeSum(Operation *op) {
  Location loc = op->getLoc();
  DiagonalForm lhs = make(op->getOperand(0));
  DiagonalForm rhs = make(op->getOperand(1));
  if (isa<arith::SubFOp>(op)) {
    rhs.addend = negated(loc, rhs.addend);
    if (rhs.usesState)
      rhs.factor = negated(loc, rhs.factor ? rhs.factor : one(loc));
  }
  DiagonalForm sum;
  sum.addend = lhs.addend && rhs.addend
                   ? arith::AddFOp::create(b, loc, lhs.addend, rhs.addend)
                   : (lhs.addend ? lhs.addend : rhs.addend);
  sum.usesState = lhs.usesState || rhs.usesState;
  if (!lhs.usesState || !rhs.usesState) {
    sum.factor = lhs.usesState ? lhs.factor : rhs.factor;
    return sum;
  }
  Value first = lhs.factor ? lhs.factor : one(loc);
  Value second = rhs.factor ? rhs.factor : one(loc);
  if (first.getType() != second.getType())
    for (auto [factor, other] :
         {std::pair(&first, second), std::pair(&second, first)})
      if (isa<FloatType>(factor->getType()))
        *factor = SplatOp::create(b, loc, other.getType(), *factor, other);
  sum.factor = arith::AddFOp::create(b, loc, first, second);
  return sum;
}

DiagonalForm FormBuilder::make(Value value) {
  if (value == state)
    return DiagonalForm{true, {}, {}};
  if (!depends(value))
    return DiagonalForm{false, {}, local(value)};
  Operation *op = value.getDefiningOp();
  Location loc = op->getLoc();
  if (isa<arith::AddFOp, arith::SubFOp>(op))
    return makeSum(op);
  if (isa<arith::NegFOp>(op))
    return scaled(op->getOperand(0), loc, negated(loc, one(loc)));
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  if (isa<arith::MulFOp>(op))
    return depends(lhs) ? scaled(lhs, loc, local(rhs))
                        : scaled(rhs, loc, local(lhs));
  if (isa<ScaleOp>(op))
    return scaled(lhs, loc, local(rhs));
  // What is left is a decay.
  return scaled(lhs, loc, math::ExpOp::create(b, loc, local(rhs)));
}
} // namespace

DiagonalForm qdelta::makeDiagonal(OpBuilder &b, Value value, Value state,
                                  llvm::function_ref<bool(Value)> depends,
                                  llvm::function_ref<Value(Value)> local) {
  return FormBuilder(b, state, depends, local).make(value);
}

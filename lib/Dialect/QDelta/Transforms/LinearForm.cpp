//===- LinearForm.cpp - a vector as a combination of others ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "LinearForm.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qdelta;

Value qdelta::multiply(OpBuilder &b, Location loc, Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  if (auto negated = lhs.getDefiningOp<arith::NegFOp>())
    if (matchPattern(negated.getOperand(), m_OneFloat()))
      return arith::NegFOp::create(b, loc, rhs);
  return arith::MulFOp::create(b, loc, lhs, rhs);
}

Value qdelta::oneIfNull(OpBuilder &b, Location loc, Value value, Type type) {
  if (value)
    return value;
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, 1.0));
}

/// Adds `scale * form` to `sum`; `negate` flips the sign, `scalar` is the type
/// of coefficients.
static void accumulate(OpBuilder &b, Location loc, LinearForm &sum,
                       const LinearForm &form, Value scale, bool negate,
                       Type scalar) {
  for (auto [term, coefficient] : form) {
    Value product = multiply(b, loc, coefficient, scale);
    if (negate)
      product =
          arith::NegFOp::create(b, loc, oneIfNull(b, loc, product, scalar));
    auto [entry, isNew] = sum.try_emplace(term, product);
    if (!isNew)
      entry->second = arith::AddFOp::create(
          b, loc, oneIfNull(b, loc, entry->second, scalar),
          oneIfNull(b, loc, product, scalar));
  }
}

LinearForm qdelta::sumOf(OpBuilder &b, Location loc, LinearForm lhs,
                         const LinearForm &rhs, Type scalar) {
  accumulate(b, loc, lhs, rhs, /*scale=*/{}, /*negate=*/false, scalar);
  return lhs;
}

LinearForm qdelta::linearize(OpBuilder &b, Value value,
                             llvm::function_ref<bool(Value)> isTerm,
                             llvm::function_ref<Value(Value)> termOf,
                             llvm::function_ref<Value(Value)> scalarOf) {
  LinearForm form;
  Operation *op = isTerm(value) ? nullptr : value.getDefiningOp();
  Location loc = value.getLoc();
  auto take = [&](Value operand, Value scale, bool negate) {
    accumulate(b, loc, form, linearize(b, operand, isTerm, termOf, scalarOf),
               scale, negate, getElementTypeOrSelf(value.getType()));
  };
  if (isa_and_nonnull<arith::AddFOp, arith::SubFOp>(op)) {
    take(op->getOperand(0), {}, false);
    take(op->getOperand(1), {}, isa<arith::SubFOp>(op));
  } else if (isa_and_nonnull<arith::NegFOp>(op)) {
    take(op->getOperand(0), {}, true);
  } else if (auto scale = dyn_cast_or_null<ScaleOp>(op)) {
    take(scale.getVector(), scalarOf(scale.getBy()), false);
  } else {
    form[termOf(value)] = Value();
  }
  return form;
}

bool qdelta::isLinearIn(Operation *op,
                        llvm::function_ref<bool(Value)> depends) {
  if (auto scale = dyn_cast<ScaleOp>(op))
    return !depends(scale.getBy());
  return isa<arith::AddFOp, arith::SubFOp, arith::NegFOp>(op);
}

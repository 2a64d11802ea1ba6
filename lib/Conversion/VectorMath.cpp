//===- VectorMath.cpp - arithmetic that polynomials are made of -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "VectorMath.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qdelta;

Value VectorMath::number(float value) {
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, APFloat(value)));
}

Value VectorMath::word(uint32_t value) {
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(bitsType, APInt(32, value)));
}

Value VectorMath::polynomial(Value x, ArrayRef<float> coefficients) {
  Value sum = number(coefficients.back());
  for (float coefficient : llvm::reverse(coefficients.drop_back()))
    sum = fma(sum, x, number(coefficient));
  return sum;
}

Value VectorMath::bitsOf(Value numbers) {
  return arith::BitcastOp::create(b, loc, bitsType, numbers);
}

Value VectorMath::numbersOf(Value bits) {
  return arith::BitcastOp::create(b, loc, type, bits);
}

SmallVector<Value>
VectorMath::exceptWhere(Value isRare, ValueRange fast,
                        llvm::function_ref<SmallVector<Value>()> create) {
  Value any =
      vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, isRare);
  auto either = scf::IfOp::create(b, loc, fast.getTypes(), any,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(either.thenBlock());
  SmallVector<Value> values;
  for (auto [made, other] : llvm::zip(create(), fast))
    values.push_back(arith::SelectOp::create(b, loc, isRare, made, other));
  scf::YieldOp::create(b, loc, values);
  b.setInsertionPointToStart(either.elseBlock());
  scf::YieldOp::create(b, loc, fast);
  return SmallVector<Value>(either.getResults());
}

bool qdelta::isOfFloatVector(Operation *op) {
  auto type = dyn_cast<VectorType>(op->getResult(0).getType());
  return type && type.getRank() == 1 && type.getElementType().isF32();
}

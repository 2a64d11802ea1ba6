//===- VectorMath.h - arithmetic that polynomials are made of ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_VECTORMATH_H
#define QDELTA_CONVERSION_VECTORMATH_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace qdelta {

/// Makes arithmetic on f32 vectors of one type, and on their bits.
class VectorMath {
public:
  VectorMath(mlir::OpBuilder &b, mlir::Location loc, mlir::VectorType type)
      : b(b), loc(loc), type(type), bitsType(type.clone(b.getI32Type())) {}

  /// The same number, or the same 32 bits, in each lane.
  mlir::Value number(float value);
  mlir::Value word(uint32_t value);

  template <typename Op>
  mlir::Value make(mlir::Value lhs, mlir::Value rhs) {
    return Op::create(b, loc, lhs, rhs);
  }
  mlir::Value fma(mlir::Value lhs, mlir::Value rhs, mlir::Value sum) {
    return mlir::math::FmaOp::create(b, loc, lhs, rhs, sum);
  }
  /// c0 + c1 x + c2 x^2 + ..., one multiply-add after the other.
  mlir::Value polynomial(mlir::Value x, llvm::ArrayRef<float> coefficients);

  mlir::Value bitsOf(mlir::Value numbers);
  mlir::Value numbersOf(mlir::Value bits);

  /// `fast`, but where `isRare` is true what `create` makes, if there is such a
  /// lane. Other lanes do not depend on whether there is. No function is
  /// called: a call would have all registers saved around it.
  llvm::SmallVector<mlir::Value>
  exceptWhere(mlir::Value isRare, mlir::ValueRange fast,
              llvm::function_ref<llvm::SmallVector<mlir::Value>()> create);

private:
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::VectorType type, bitsType;
};

/// Whether `op` is a function of an f32 vector of one dimension.
bool isOfFloatVector(mlir::Operation *op);

} // namespace qdelta

#endif // QDELTA_CONVERSION_VECTORMATH_H

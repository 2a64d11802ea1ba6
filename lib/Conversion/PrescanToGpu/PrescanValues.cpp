//===- PrescanValues.cpp - the values of a prescan's token ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "PrescanValues.h"

#include "../ListToGpu/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

/// A scalar is there for every entry of a vector.
static Num partOf(const Fragment &fragment, size_t index) {
  return fragment[fragment.size() == 1 ? 0 : index];
}

LogicalResult PrescanValues::makeConstant(Operation &op, Attribute constant) {
  auto vector = dyn_cast<DenseElementsAttr>(constant);
  if (vector && !vector.isSplat())
    return op.emitOpError("is not lowered for GPUs yet: expected entries that "
                          "are all the same");
  Attribute entry = vector ? vector.getSplatValue<Attribute>() : constant;
  Num number;
  if (auto real = dyn_cast<FloatAttr>(entry))
    number = e.f32(real.getValueAsDouble());
  else if (auto truth = dyn_cast<BoolAttr>(entry))
    number = e.truth(truth.getValue());
  else
    return op.emitOpError("is not lowered for GPUs yet in the step of a token");
  Value result = op.getResult(0);
  set(result, Fragment(widths.count(widths.widthOf(result)), number));
  return success();
}

Num PrescanValues::sum(ArrayRef<Num> terms, int64_t width) {
  Num total;
  size_t next = 0;
  for (const Piece &piece : widths.pieces(e, width, lane))
    for (int64_t i = 0; i < piece.length; ++i) {
      Num term = terms[next++];
      if (piece.present)
        term = e.select(piece.present, term, e.f32(0));
      total = total ? total + term : term;
    }
  for (int64_t apart = 16; apart > 0; apart /= 2)
    total = total + e.intrinsic("llvm.nvvm.shfl.sync.bfly.f32",
                                {e.i32(-1), total, e.i32(apart), e.i32(31)},
                                e.f32Type())[0];
  return total;
}

Fragment PrescanValues::advance(AdvanceOp op) {
  Fragment next = get(op.getState());
  for (auto [i, number] : llvm::enumerate(next)) {
    Num by = op.getBy() ? partOf(get(op.getBy()), i) : Num();
    Num with = op.getWith() ? partOf(get(op.getWith()), i) : Num();
    switch (op.getKind()) {
    case AdvanceKind::Set:
      number = with;
      break;
    case AdvanceKind::Affine:
      if (by && with)
        number = e.fma(number, by, with);
      else if (by)
        number = number * by;
      else if (with)
        number = number + with;
      break;
    case AdvanceKind::MaxPlus:
      number = e.maximum(number + by, with);
      break;
    }
  }
  return next;
}

Fragment PrescanValues::rotate(RotateOp op) {
  const Fragment &x = get(op.getVector()), &c = get(op.getCos()),
                 &s = get(op.getSin());
  Fragment result = x;
  size_t half = x.size() / 2;
  for (size_t i = 0; i < half; ++i) {
    Num first = x[i], second = x[half + i];
    result[i] = e.fma(c[i], first, e.f32(0) - s[i] * second);
    result[half + i] = e.fma(s[i], first, c[i] * second);
  }
  return result;
}

LogicalResult PrescanValues::make(Operation &op) {
  Value result = op.getResult(0);
  int64_t width = widths.widthOf(result);
  e.b.setLoc(op.getLoc());
  Attribute constant;
  if (matchPattern(&op, m_Constant(&constant)))
    return makeConstant(op, constant);
  if (auto advanced = dyn_cast<AdvanceOp>(op)) {
    set(result, advance(advanced));
    return success();
  }
  if (auto rotated = dyn_cast<RotateOp>(op)) {
    set(result, rotate(rotated));
    return success();
  }
  if (auto splat = dyn_cast<SplatOp>(op)) {
    set(result, Fragment(widths.count(width), get(splat.getValue())[0]));
    return success();
  }
  if (isa<DotOp, MeanOp>(op)) {
    Fragment terms = get(op.getOperand(0));
    if (isa<DotOp>(op))
      for (auto [i, term] : llvm::enumerate(terms))
        term = term * partOf(get(op.getOperand(1)), i);
    int64_t count = widths.widthOf(op.getOperand(0));
    Num total = sum(terms, count);
    if (isa<MeanOp>(op))
      total = total / e.f32(static_cast<double>(count));
    set(result, {total});
    return success();
  }
  if (op.getNumOperands() == 0)
    return op.emitOpError("is not lowered for GPUs yet in the step of a token");
  Fragment made;
  for (size_t i = 0; i < widths.count(width); ++i) {
    SmallVector<Num> operands;
    for (Value operand : op.getOperands())
      operands.push_back(partOf(get(operand), i));
    FailureOr<Num> element = makeElement(e, op, operands);
    if (failed(element))
      return failure();
    made.push_back(*element);
  }
  set(result, std::move(made));
  return success();
}

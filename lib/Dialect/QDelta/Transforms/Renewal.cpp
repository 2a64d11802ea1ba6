//===- Renewal.cpp - running decays over a chunk or a token ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Renewal.h"
#include "LinalgTiles.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

using namespace mlir;
using namespace qdelta;

Renewal qdelta::createRenewal(OpBuilder &b, Location loc, FloatType element,
                              Value running, Value total) {
  Renewal renewal;
  Value end = arith::MulFOp::create(b, loc, running, total);
  renewal.factors = convert(b, loc, end, element);
  renewal.when = AnyOutsideOp::create(b, loc, renewal.factors,
                                      llvm::APFloat(kSmallestRunning),
                                      llvm::APFloat(kLargestRunning));
  renewal.next = arith::SelectOp::create(b, loc, renewal.when,
                                         onesOf(b, loc, typeOf(end)), end);
  Value narrow = convert(b, loc, renewal.next, element);
  renewal.inverse =
      arith::DivFOp::create(b, loc, onesOf(b, loc, typeOf(narrow)), narrow);
  return renewal;
}

NumberRenewal qdelta::createNumberRenewal(OpBuilder &b, Location loc,
                                          Value end) {
  auto number = [&](double value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(value));
  };
  using Predicate = arith::CmpFPredicate;
  Value low = arith::CmpFOp::create(b, loc, Predicate::ULT, end,
                                    number(kSmallestRunning));
  Value high = arith::CmpFOp::create(b, loc, Predicate::UGT, end,
                                     number(kLargestRunning));
  Value renew = arith::OrIOp::create(b, loc, low, high), one = number(1.0);
  return {arith::SelectOp::create(b, loc, renew, end, one),
          arith::SelectOp::create(b, loc, renew, one, end)};
}

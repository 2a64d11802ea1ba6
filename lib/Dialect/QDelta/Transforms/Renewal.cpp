//===- Renewal.cpp - a row of running decays over a chunk -----------------===//
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
  auto ones = [&](Value like) -> Value {
    auto type = cast<RankedTensorType>(like.getType());
    return arith::ConstantOp::create(
        b, loc,
        SplatElementsAttr::get(type, b.getFloatAttr(type.getElementType(), 1)));
  };
  Renewal renewal;
  Value end = arith::MulFOp::create(b, loc, running, total);
  renewal.factors = convert(b, loc, end, element);
  renewal.when = AnyOutsideOp::create(b, loc, renewal.factors,
                                      llvm::APFloat(kSmallestRunning),
                                      llvm::APFloat(kLargestRunning));
  renewal.next = arith::SelectOp::create(b, loc, renewal.when, ones(end), end);
  Value narrow = convert(b, loc, renewal.next, element);
  renewal.inverse = arith::DivFOp::create(b, loc, ones(narrow), narrow);
  return renewal;
}

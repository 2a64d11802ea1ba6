//===- TestElements.cpp - tests of extremes as tests of elements ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// The smallest number of a row is below a bound, or no number, where any number
// of the row is. Finding it takes a chain of comparisons that mind NaN and the
// sign of 0; comparing all numbers with the bound takes an instruction for each
// vector register, and the answers are bits of one.
//
//===----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

namespace qdelta {
#define GEN_PASS_DEF_TESTELEMENTS
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

/// Whether `test` holds for an extreme if and only if it does for some element:
/// both hold if one is no number.
bool isTestOfAny(arith::CmpFPredicate test, vector::CombiningKind extreme) {
  using Predicate = arith::CmpFPredicate;
  if (extreme == vector::CombiningKind::MINIMUMF)
    return test == Predicate::ULT || test == Predicate::ULE;
  if (extreme == vector::CombiningKind::MAXIMUMF)
    return test == Predicate::UGT || test == Predicate::UGE;
  return false;
}

void testElements(arith::CmpFOp test) {
  auto extreme = test.getLhs().getDefiningOp<vector::ReductionOp>();
  FloatAttr bound;
  if (!extreme || extreme.getAcc() ||
      !matchPattern(test.getRhs(), m_Constant(&bound)) ||
      !isTestOfAny(test.getPredicate(), extreme.getKind()))
    return;
  OpBuilder b(test);
  Location loc = test.getLoc();
  Value bounds = arith::ConstantOp::create(
      b, loc,
      SplatElementsAttr::get(extreme.getSourceVectorType(), bound.getValue()));
  Value each = arith::CmpFOp::create(b, loc, test.getPredicate(),
                                     extreme.getVector(), bounds);
  Value any =
      vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, each);
  test.replaceAllUsesWith(any);
  test.erase();
  if (extreme->use_empty())
    extreme.erase();
}

struct TestElementsPass : qdelta::impl::TestElementsBase<TestElementsPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      SmallVector<arith::CmpFOp> tests;
      func.walk([&](arith::CmpFOp test) { tests.push_back(test); });
      llvm::for_each(tests, testElements);
    }
  }
};
} // namespace

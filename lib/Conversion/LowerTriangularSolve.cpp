//===- LowerTriangularSolve.cpp - triangular solves as loops over rows ----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace qdelta {
#define GEN_PASS_DEF_LOWERTRIANGULARSOLVE
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

/// row i of the solution, [1, W] += L[i, k] * solved row k.
Value accumulateRow(OpBuilder &b, Location loc, Value factor, Value solved,
                    Value row) {
  MLIRContext *context = b.getContext();
  auto identity = b.getMultiDimIdentityMap(2);
  SmallVector<AffineMap> maps{AffineMap::get(2, 0, {}, context), identity,
                              identity};
  return linalg::GenericOp::create(
             b, loc, row.getType(), ValueRange{factor, solved}, ValueRange{row},
             maps,
             SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
             [](OpBuilder &b, Location loc, ValueRange args) {
               Value product =
                   arith::MulFOp::create(b, loc, args[0], args[1]);
               Value sum = arith::AddFOp::create(b, loc, args[2], product);
               linalg::YieldOp::create(b, loc, sum);
             })
      .getResult(0);
}

void lower(TriangularSolveOp op, OpBuilder &b) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getRhs().getType());
  int64_t width = type.getDimSize(1);
  auto rowType = RankedTensorType::get({1, width}, type.getElementType());
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1),
               columns = b.getIndexAttr(width);
  SmallVector<OpFoldResult> sizes{one, columns}, strides{one, one};
  auto index = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  auto rowOf = [&](OpBuilder &b, Value matrix, Value i) -> Value {
    return tensor::ExtractSliceOp::create(
        b, loc, rowType, matrix, SmallVector<OpFoldResult>{i, zero}, sizes,
        strides);
  };
  Value start = index(0), step = index(1), end = index(type.getDimSize(0));
  auto rows = scf::ForOp::create(
      b, loc, start, end, step, op.getRhs(),
      [&](OpBuilder &b, Location loc, Value i, ValueRange outer) {
        auto terms = scf::ForOp::create(
            b, loc, start, i, step, rowOf(b, outer[0], i),
            [&](OpBuilder &b, Location loc, Value k, ValueRange inner) {
              Value factor = tensor::ExtractOp::create(b, loc, op.getMatrix(),
                                                       ValueRange{i, k});
              Value solved = rowOf(b, outer[0], k);
              scf::YieldOp::create(
                  b, loc, accumulateRow(b, loc, factor, solved, inner[0]));
            });
        Value next = tensor::InsertSliceOp::create(
            b, loc, terms.getResult(0), outer[0],
            SmallVector<OpFoldResult>{i, zero}, sizes, strides);
        scf::YieldOp::create(b, loc, next);
      });
  op.getResult().replaceAllUsesWith(rows.getResult(0));
  op.erase();
}

struct LowerTriangularSolvePass
    : qdelta::impl::LowerTriangularSolveBase<LowerTriangularSolvePass> {
  void runOnOperation() override {
    SmallVector<TriangularSolveOp> solves;
    getOperation().walk([&](TriangularSolveOp op) { solves.push_back(op); });
    for (TriangularSolveOp op : solves) {
      OpBuilder b(op);
      lower(op, b);
    }
  }
};
} // namespace

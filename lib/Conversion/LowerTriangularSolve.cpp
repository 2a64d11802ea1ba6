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
#include "mlir/Dialect/Vector/IR/VectorOps.h"
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
               Value product = arith::MulFOp::create(b, loc, args[0], args[1]);
               Value sum = arith::AddFOp::create(b, loc, args[2], product);
               linalg::YieldOp::create(b, loc, sum);
             })
      .getResult(0);
}

/// Row by row, each row a slice. The right-hand side is added last: it may be
/// large, and then would round each addend.
void lowerToSlices(TriangularSolveOp op, OpBuilder &b) {
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
    return tensor::ExtractSliceOp::create(b, loc, rowType, matrix,
                                          SmallVector<OpFoldResult>{i, zero},
                                          sizes, strides);
  };
  Type element = type.getElementType();
  Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  Value unit = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 1.0));
  Value start = index(0), step = index(1), end = index(type.getDimSize(0));
  auto rows = scf::ForOp::create(
      b, loc, start, end, step, op.getRhs(),
      [&](OpBuilder &b, Location loc, Value i, ValueRange outer) {
        Value empty = tensor::EmptyOp::create(b, loc, rowType.getShape(),
                                              rowType.getElementType());
        Value none = linalg::FillOp::create(b, loc, zeros, empty).getResult(0);
        auto terms = scf::ForOp::create(
            b, loc, start, i, step, none,
            [&](OpBuilder &b, Location loc, Value k, ValueRange inner) {
              Value factor = tensor::ExtractOp::create(b, loc, op.getMatrix(),
                                                       ValueRange{i, k});
              Value solved = rowOf(b, outer[0], k);
              scf::YieldOp::create(
                  b, loc, accumulateRow(b, loc, factor, solved, inner[0]));
            });
        Value row = accumulateRow(b, loc, unit, rowOf(b, outer[0], i),
                                  terms.getResult(0));
        Value next = tensor::InsertSliceOp::create(
            b, loc, row, outer[0], SmallVector<OpFoldResult>{i, zero}, sizes,
            strides);
        scf::YieldOp::create(b, loc, next);
      });
  op.getResult().replaceAllUsesWith(rows.getResult(0));
  op.erase();
}

/// Four rows (or what divides their number) at a time, each row a vector: first
/// what earlier rows contribute, then the block's own substitution, and the
/// right-hand side last.
void lowerToVectors(TriangularSolveOp op, OpBuilder &b) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getRhs().getType());
  int64_t count = type.getDimSize(0), block = 4;
  while (count % block != 0)
    --block;
  auto rowType = VectorType::get({type.getDimSize(1)}, type.getElementType());
  Value padding =
      arith::ConstantOp::create(b, loc, b.getZeroAttr(type.getElementType()));
  auto index = [&](OpBuilder &b, int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  auto read = [&](OpBuilder &b, Value matrix, Value row) -> Value {
    return vector::TransferReadOp::create(b, loc, rowType, matrix,
                                          ValueRange{row, index(b, 0)}, padding,
                                          ArrayRef<bool>{true});
  };
  auto addProduct = [&](OpBuilder &b, Value i, Value k, Value solved,
                        Value row) -> Value {
    Value factor =
        tensor::ExtractOp::create(b, loc, op.getMatrix(), ValueRange{i, k});
    Value lanes = vector::BroadcastOp::create(b, loc, rowType, factor);
    return vector::FMAOp::create(b, loc, lanes, solved, row);
  };
  Value start = index(b, 0), end = index(b, count), step = index(b, block);
  auto blocks = scf::ForOp::create(
      b, loc, start, end, step, op.getRhs(),
      [&](OpBuilder &b, Location loc, Value first, ValueRange outer) {
        SmallVector<Value> at, rows;
        for (int64_t r = 0; r < block; ++r) {
          at.push_back(arith::AddIOp::create(b, loc, first, index(b, r)));
          rows.push_back(read(b, outer[0], at[r]));
        }
        SmallVector<Value> none(
            block, arith::ConstantOp::create(b, loc, b.getZeroAttr(rowType)));
        auto earlier = scf::ForOp::create(
            b, loc, start, first, index(b, 1), none,
            [&](OpBuilder &b, Location loc, Value k, ValueRange sums) {
              Value solved = read(b, outer[0], k);
              SmallVector<Value> next;
              for (int64_t r = 0; r < block; ++r)
                next.push_back(addProduct(b, at[r], k, solved, sums[r]));
              scf::YieldOp::create(b, loc, next);
            });
        Value result = outer[0];
        for (int64_t r = 0; r < block; ++r) {
          Value sum = earlier.getResult(r);
          for (int64_t s = 0; s < r; ++s)
            sum = addProduct(b, at[r], at[s], rows[s], sum);
          rows[r] = arith::AddFOp::create(b, loc, sum, rows[r]);
          result = vector::TransferWriteOp::create(
                       b, loc, rows[r], result, ValueRange{at[r], index(b, 0)},
                       ArrayRef<bool>{true})
                       .getResult();
        }
        scf::YieldOp::create(b, loc, result);
      });
  op.getResult().replaceAllUsesWith(blocks.getResult(0));
  op.erase();
}

struct LowerTriangularSolvePass
    : qdelta::impl::LowerTriangularSolveBase<LowerTriangularSolvePass> {
  using LowerTriangularSolveBase::LowerTriangularSolveBase;

  void runOnOperation() override {
    SmallVector<TriangularSolveOp> solves;
    getOperation().walk([&](TriangularSolveOp op) { solves.push_back(op); });
    for (TriangularSolveOp op : solves) {
      OpBuilder b(op);
      if (vectors)
        lowerToVectors(op, b);
      else
        lowerToSlices(op, b);
    }
  }
};
} // namespace

//===- TransposeRows.cpp - an item's state with its sides exchanged -------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "TransposeRows.h"
#include "TileParts.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qdelta;

namespace {
class TransposeLoops {
public:
  TransposeLoops(TransposeStateOp op, int64_t lanes)
      : b(op), loc(op.getLoc()), parts(b), source(op.getState()), lanes(lanes) {
    auto type = cast<RankedTensorType>(source.getType());
    keys = type.getDimSize(2), values = type.getDimSize(3);
  }

  Value create();

private:
  using Body = function_ref<Value(Value k, Value v, Value dest)>;
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value loops(int64_t firstKey, int64_t keys, int64_t firstValue,
              int64_t values, int64_t step, Value dest, Body body);
  SmallVector<Value> shuffle(ArrayRef<Value> rows);
  Value square(Value k, Value v, Value dest);
  Value element(Value k, Value v, Value dest);

  OpBuilder b;
  Location loc;
  TileParts parts;
  Value source;
  int64_t lanes, keys, values;
};
} // namespace

/// `body` at each k and v from the first ones up to `keys` and `values`.
Value TransposeLoops::loops(int64_t firstKey, int64_t keys, int64_t firstValue,
                            int64_t values, int64_t step, Value dest,
                            Body body) {
  if (firstKey >= keys || firstValue >= values)
    return dest;
  auto overKeys = scf::ForOp::create(
      b, loc, index(firstKey), index(keys), index(step), dest,
      [&](OpBuilder &, Location, Value k, ValueRange outer) {
        auto overValues = scf::ForOp::create(
            b, loc, index(firstValue), index(values), index(step), outer,
            [&](OpBuilder &, Location, Value v, ValueRange inner) {
              scf::YieldOp::create(b, loc, body(k, v, inner[0]));
            });
        scf::YieldOp::create(b, loc, overValues.getResults());
      });
  return overKeys.getResult(0);
}

/// One perfect shuffle of all elements of a square, row by row: it turns the
/// bits of an element's number by one.
SmallVector<Value> TransposeLoops::shuffle(ArrayRef<Value> rows) {
  SmallVector<Value> shuffled;
  size_t half = rows.size() / 2;
  for (size_t i = 0; i < half; ++i)
    for (int64_t first : {int64_t(0), lanes / 2}) {
      SmallVector<int64_t> from;
      for (int64_t at = first; at < first + lanes / 2; ++at)
        from.append({at, lanes + at});
      shuffled.push_back(
          vector::ShuffleOp::create(b, loc, rows[i], rows[half + i], from));
    }
  return shuffled;
}

/// After as many shuffles as a row's number has bits, rows are columns.
Value TransposeLoops::square(Value k, Value v, Value dest) {
  Value zero = index(0);
  auto at = [&](Value first, int64_t i, Value column) -> SmallVector<Value> {
    return {zero, zero, arith::AddIOp::create(b, loc, first, index(i)), column};
  };
  SmallVector<Value> rows;
  for (int64_t i = 0; i < lanes; ++i)
    rows.push_back(parts.readRow(loc, source, at(k, i, v), lanes));
  for (unsigned bit = 0; bit < llvm::Log2_64(lanes); ++bit)
    rows = shuffle(rows);
  for (auto [i, row] : llvm::enumerate(rows))
    dest = parts.writeRow(loc, row, dest, at(v, i, k));
  return dest;
}

Value TransposeLoops::element(Value k, Value v, Value dest) {
  Value zero = index(0);
  Value moved =
      tensor::ExtractOp::create(b, loc, source, ValueRange{zero, zero, k, v});
  return tensor::InsertOp::create(b, loc, moved, dest,
                                  ValueRange{zero, zero, v, k});
}

Value TransposeLoops::create() {
  auto type = cast<RankedTensorType>(source.getType());
  Value dest = tensor::EmptyOp::create(
      b, loc, ArrayRef<int64_t>{1, 1, values, keys}, type.getElementType());
  int64_t wholeKeys = lanes > 1 ? keys - keys % lanes : 0;
  int64_t wholeValues = lanes > 1 ? values - values % lanes : 0;
  if (wholeValues == 0)
    wholeKeys = 0;
  auto ofSquare = [&](Value k, Value v, Value to) { return square(k, v, to); };
  auto ofElement = [&](Value k, Value v, Value to) {
    return element(k, v, to);
  };
  dest = loops(0, wholeKeys, 0, wholeValues, lanes, dest, ofSquare);
  dest = loops(0, wholeKeys, wholeValues, values, 1, dest, ofElement);
  return loops(wholeKeys, keys, 0, values, 1, dest, ofElement);
}

void qdelta::lowerTransposes(func::FuncOp func, int64_t lanes) {
  SmallVector<TransposeStateOp> transposes;
  func.walk([&](TransposeStateOp op) { transposes.push_back(op); });
  for (TransposeStateOp op : transposes) {
    op.getResult().replaceAllUsesWith(TransposeLoops(op, lanes).create());
    op.erase();
  }
}

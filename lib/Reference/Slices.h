//===- Slices.h - strided rectangles of tensors -----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_REFERENCE_SLICES_H
#define QDELTA_LIB_REFERENCE_SLICES_H

#include "Interpreter.h"

#include "mlir/Interfaces/ViewLikeInterface.h"

namespace qdelta::reference {

/// Offsets, sizes and strides, one of each per dimension of the whole tensor.
struct Slice {
  llvm::SmallVector<int64_t, 4> offsets, sizes, strides;
};

/// The slice of `op`, where `indexOf` says what an index value holds.
template <typename IndexOf>
Slice sliceOf(mlir::OffsetSizeAndStrideOpInterface op, IndexOf indexOf) {
  auto resolve = [&](llvm::ArrayRef<mlir::OpFoldResult> values) {
    llvm::SmallVector<int64_t, 4> numbers;
    for (mlir::OpFoldResult value : values)
      if (auto attr = llvm::dyn_cast<mlir::Attribute>(value))
        numbers.push_back(llvm::cast<mlir::IntegerAttr>(attr).getInt());
      else
        numbers.push_back(indexOf(llvm::cast<mlir::Value>(value)));
    return numbers;
  };
  return {resolve(op.getMixedOffsets()), resolve(op.getMixedSizes()),
          resolve(op.getMixedStrides())};
}

/// As above for an op whose operands hold `args`.
template <typename Scalar>
Slice sliceOf(mlir::OffsetSizeAndStrideOpInterface op, Args<Scalar> args) {
  return sliceOf(op, [&](mlir::Value value) {
    auto operands = op->getOperands();
    return args[llvm::find(operands, value).getIndex()].integer();
  });
}

/// Fails with a message unless `slice` lies inside a tensor of `shape`.
template <typename Scalar>
mlir::LogicalResult checkSlice(Interpreter<Scalar> &interpreter,
                               mlir::Operation *op, const Slice &slice,
                               llvm::ArrayRef<int64_t> shape) {
  for (auto [dim, size] : llvm::enumerate(shape)) {
    int64_t first = slice.offsets[dim], count = slice.sizes[dim];
    int64_t last = first + (count - 1) * slice.strides[dim];
    if (count < 0 ||
        (count > 0 && (first < 0 || first >= size || last < 0 || last >= size)))
      return interpreter.fail(op, "slice of offsets " + spell(slice.offsets) +
                                      " and sizes " + spell(slice.sizes) +
                                      " is outside a tensor of shape " +
                                      spell(shape));
  }
  return mlir::success();
}

/// Calls `f(position)` for each element of a slice that lies inside `shape`,
/// in row-major order, with its position in the whole tensor.
template <typename F>
void forEachInSlice(const Slice &slice, llvm::ArrayRef<int64_t> shape, F f) {
  if (llvm::is_contained(slice.sizes, 0))
    return;
  llvm::SmallVector<int64_t, 4> steps = stridesOf(shape);
  int64_t position = 0;
  for (size_t dim = 0; dim < steps.size(); ++dim) {
    position += slice.offsets[dim] * steps[dim];
    steps[dim] *= slice.strides[dim];
  }
  llvm::SmallVector<int64_t, 4> point(steps.size(), 0);
  while (true) {
    f(position);
    size_t dim = point.size();
    for (; dim > 0; --dim) {
      position += steps[dim - 1];
      if (++point[dim - 1] < slice.sizes[dim - 1])
        break;
      position -= steps[dim - 1] * slice.sizes[dim - 1];
      point[dim - 1] = 0;
    }
    if (dim == 0)
      return;
  }
}

/// Writes `source` into `slice` of `dest`.
template <typename Scalar>
mlir::LogicalResult insertSlice(Interpreter<Scalar> &interpreter,
                                mlir::Operation *op,
                                const Datum<Scalar> &source, const Slice &slice,
                                Datum<Scalar> &dest) {
  if (failed(checkSlice(interpreter, op, slice, dest.shape())))
    return mlir::failure();
  if (checkedSize(slice.sizes) != checkedSize(source.shape()))
    return interpreter.fail(
        op, "cannot insert a tensor of shape " + spell(source.shape()) +
                " into a slice of sizes " + spell(slice.sizes));
  auto copy = [&](const auto &from, auto &to) {
    auto next = from.data.begin();
    forEachInSlice(slice, to.shape,
                   [&](int64_t position) { to.data[position] = *next++; });
  };
  if (source.isReals())
    copy(source.reals(), dest.mutableReals());
  else
    copy(source.integers(), dest.mutableIntegers());
  return mlir::success();
}

} // namespace qdelta::reference

#endif // QDELTA_LIB_REFERENCE_SLICES_H

//===- TensorOps.cpp - tensor ops -----------------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Slices.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

/// The shape of `type` with its dynamic sizes taken from `args`, in order.
template <typename Scalar>
static std::vector<int64_t> shapeOf(ShapedType type, Args<Scalar> args) {
  std::vector<int64_t> shape = type.getShape().vec();
  for (int64_t &size : shape)
    if (ShapedType::isDynamic(size)) {
      size = args.front().integer();
      args = args.drop_front();
    }
  return shape;
}

/// A tensor of one repeated element: a scalar, an integer or poison.
template <typename Scalar>
static LogicalResult fill(Interpreter<Scalar> &interpreter, Operation *op,
                          std::vector<int64_t> shape,
                          const Datum<Scalar> &element, Data<Scalar> &results) {
  if (element.isInteger()) {
    auto out = interpreter.allocate(op, std::move(shape), element.integer());
    if (failed(out))
      return failure();
    results.push_back(Datum<Scalar>(std::move(*out)));
    return success();
  }
  auto out = interpreter.allocate(op, std::move(shape), element.scalar());
  if (failed(out))
    return failure();
  results.push_back(Datum<Scalar>(std::move(*out)));
  return success();
}

template <typename Scalar>
static LogicalResult runEmpty(Interpreter<Scalar> &interpreter,
                              tensor::EmptyOp op, Args<Scalar> args,
                              Data<Scalar> &results) {
  auto poison = isReal(op.getType())
                    ? Datum<Scalar>(ScalarTraits<Scalar>::poison())
                    : Datum<Scalar>(int64_t(0));
  return fill(interpreter, op, shapeOf<Scalar>(op.getType(), args), poison,
              results);
}

template <typename Scalar>
static LogicalResult runSplat(Interpreter<Scalar> &interpreter,
                              tensor::SplatOp op, Args<Scalar> args,
                              Data<Scalar> &results) {
  return fill(interpreter, op, shapeOf<Scalar>(op.getType(), args.drop_front()),
              args[0], results);
}

/// The row-major position that `indices` name, or an error.
template <typename Scalar>
static FailureOr<int64_t> positionOf(Interpreter<Scalar> &interpreter,
                                     Operation *op, Args<Scalar> indices,
                                     ArrayRef<int64_t> shape) {
  int64_t position = 0;
  for (auto [index, size] : llvm::zip_equal(indices, shape)) {
    if (index.integer() < 0 || index.integer() >= size)
      return interpreter.fail(op, "index " + Twine(index.integer()) +
                                      " is outside a tensor of shape " +
                                      spell(shape));
    position = position * size + index.integer();
  }
  return position;
}

template <typename Scalar>
static LogicalResult runExtract(Interpreter<Scalar> &interpreter,
                                tensor::ExtractOp op, Args<Scalar> args,
                                Data<Scalar> &results) {
  FailureOr<int64_t> position =
      positionOf<Scalar>(interpreter, op, args.drop_front(), args[0].shape());
  if (failed(position))
    return failure();
  results.push_back(args[0].visitTensor([&](const auto &tensor) {
    return Datum<Scalar>(tensor.data[*position]);
  }));
  return success();
}

template <typename Scalar>
static LogicalResult runInsert(Interpreter<Scalar> &interpreter,
                               tensor::InsertOp op, Args<Scalar> args,
                               Data<Scalar> &results) {
  FailureOr<int64_t> position =
      positionOf<Scalar>(interpreter, op, args.drop_front(2), args[1].shape());
  if (failed(position))
    return failure();
  if (args[0].isScalar())
    args[1].mutableReals().data[*position] = args[0].scalar();
  else
    args[1].mutableIntegers().data[*position] = args[0].integer();
  results.push_back(std::move(args[1]));
  return success();
}

template <typename Scalar>
static LogicalResult runExtractSlice(Interpreter<Scalar> &interpreter,
                                     tensor::ExtractSliceOp op,
                                     Args<Scalar> args, Data<Scalar> &results) {
  Slice slice = sliceOf<Scalar>(op, args);
  if (failed(checkSlice(interpreter, op, slice, args[0].shape())))
    return failure();
  llvm::SmallBitVector dropped = op.getDroppedDims();
  std::vector<int64_t> shape;
  for (auto [dim, size] : llvm::enumerate(slice.sizes))
    if (!dropped.test(dim))
      shape.push_back(size);
  results.push_back(args[0].visitTensor([&](const auto &tensor) {
    std::remove_cvref_t<decltype(tensor)> out{shape, {}};
    out.data.reserve(*checkedSize(shape));
    forEachInSlice(slice, tensor.shape, [&](int64_t position) {
      out.data.push_back(tensor.data[position]);
    });
    return Datum<Scalar>(std::move(out));
  }));
  return success();
}

template <typename Scalar>
static LogicalResult runInsertSlice(Interpreter<Scalar> &interpreter,
                                    tensor::InsertSliceOp op, Args<Scalar> args,
                                    Data<Scalar> &results) {
  Slice slice = sliceOf<Scalar>(op, args);
  if (failed(insertSlice(interpreter, op, args[0], slice, args[1])))
    return failure();
  results.push_back(std::move(args[1]));
  return success();
}

template <typename Scalar>
static LogicalResult runFromElements(Interpreter<Scalar> &,
                                     tensor::FromElementsOp op,
                                     Args<Scalar> args, Data<Scalar> &results) {
  std::vector<int64_t> shape = op.getType().getShape().vec();
  if (isReal(op.getType())) {
    Tensor<Scalar> out{shape, {}};
    for (auto &arg : args)
      out.data.push_back(arg.scalar());
    results.push_back(Datum<Scalar>(std::move(out)));
    return success();
  }
  Tensor<int64_t> out{shape, {}};
  for (auto &arg : args)
    out.data.push_back(arg.integer());
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

template <typename Scalar>
static LogicalResult runDim(Interpreter<Scalar> &interpreter, tensor::DimOp op,
                            Args<Scalar> args, Data<Scalar> &results) {
  ArrayRef<int64_t> shape = args[0].shape();
  int64_t dim = args[1].integer();
  if (dim < 0 || dim >= static_cast<int64_t>(shape.size()))
    return interpreter.fail(op, "dimension " + Twine(dim) +
                                    " of a tensor of shape " + spell(shape));
  results.push_back(Datum<Scalar>(shape[dim]));
  return success();
}

/// Gives the operand's elements another shape of as many elements.
template <typename Scalar>
static LogicalResult reshape(Interpreter<Scalar> &interpreter, Operation *op,
                             Datum<Scalar> source, std::vector<int64_t> shape,
                             Data<Scalar> &results) {
  if (checkedSize(shape) != checkedSize(source.shape()))
    return interpreter.fail(op, "cannot reshape " + spell(source.shape()) +
                                    " to " + spell(shape));
  if (source.isReals())
    source.mutableReals().shape = std::move(shape);
  else
    source.mutableIntegers().shape = std::move(shape);
  results.push_back(std::move(source));
  return success();
}

template <typename Scalar>
static LogicalResult runCollapse(Interpreter<Scalar> &interpreter,
                                 tensor::CollapseShapeOp op, Args<Scalar> args,
                                 Data<Scalar> &results) {
  std::vector<int64_t> shape;
  for (const auto &group : op.getReassociationIndices()) {
    int64_t size = 1;
    for (int64_t dim : group)
      size *= args[0].shape()[dim];
    shape.push_back(size);
  }
  return reshape(interpreter, op, std::move(args[0]), shape, results);
}

template <typename Scalar>
static LogicalResult runExpand(Interpreter<Scalar> &interpreter,
                               tensor::ExpandShapeOp op, Args<Scalar> args,
                               Data<Scalar> &results) {
  std::vector<int64_t> shape = op.getStaticOutputShape().vec();
  Args<Scalar> sizes = args.drop_front();
  for (int64_t &size : shape)
    if (ShapedType::isDynamic(size)) {
      size = sizes.front().integer();
      sizes = sizes.drop_front();
    }
  return reshape(interpreter, op, std::move(args[0]), shape, results);
}

template <typename Scalar>
void reference::addTensorOps(Interpreter<Scalar> &table) {
  table.template add<tensor::EmptyOp>(runEmpty<Scalar>);
  table.template add<tensor::SplatOp>(runSplat<Scalar>);
  table.template add<tensor::ExtractOp>(runExtract<Scalar>);
  table.template add<tensor::InsertOp>(runInsert<Scalar>);
  table.template add<tensor::ExtractSliceOp>(runExtractSlice<Scalar>);
  table.template add<tensor::InsertSliceOp>(runInsertSlice<Scalar>);
  table.template add<tensor::FromElementsOp>(runFromElements<Scalar>);
  table.template add<tensor::DimOp>(runDim<Scalar>);
  table.template add<tensor::CollapseShapeOp>(runCollapse<Scalar>);
  table.template add<tensor::ExpandShapeOp>(runExpand<Scalar>);
  // The interpreter checks the result's shape against its type.
  table.template add<tensor::CastOp>([](Interpreter<Scalar> &, tensor::CastOp,
                                        Args<Scalar> args,
                                        Data<Scalar> &results) {
    results.push_back(std::move(args[0]));
    return success();
  });
}

namespace qdelta::reference {
QDELTA_REFERENCE_INSTANTIATE(addTensorOps)
} // namespace qdelta::reference

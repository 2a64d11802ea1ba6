//===- VectorOps.cpp - the vector ops that unrolled chunks use ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

/// Calls `f(element, position)` for each element of the vector that a transfer
/// moves, with its position in the tensor, or nothing where the transfer is
/// out of bounds or masked off. Vectors are the tensor's innermost dimensions.
template <typename Scalar, typename F>
static LogicalResult
forEachMoved(Interpreter<Scalar> &interpreter, VectorTransferOpInterface op,
             ArrayRef<int64_t> indices, ArrayRef<int64_t> shape,
             const Datum<Scalar> *mask, F f) {
  if (!op.getPermutationMap().isMinorIdentity())
    return interpreter.fail(op, "expected a minor identity permutation map");
  ArrayRef<int64_t> moved = op.getVectorType().getShape();
  SmallVector<bool> inBounds = op.getInBoundsValues();
  size_t outer = shape.size() - moved.size();
  int64_t count = op.getVectorType().getNumElements();
  for (int64_t element = 0; element < count; ++element) {
    int64_t rest = element, position = 0, scale = 1;
    bool exists = !mask || mask->integers().data[element];
    for (size_t dim = shape.size(); dim-- > 0;) {
      int64_t index = indices[dim];
      if (dim >= outer) {
        index += rest % moved[dim - outer];
        rest /= moved[dim - outer];
      }
      bool inside = index >= 0 && index < shape[dim];
      if (!inside && exists && (dim < outer || inBounds[dim - outer]))
        return interpreter.fail(
            op, "index " + Twine(index) + " of dimension " + Twine(dim) +
                    " is outside a tensor of shape " + spell(shape));
      exists &= inside;
      position += index * scale;
      scale *= shape[dim];
    }
    f(element, exists ? std::optional(position) : std::nullopt);
  }
  return success();
}

template <typename Scalar>
static SmallVector<int64_t, 4> integersOf(Args<Scalar> args) {
  return llvm::map_to_vector<4>(args, [](auto &arg) { return arg.integer(); });
}

template <typename Scalar>
static LogicalResult runRead(Interpreter<Scalar> &interpreter,
                             vector::TransferReadOp op, Args<Scalar> args,
                             Data<Scalar> &results) {
  if (!args[0].isReals())
    return interpreter.fail(op, "expected a transfer of floats");
  size_t rank = op.getIndices().size();
  const auto &source = args[0].reals();
  Scalar padding = args[1 + rank].scalar();
  Tensor<Scalar> out{op.getVectorType().getShape().vec(), {}};
  out.data.resize(op.getVectorType().getNumElements());
  if (failed(forEachMoved<Scalar>(
          interpreter, op, integersOf<Scalar>(args.slice(1, rank)),
          source.shape, op.getMask() ? &args[2 + rank] : nullptr,
          [&](int64_t element, std::optional<int64_t> position) {
            out.data[element] = position ? source.data[*position] : padding;
          })))
    return failure();
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

template <typename Scalar>
static LogicalResult runWrite(Interpreter<Scalar> &interpreter,
                              vector::TransferWriteOp op, Args<Scalar> args,
                              Data<Scalar> &results) {
  if (!args[0].isReals())
    return interpreter.fail(op, "expected a transfer of floats");
  size_t rank = op.getIndices().size();
  const auto &source = args[0].reals();
  auto &dest = args[1].mutableReals();
  if (failed(forEachMoved<Scalar>(
          interpreter, op, integersOf<Scalar>(args.slice(2, rank)), dest.shape,
          op.getMask() ? &args[2 + rank] : nullptr,
          [&](int64_t element, std::optional<int64_t> position) {
            if (position)
              dest.data[*position] = source.data[element];
          })))
    return failure();
  results.push_back(std::move(args[1]));
  return success();
}

template <typename Scalar>
static LogicalResult runBroadcast(Interpreter<Scalar> &interpreter,
                                  vector::BroadcastOp op, Args<Scalar> args,
                                  Data<Scalar> &results) {
  VectorType type = op.getResultVectorType();
  std::vector<int64_t> shape = type.getShape().vec();
  size_t count = type.getNumElements();
  if (args[0].isScalar()) {
    results.push_back(Datum<Scalar>(
        Tensor<Scalar>{shape, std::vector<Scalar>(count, args[0].scalar())}));
    return success();
  }
  if (args[0].isInteger()) {
    results.push_back(Datum<Scalar>(Tensor<int64_t>{
        shape, std::vector<int64_t>(count, args[0].integer())}));
    return success();
  }
  ArrayRef<int64_t> suffix = args[0].shape();
  if (ArrayRef(shape).take_back(suffix.size()) != suffix)
    return interpreter.fail(op, "expected vector.broadcast to add dimensions");
  results.push_back(args[0].visitTensor([&](const auto &source) {
    std::remove_cvref_t<decltype(source)> out{shape, {}};
    for (size_t i = 0; i < count; ++i)
      out.data.push_back(source.data[i % source.data.size()]);
    return Datum<Scalar>(std::move(out));
  }));
  return success();
}

template <typename Scalar>
static LogicalResult runReduction(Interpreter<Scalar> &interpreter,
                                  vector::ReductionOp op, Args<Scalar> args,
                                  Data<Scalar> &results) {
  using Kind = vector::CombiningKind;
  using Traits = ScalarTraits<Scalar>;
  Kind kind = op.getKind();
  if (!args[0].isReals() ||
      !llvm::is_contained(
          {Kind::ADD, Kind::MUL, Kind::MINIMUMF, Kind::MAXIMUMF}, kind))
    return interpreter.fail(
        op, "expected a sum, product, minimum or maximum of floats");
  auto combine = [&](Scalar a, Scalar b) {
    if (kind == Kind::ADD)
      return a + b;
    if (kind == Kind::MUL)
      return a * b;
    Order order = Traits::extremumOrder(a, b);
    if (order == Order::Unordered)
      return Traits::poison();
    return (order == Order::Less) == (kind == Kind::MINIMUMF) ? a : b;
  };
  std::vector<Scalar> values = args[0].reals().data;
  if (args.size() > 1)
    values.insert(values.begin(), args[1].scalar());
  if (values.empty() && kind != Kind::ADD && kind != Kind::MUL)
    return interpreter.fail(op, "expected at least one number");
  Scalar total =
      values.empty() ? Traits::integer(kind == Kind::MUL) : values[0];
  for (Scalar value : ArrayRef(values).drop_front(values.empty() ? 0 : 1))
    total = combine(total, value);
  results.push_back(Datum<Scalar>(total));
  return success();
}

/// Elements of two vectors laid end to end, by number.
template <typename Scalar>
static LogicalResult runShuffle(Interpreter<Scalar> &interpreter,
                                vector::ShuffleOp op, Args<Scalar> args,
                                Data<Scalar> &results) {
  if (!args[0].isReals() || args[0].shape().size() != 1)
    return interpreter.fail(op, "expected vectors of floats");
  const auto &first = args[0].reals().data, &second = args[1].reals().data;
  Tensor<Scalar> out{{static_cast<int64_t>(op.getMask().size())}, {}};
  for (int64_t lane : op.getMask()) {
    auto at = static_cast<size_t>(lane);
    out.data.push_back(lane < 0            ? ScalarTraits<Scalar>::poison()
                       : at < first.size() ? first[at]
                                           : second[at - first.size()]);
  }
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

/// Elements of two vectors in turn.
template <typename Scalar>
static LogicalResult runInterleave(Interpreter<Scalar> &interpreter,
                                   vector::InterleaveOp op, Args<Scalar> args,
                                   Data<Scalar> &results) {
  if (!args[0].isReals() || args[0].shape().size() != 1)
    return interpreter.fail(op, "expected vectors of floats");
  const auto &first = args[0].reals().data, &second = args[1].reals().data;
  Tensor<Scalar> out{{static_cast<int64_t>(2 * first.size())}, {}};
  for (auto [x, y] : llvm::zip_equal(first, second))
    out.data.insert(out.data.end(), {x, y});
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

/// The first element and the number of elements of the part of a vector of
/// `shape` that `position` names; dynamic indices are in `args`.
template <typename Scalar>
static FailureOr<std::pair<int64_t, int64_t>>
partOf(Interpreter<Scalar> &interpreter, Operation *op,
       ArrayRef<int64_t> position, ArrayRef<int64_t> shape, Args<Scalar> args) {
  int64_t first = 0;
  for (auto [index, size] : llvm::zip(position, shape)) {
    int64_t at = index;
    if (ShapedType::isDynamic(index)) {
      at = args.front().integer();
      args = args.drop_front();
    }
    if (at < 0 || at >= size)
      return interpreter.fail(op, "index " + Twine(at) +
                                      " is outside a vector of shape " +
                                      spell(shape));
    first = first * size + at;
  }
  int64_t count = *checkedSize(shape.drop_front(position.size()));
  return std::pair(first * count, count);
}

template <typename Scalar>
static LogicalResult runExtract(Interpreter<Scalar> &interpreter,
                                vector::ExtractOp op, Args<Scalar> args,
                                Data<Scalar> &results) {
  ArrayRef<int64_t> shape = args[0].shape(), position = op.getStaticPosition();
  auto part =
      partOf<Scalar>(interpreter, op, position, shape, args.drop_front());
  if (failed(part))
    return failure();
  auto [first, count] = *part;
  results.push_back(args[0].visitTensor([&](const auto &source) {
    if (!isa<VectorType>(op.getType()))
      return Datum<Scalar>(source.data[first]);
    auto begin = source.data.begin() + first;
    std::remove_cvref_t<decltype(source)> out{
        shape.drop_front(position.size()).vec(), {begin, begin + count}};
    return Datum<Scalar>(std::move(out));
  }));
  return success();
}

template <typename Scalar>
static LogicalResult runInsert(Interpreter<Scalar> &interpreter,
                               vector::InsertOp op, Args<Scalar> args,
                               Data<Scalar> &results) {
  auto part = partOf<Scalar>(interpreter, op, op.getStaticPosition(),
                             args[1].shape(), args.drop_front(2));
  if (failed(part))
    return failure();
  auto [first, count] = *part;
  if (args[0].isScalar())
    args[1].mutableReals().data[first] = args[0].scalar();
  else if (args[0].isInteger())
    args[1].mutableIntegers().data[first] = args[0].integer();
  else if (args[0].isReals())
    llvm::copy(args[0].reals().data,
               args[1].mutableReals().data.begin() + first);
  else
    llvm::copy(args[0].integers().data,
               args[1].mutableIntegers().data.begin() + first);
  results.push_back(std::move(args[1]));
  return success();
}

template <typename Scalar>
static LogicalResult runFma(Interpreter<Scalar> &, vector::FMAOp,
                            Args<Scalar> args, Data<Scalar> &results) {
  auto &out = args[0].mutableReals().data;
  const Scalar *b = args[1].reals().data.data();
  const Scalar *c = args[2].reals().data.data();
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = ScalarTraits<Scalar>::fma(out[i], b[i], c[i]);
  results.push_back(std::move(args[0]));
  return success();
}

template <typename Scalar>
static LogicalResult runShapeCast(Interpreter<Scalar> &, vector::ShapeCastOp op,
                                  Args<Scalar> args, Data<Scalar> &results) {
  std::vector<int64_t> shape = op.getResultVectorType().getShape().vec();
  if (args[0].isReals())
    args[0].mutableReals().shape = shape;
  else
    args[0].mutableIntegers().shape = shape;
  results.push_back(std::move(args[0]));
  return success();
}

template <typename Scalar>
static LogicalResult runCreateMask(Interpreter<Scalar> &interpreter,
                                   vector::CreateMaskOp op, Args<Scalar> args,
                                   Data<Scalar> &results) {
  if (args.size() != 1)
    return interpreter.fail(op, "expected a mask of one dimension");
  int64_t size = op.getVectorType().getDimSize(0);
  Tensor<int64_t> out{{size}, std::vector<int64_t>(size)};
  for (int64_t i = 0; i < size; ++i)
    out.data[i] = i < args[0].integer();
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

template <typename Scalar>
void reference::addVectorOps(Interpreter<Scalar> &table) {
  table.template add<vector::TransferReadOp>(runRead<Scalar>);
  table.template add<vector::TransferWriteOp>(runWrite<Scalar>);
  table.template add<vector::BroadcastOp>(runBroadcast<Scalar>);
  table.template add<vector::ReductionOp>(runReduction<Scalar>);
  table.template add<vector::ShuffleOp>(runShuffle<Scalar>);
  table.template add<vector::InterleaveOp>(runInterleave<Scalar>);
  table.template add<vector::ExtractOp>(runExtract<Scalar>);
  table.template add<vector::InsertOp>(runInsert<Scalar>);
  table.template add<vector::FMAOp>(runFma<Scalar>);
  table.template add<vector::ShapeCastOp>(runShapeCast<Scalar>);
  table.template add<vector::CreateMaskOp>(runCreateMask<Scalar>);
}

namespace qdelta::reference {
QDELTA_REFERENCE_INSTANTIATE(addVectorOps)
} // namespace qdelta::reference

//===- TileOps.cpp - the chunk form's tiles of sequences and tokens -------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

namespace {
/// Where the rows of a tile lie in its sequence [B, T, H(, D)], parameter
/// [H(, D)] or state [B, HV, K, V].
struct TileRows {
  /// The position of column 0 of each row; nothing for rows past the last.
  SmallVector<std::optional<int64_t>> starts;
  /// The tile's columns that exist: `count` from `first` on.
  int64_t first, count;
};
} // namespace

/// With `repeatLast`, tokens past the last are the last.
template <typename Scalar>
static FailureOr<TileRows>
findRows(Interpreter<Scalar> &interpreter, Operation *op,
         ArrayRef<int64_t> shape, Args<Scalar> indices,
         ArrayRef<int64_t> tileShape, int64_t column, bool repeatLast) {
  auto inside = [&](size_t dim) {
    int64_t index = indices[dim].integer();
    return index >= 0 && index < shape[dim];
  };
  size_t numIndices = indices.size();
  bool isSequence = numIndices == 3, isState = numIndices == 2;
  bool fits = inside(0) && (!isState || inside(1)) &&
              (!isSequence || (inside(2) && indices[1].integer() >= 0));
  if (!fits || column < 0)
    return interpreter.fail(op, "tile of '" + op->getName().getStringRef() +
                                    "' is outside a tensor of shape " +
                                    spell(shape));
  if (repeatLast && isSequence && shape[1] == 0)
    return interpreter.fail(op, "cannot load a tile of an empty sequence");
  int64_t columns = tileShape.size() == 2 ? shape.back() : 1;
  int64_t width = tileShape.size() == 2 ? tileShape[1] : 1;
  TileRows rows{{}, std::min(column, columns), 0};
  rows.count = std::min(columns - rows.first, width);
  for (int64_t i = 0; i < tileShape[0]; ++i) {
    int64_t row = indices[0].integer();
    bool exists = true;
    if (isState) {
      exists = i < shape[2];
      row = (row * shape[1] + indices[1].integer()) * shape[2] + i;
    } else if (isSequence) {
      int64_t token = indices[1].integer() + i;
      token = repeatLast ? std::min(token, shape[1] - 1) : token;
      exists = token < shape[1];
      row = (row * shape[1] + token) * shape[2] + indices[2].integer();
    }
    rows.starts.push_back(exists ? std::optional(row * columns) : std::nullopt);
  }
  return rows;
}

template <typename Scalar>
static LogicalResult runLoadTile(Interpreter<Scalar> &interpreter,
                                 LoadTileOp op, Args<Scalar> args,
                                 Data<Scalar> &results) {
  size_t numIndices = op.getIndices().size();
  const auto &source = args[0].reals();
  auto type = cast<RankedTensorType>(op.getResult().getType());
  int64_t column = op.getColumn() ? args[1 + numIndices].integer() : 0;
  auto rows =
      findRows<Scalar>(interpreter, op, source.shape, args.slice(1, numIndices),
                       type.getShape(), column, /*repeatLast=*/true);
  if (failed(rows))
    return failure();
  Tensor<Scalar> tile{type.getShape().vec(),
                      std::vector<Scalar>(type.getNumElements(),
                                          ScalarTraits<Scalar>::integer(0))};
  int64_t width = type.getRank() == 2 ? type.getDimSize(1) : 1;
  for (auto [i, start] : llvm::enumerate(rows->starts))
    if (start)
      std::copy_n(source.data.begin() + *start + rows->first, rows->count,
                  tile.data.begin() + i * width);
  results.push_back(Datum<Scalar>(std::move(tile)));
  return success();
}

/// Nothing is rounded: the interpreter gives the exact answer.
template <typename Scalar>
static LogicalResult runStoreTile(Interpreter<Scalar> &interpreter,
                                  StoreTileOp op, Args<Scalar> args,
                                  Data<Scalar> &results) {
  const auto &tile = args[0].reals();
  auto &dest = args[1].mutableReals();
  auto rows = findRows<Scalar>(interpreter, op, dest.shape,
                               args.slice(2, op.getIndices().size()),
                               tile.shape, args.back().integer(),
                               /*repeatLast=*/false);
  if (failed(rows))
    return failure();
  for (auto [i, start] : llvm::enumerate(rows->starts))
    if (start)
      std::copy_n(tile.data.begin() + i * tile.shape[1], rows->count,
                  dest.data.begin() + *start + rows->first);
  results.push_back(std::move(args[1]));
  return success();
}

template <typename Scalar>
static LogicalResult runChunkValid(Interpreter<Scalar> &, ChunkValidOp op,
                                   Args<Scalar> args, Data<Scalar> &results) {
  int64_t size = cast<RankedTensorType>(op.getResult().getType()).getDimSize(0);
  Tensor<int64_t> valid{{size}, {}};
  for (int64_t i = 0; i < size; ++i)
    valid.data.push_back(args[0].integer() + i < args[1].integer());
  results.push_back(Datum<Scalar>(std::move(valid)));
  return success();
}

/// Rows of tokens that do not exist are 0, even if they held no number.
template <typename Scalar>
static LogicalResult runMaskRows(Interpreter<Scalar> &, MaskRowsOp,
                                 Args<Scalar> args, Data<Scalar> &results) {
  auto &tile = args[0].mutableReals();
  const auto &valid = args[1].integers();
  size_t width = tile.data.size() / valid.data.size();
  for (size_t i = 0; i < tile.data.size(); ++i)
    if (!valid.data[i / width])
      tile.data[i] = ScalarTraits<Scalar>::integer(0);
  results.push_back(std::move(args[0]));
  return success();
}

template <typename Scalar>
static LogicalResult runScaleChannels(Interpreter<Scalar> &, ScaleChannelsOp,
                                      Args<Scalar> args,
                                      Data<Scalar> &results) {
  auto &tile = args[0].mutableReals();
  const auto &by = args[1].reals();
  for (size_t i = 0; i < tile.data.size(); ++i)
    tile.data[i] *= by.data[i % by.data.size()];
  results.push_back(std::move(args[0]));
  return success();
}

/// By the smallest and the largest element: in a prime field, where orders are
/// random, some element of many would nearly always be outside.
template <typename Scalar>
static LogicalResult runAnyOutside(Interpreter<Scalar> &, AnyOutsideOp op,
                                   Args<Scalar> args, Data<Scalar> &results) {
  using Traits = ScalarTraits<Scalar>;
  Scalar low = Traits::real(op.getLow().convertToDouble());
  Scalar high = Traits::real(op.getHigh().convertToDouble());
  const auto &elements = args[0].reals().data;
  bool outside = false;
  if (!elements.empty()) {
    Scalar smallest = elements[0], largest = elements[0];
    for (Scalar x : elements) {
      outside |= Traits::isPoison(x);
      if (Traits::extremumOrder(x, smallest) == Order::Less)
        smallest = x;
      if (Traits::extremumOrder(x, largest) == Order::Greater)
        largest = x;
    }
    outside |= Traits::order(smallest, low) == Order::Less ||
               Traits::order(largest, high) == Order::Greater;
  }
  results.push_back(Datum<Scalar>(int64_t(outside)));
  return success();
}

template <typename Scalar>
void reference::addTileOps(Interpreter<Scalar> &table) {
  table.template add<LoadTileOp>(runLoadTile<Scalar>);
  table.template add<StoreTileOp>(runStoreTile<Scalar>);
  table.template add<ChunkValidOp>(runChunkValid<Scalar>);
  table.template add<MaskRowsOp>(runMaskRows<Scalar>);
  table.template add<ScaleChannelsOp>(runScaleChannels<Scalar>);
  table.template add<AnyOutsideOp>(runAnyOutside<Scalar>);
  table.template add<PrefetchOp>([](Interpreter<Scalar> &, PrefetchOp,
                                    Args<Scalar>,
                                    Data<Scalar> &) { return success(); });
}

namespace qdelta::reference {
QDELTA_REFERENCE_INSTANTIATE(addTileOps)
} // namespace qdelta::reference

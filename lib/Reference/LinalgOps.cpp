//===- LinalgOps.cpp - every structured linalg op, through its interface --===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

namespace {
/// Where the elements of an operand lie as the loops run: the position at the
/// origin and the step of each loop.
struct Access {
  int64_t origin = 0;
  SmallVector<int64_t, 4> steps;
};
} // namespace

/// Whether a map's results are sums of multiples of dimensions and constants.
static bool isLinear(AffineMap map) {
  bool linear = map.getNumSymbols() == 0;
  for (AffineExpr result : map.getResults())
    result.walk([&](AffineExpr expr) {
      linear &= expr.getKind() != AffineExprKind::Mod &&
                expr.getKind() != AffineExprKind::FloorDiv &&
                expr.getKind() != AffineExprKind::CeilDiv;
    });
  return linear;
}

static Access accessOf(AffineMap map, ArrayRef<int64_t> shape) {
  SmallVector<int64_t, 4> strides = stridesOf(shape);
  SmallVector<int64_t, 4> point(map.getNumDims(), 0);
  auto position = [&] {
    int64_t sum = 0;
    for (auto [index, stride] : llvm::zip_equal(map.compose(point), strides))
      sum += index * stride;
    return sum;
  };
  Access access;
  access.origin = position();
  for (int64_t &dim : point) {
    dim = 1;
    access.steps.push_back(position() - access.origin);
    dim = 0;
  }
  return access;
}

/// The loops' extents, from every operand dimension that is a loop by itself;
/// then all other accesses are checked to stay inside.
template <typename Scalar>
static LogicalResult findExtents(Interpreter<Scalar> &interpreter,
                                 linalg::LinalgOp op, Args<Scalar> args,
                                 SmallVectorImpl<int64_t> &extents) {
  extents.assign(op.getNumLoops(), -1);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  for (auto [map, arg] : llvm::zip_equal(maps, args)) {
    if (!isLinear(map))
      return interpreter.fail(op, "expected linear indexing maps");
    for (auto [expr, size] : llvm::zip_equal(map.getResults(), arg.shape())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        continue;
      int64_t &extent = extents[dim.getPosition()];
      if (extent >= 0 && extent != size)
        return interpreter.fail(
            op, "operands of '" + op->getName().getStringRef() +
                    "' disagree on loop " + Twine(dim.getPosition()) + ": " +
                    Twine(extent) + " and " + Twine(size));
      extent = size;
    }
  }
  if (llvm::is_contained(extents, -1))
    return interpreter.fail(op, "expected each loop to be the dimension of an "
                                "operand");
  if (llvm::is_contained(extents, 0))
    return success();
  // A linear index is smallest and largest at corners of the loops' box.
  for (auto [map, arg] : llvm::zip_equal(maps, args))
    for (auto [dim, size] : llvm::enumerate(arg.shape())) {
      Access row = accessOf(map.getSubMap({unsigned(dim)}), {size});
      int64_t low = row.origin, high = row.origin;
      for (auto [step, extent] : llvm::zip_equal(row.steps, extents))
        (step < 0 ? low : high) += step * (extent - 1);
      if (low < 0 || high >= size)
        return interpreter.fail(op, "indexing maps leave an operand of shape " +
                                        spell(arg.shape()));
    }
  return success();
}

/// Calls `f(positions)` at every point of the loops, with each operand's
/// position. `point` follows the loops.
template <typename F>
static LogicalResult forEachPoint(ArrayRef<int64_t> extents,
                                  ArrayRef<Access> accesses,
                                  MutableArrayRef<int64_t> point, F f) {
  if (llvm::is_contained(extents, 0))
    return success();
  SmallVector<int64_t, 4> positions;
  for (const Access &access : accesses)
    positions.push_back(access.origin);
  auto advance = [&](size_t dim, int64_t by) {
    for (auto [position, access] : llvm::zip_equal(positions, accesses))
      position += access.steps[dim] * by;
  };
  while (true) {
    if (failed(f(ArrayRef<int64_t>(positions))))
      return failure();
    size_t dim = extents.size();
    for (; dim > 0; --dim) {
      advance(dim - 1, 1);
      if (++point[dim - 1] < extents[dim - 1])
        break;
      advance(dim - 1, -extents[dim - 1]);
      point[dim - 1] = 0;
    }
    if (dim == 0)
      return success();
  }
}

/// Whether the body is `yield(out + a * b)`, by far the most frequent one.
static bool isMultiplyAdd(Block &body) {
  if (body.getNumArguments() != 3 ||
      std::distance(body.begin(), body.end()) != 3)
    return false;
  auto multiply = dyn_cast<arith::MulFOp>(body.front());
  auto add = dyn_cast<arith::AddFOp>(*std::next(body.begin()));
  if (!multiply || !add ||
      body.getTerminator()->getOperands() != ValueRange{add})
    return false;
  Value a = body.getArgument(0), b = body.getArgument(1);
  Value out = body.getArgument(2), product = multiply.getResult();
  bool factors = (multiply.getLhs() == a && multiply.getRhs() == b) ||
                 (multiply.getLhs() == b && multiply.getRhs() == a);
  bool terms = (add.getLhs() == out && add.getRhs() == product) ||
               (add.getLhs() == product && add.getRhs() == out);
  return factors && terms;
}

/// One element of an operand, which may be a scalar itself.
template <typename Scalar>
static Datum<Scalar> elementAt(const Datum<Scalar> &datum, int64_t position) {
  if (datum.isScalar() || datum.isInteger())
    return datum;
  return datum.visitTensor(
      [&](const auto &tensor) { return Datum<Scalar>(tensor.data[position]); });
}

template <typename Scalar>
static LogicalResult runLinalg(Interpreter<Scalar> &interpreter,
                               linalg::LinalgOp op, Args<Scalar> args,
                               Data<Scalar> &results) {
  SmallVector<int64_t, 4> extents;
  if (failed(findExtents(interpreter, op, args, extents)))
    return failure();
  SmallVector<Access, 3> accesses;
  for (auto [map, arg] : llvm::zip_equal(op.getIndexingMapsArray(), args))
    accesses.push_back(accessOf(map, arg.shape()));
  size_t inputs = op.getNumDpsInputs();
  Args<Scalar> outputs = args.drop_front(inputs);
  SmallVector<int64_t, 4> point(extents.size(), 0);
  Block &body = *op.getBlock();

  LogicalResult result = success();
  if (args.size() == 3 &&
      llvm::all_of(args, [](auto &a) { return a.isReals(); }) &&
      isMultiplyAdd(body)) {
    Scalar *out = outputs[0].mutableReals().data.data();
    const Scalar *a = args[0].reals().data.data();
    const Scalar *b = args[1].reals().data.data();
    result = forEachPoint(extents, accesses, point, [&](auto at) {
      out[at[2]] += a[at[0]] * b[at[1]];
      return success();
    });
  } else {
    ArrayRef<int64_t> outer = std::exchange(interpreter.loopIndices, point);
    result = forEachPoint(extents, accesses, point, [&](auto at) {
      for (BlockArgument value : body.getArguments())
        interpreter.bind(value, elementAt(args[value.getArgNumber()],
                                          at[value.getArgNumber()]));
      Data<Scalar> yielded;
      if (failed(interpreter.run(body, yielded)))
        return failure();
      for (auto [index, value] : llvm::enumerate(yielded))
        if (value.isScalar())
          outputs[index].mutableReals().data[at[inputs + index]] =
              value.scalar();
        else
          outputs[index].mutableIntegers().data[at[inputs + index]] =
              value.integer();
      return success();
    });
    interpreter.loopIndices = outer;
  }
  for (Datum<Scalar> &output : outputs)
    results.push_back(std::move(output));
  return result;
}

template <typename Scalar, typename... OpTys>
static void addAll(Interpreter<Scalar> &table) {
  (table.add(TypeID::get<OpTys>(),
             [](Interpreter<Scalar> &interpreter, Operation *op,
                Args<Scalar> args, Data<Scalar> &results) {
               return runLinalg(interpreter, cast<linalg::LinalgOp>(op), args,
                                results);
             }),
   ...);
}

template <typename Scalar>
void reference::addLinalgOps(Interpreter<Scalar> &table) {
  addAll<Scalar,
#define GET_OP_LIST
#include "mlir/Dialect/Linalg/IR/LinalgStructuredOps.cpp.inc"
         >(table);
  table.template add<linalg::IndexOp>([](Interpreter<Scalar> &interpreter,
                                         linalg::IndexOp op, Args<Scalar>,
                                         Data<Scalar> &results) {
    results.push_back(Datum<Scalar>(interpreter.loopIndices[op.getDim()]));
    return success();
  });
}

namespace qdelta::reference {
QDELTA_REFERENCE_INSTANTIATE(addLinalgOps)
} // namespace qdelta::reference

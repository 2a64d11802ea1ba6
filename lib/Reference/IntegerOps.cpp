//===- IntegerOps.cpp - constants, integers, select -----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

/// `value` as the interpreter holds an integer of `type`: i1 is 0 or 1, others
/// are sign-extended.
static int64_t wrap(int64_t value, Type type) {
  auto integer = dyn_cast<IntegerType>(getElementTypeOrSelf(type));
  if (!integer || integer.getWidth() >= 64)
    return value;
  if (integer.getWidth() == 1)
    return value & 1;
  return llvm::SignExtend64(value, integer.getWidth());
}

/// The same value read as an unsigned number of its type.
static uint64_t asUnsigned(int64_t value, Type type) {
  auto integer = dyn_cast<IntegerType>(getElementTypeOrSelf(type));
  if (!integer || integer.getWidth() >= 64)
    return value;
  return value & llvm::maskTrailingOnes<uint64_t>(integer.getWidth());
}

template <typename Scalar>
static Scalar convert(const llvm::APFloat &value) {
  if (value.isNaN())
    return ScalarTraits<Scalar>::poison();
  llvm::APFloat copy = value;
  bool lossy;
  copy.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven,
               &lossy);
  return ScalarTraits<Scalar>::real(copy.convertToDouble());
}

template <typename Scalar>
static LogicalResult constant(Interpreter<Scalar> &interpreter,
                              arith::ConstantOp op, Args<Scalar>,
                              Data<Scalar> &results) {
  auto integerOf = [](const APInt &value) {
    return value.getBitWidth() == 1 ? int64_t(value.getZExtValue())
                                    : value.getSExtValue();
  };
  if (auto attr = dyn_cast<IntegerAttr>(op.getValue())) {
    results.push_back(Datum<Scalar>(integerOf(attr.getValue())));
    return success();
  }
  if (auto attr = dyn_cast<FloatAttr>(op.getValue())) {
    results.push_back(Datum<Scalar>(convert<Scalar>(attr.getValue())));
    return success();
  }
  auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!dense)
    return interpreter.fail(op, "expected a dense constant");
  std::vector<int64_t> shape(dense.getType().getShape().vec());
  if (isReal(dense.getElementType())) {
    Tensor<Scalar> out{shape, {}};
    for (const APFloat &value : dense.getValues<APFloat>())
      out.data.push_back(convert<Scalar>(value));
    results.push_back(Datum<Scalar>(std::move(out)));
    return success();
  }
  Tensor<int64_t> out{shape, {}};
  for (const APInt &value : dense.getValues<APInt>())
    out.data.push_back(integerOf(value));
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

/// A handler that applies `f(a, b, type)` to each element; nothing means a
/// division by zero.
template <typename Scalar, typename F>
static auto binary(F f) {
  return [f](Interpreter<Scalar> &interpreter, Operation *op, Args<Scalar> args,
             Data<Scalar> &results) -> LogicalResult {
    Type type = op->getOperand(0).getType();
    auto fail = [&](const Twine &message) {
      return interpreter.fail(op, message + " in '" +
                                      op->getName().getStringRef() + "'");
    };
    if (args[0].isInteger()) {
      std::optional<int64_t> value =
          f(args[0].integer(), args[1].integer(), type);
      if (!value)
        return fail("division by zero");
      results.push_back(
          Datum<Scalar>(wrap(*value, op->getResult(0).getType())));
      return success();
    }
    if (args[0].shape() != args[1].shape())
      return fail("operands differ in shape");
    Tensor<int64_t> out = args[0].integers();
    for (auto [a, b] : llvm::zip(out.data, args[1].integers().data)) {
      std::optional<int64_t> value = f(a, b, type);
      if (!value)
        return fail("division by zero");
      a = wrap(*value, op->getResult(0).getType());
    }
    results.push_back(Datum<Scalar>(std::move(out)));
    return success();
  };
}

/// Conversions between integer types.
template <typename Scalar, typename OpTy>
static void addCast(Interpreter<Scalar> &table, bool isUnsigned) {
  table.template add<OpTy>([isUnsigned](Interpreter<Scalar> &, Operation *op,
                                        Args<Scalar> args,
                                        Data<Scalar> &results) {
    Type from = op->getOperand(0).getType(), to = op->getResult(0).getType();
    bool isBit = getElementTypeOrSelf(from).isInteger(1);
    auto cast = [&](int64_t value) {
      if (isUnsigned)
        return wrap(asUnsigned(value, from), to);
      return wrap(isBit ? -value : value, to);
    };
    if (args[0].isInteger()) {
      results.push_back(Datum<Scalar>(cast(args[0].integer())));
      return success();
    }
    for (int64_t &value : args[0].mutableIntegers().data)
      value = cast(value);
    results.push_back(std::move(args[0]));
    return success();
  });
}

static bool compare(arith::CmpIPredicate predicate, int64_t a, int64_t b,
                    Type type) {
  using P = arith::CmpIPredicate;
  uint64_t ua = asUnsigned(a, type), ub = asUnsigned(b, type);
  if (getElementTypeOrSelf(type).isInteger(1)) {
    a = -a;
    b = -b;
  }
  switch (predicate) {
  case P::eq:
    return a == b;
  case P::ne:
    return a != b;
  case P::slt:
    return a < b;
  case P::sle:
    return a <= b;
  case P::sgt:
    return a > b;
  case P::sge:
    return a >= b;
  case P::ult:
    return ua < ub;
  case P::ule:
    return ua <= ub;
  case P::ugt:
    return ua > ub;
  case P::uge:
    return ua >= ub;
  }
  return false;
}

template <typename Scalar>
static LogicalResult select(Interpreter<Scalar> &interpreter,
                            arith::SelectOp op, Args<Scalar> args,
                            Data<Scalar> &results) {
  if (args[0].isInteger()) {
    results.push_back(std::move(args[0].integer() ? args[1] : args[2]));
    return success();
  }
  const auto &condition = args[0].integers();
  if (condition.shape != args[1].shape() || condition.shape != args[2].shape())
    return interpreter.fail(op, "operands of 'arith.select' differ in shape");
  auto merge = [&](auto &out, const auto &otherwise) {
    for (size_t i = 0; i < out.data.size(); ++i)
      if (!condition.data[i])
        out.data[i] = otherwise.data[i];
  };
  if (args[1].isReals())
    merge(args[1].mutableReals(), args[2].reals());
  else
    merge(args[1].mutableIntegers(), args[2].integers());
  results.push_back(std::move(args[1]));
  return success();
}

/// affine.apply, affine.min and affine.max.
template <typename Scalar, typename OpTy, typename Pick>
static void addAffineIndexOp(Interpreter<Scalar> &table, Pick pick) {
  table.template add<OpTy>([pick](Interpreter<Scalar> &interpreter, OpTy op,
                                  Args<Scalar> args, Data<Scalar> &results) {
    SmallVector<Attribute> operands;
    Builder builder(op.getContext());
    for (auto &arg : args)
      operands.push_back(builder.getIndexAttr(arg.integer()));
    SmallVector<Attribute> values;
    if (failed(op.getAffineMap().constantFold(operands, values)))
      return interpreter.fail(op, "division by zero in an affine map");
    auto first = cast<IntegerAttr>(values[0]).getInt();
    for (Attribute value : ArrayRef(values).drop_front())
      first = pick(first, cast<IntegerAttr>(value).getInt());
    results.push_back(Datum<Scalar>(int64_t(first)));
    return success();
  });
}

template <typename Scalar>
static void addDivisions(Interpreter<Scalar> &table) {
  auto checked = [](auto divide) {
    return binary<Scalar>(
        [divide](int64_t a, int64_t b, Type t) -> std::optional<int64_t> {
          if (b == 0 || (a == INT64_MIN && b == -1))
            return std::nullopt;
          return divide(a, b, t);
        });
  };
  table.template add<arith::DivSIOp>(
      checked([](int64_t a, int64_t b, Type) { return a / b; }));
  table.template add<arith::RemSIOp>(
      checked([](int64_t a, int64_t b, Type) { return a % b; }));
  table.template add<arith::CeilDivSIOp>(
      checked([](int64_t a, int64_t b, Type) {
        return a / b + (a % b != 0 && (a < 0) == (b < 0));
      }));
  table.template add<arith::FloorDivSIOp>(
      checked([](int64_t a, int64_t b, Type) {
        return a / b - (a % b != 0 && (a < 0) != (b < 0));
      }));
  table.template add<arith::DivUIOp>(
      checked([](int64_t a, int64_t b, Type t) -> int64_t {
        return asUnsigned(a, t) / asUnsigned(b, t);
      }));
  table.template add<arith::RemUIOp>(
      checked([](int64_t a, int64_t b, Type t) -> int64_t {
        return asUnsigned(a, t) % asUnsigned(b, t);
      }));
  table.template add<arith::CeilDivUIOp>(
      checked([](int64_t a, int64_t b, Type t) -> int64_t {
        uint64_t x = asUnsigned(a, t), y = asUnsigned(b, t);
        return x / y + (x % y != 0);
      }));
}

template <typename Scalar>
void reference::addIntegerOps(Interpreter<Scalar> &table) {
  table.template add<arith::ConstantOp>(constant<Scalar>);
  table.template add<ub::PoisonOp>([](Interpreter<Scalar> &interpreter,
                                      ub::PoisonOp op, Args<Scalar>,
                                      Data<Scalar> &results) {
    if (!isa<FloatType>(op.getType()))
      return interpreter.fail(op, "expected ub.poison of a float type");
    results.push_back(Datum<Scalar>(ScalarTraits<Scalar>::poison()));
    return success();
  });
  auto wrapping = [](auto f) {
    return binary<Scalar>([f](int64_t a, int64_t b, Type) {
      return std::optional<int64_t>(f(uint64_t(a), uint64_t(b)));
    });
  };
  table.template add<arith::AddIOp>(
      wrapping([](auto a, auto b) { return a + b; }));
  table.template add<arith::SubIOp>(
      wrapping([](auto a, auto b) { return a - b; }));
  table.template add<arith::MulIOp>(
      wrapping([](auto a, auto b) { return a * b; }));
  table.template add<arith::AndIOp>(
      wrapping([](auto a, auto b) { return a & b; }));
  table.template add<arith::OrIOp>(
      wrapping([](auto a, auto b) { return a | b; }));
  table.template add<arith::XOrIOp>(
      wrapping([](auto a, auto b) { return a ^ b; }));
  auto chosen = [](arith::CmpIPredicate first) {
    return binary<Scalar>([first](int64_t a, int64_t b, Type t) {
      return std::optional<int64_t>(compare(first, a, b, t) ? a : b);
    });
  };
  table.template add<arith::MinSIOp>(chosen(arith::CmpIPredicate::slt));
  table.template add<arith::MinUIOp>(chosen(arith::CmpIPredicate::ult));
  table.template add<arith::MaxSIOp>(chosen(arith::CmpIPredicate::sgt));
  table.template add<arith::MaxUIOp>(chosen(arith::CmpIPredicate::ugt));
  addDivisions(table);
  table.template add<arith::CmpIOp>([](Interpreter<Scalar> &interpreter,
                                       arith::CmpIOp op, Args<Scalar> args,
                                       Data<Scalar> &results) {
    arith::CmpIPredicate predicate = op.getPredicate();
    auto handler = binary<Scalar>([predicate](int64_t a, int64_t b, Type t) {
      return std::optional<int64_t>(compare(predicate, a, b, t));
    });
    return handler(interpreter, op, args, results);
  });
  addCast<Scalar, arith::IndexCastOp>(table, false);
  addCast<Scalar, arith::IndexCastUIOp>(table, true);
  addCast<Scalar, arith::ExtSIOp>(table, false);
  addCast<Scalar, arith::ExtUIOp>(table, true);
  addCast<Scalar, arith::TruncIOp>(table, true);
  table.template add<arith::SelectOp>(select<Scalar>);
  auto only = [](int64_t a, int64_t) { return a; };
  addAffineIndexOp<Scalar, affine::AffineApplyOp>(table, only);
  addAffineIndexOp<Scalar, affine::AffineMinOp>(
      table, [](int64_t a, int64_t b) { return std::min(a, b); });
  addAffineIndexOp<Scalar, affine::AffineMaxOp>(
      table, [](int64_t a, int64_t b) { return std::max(a, b); });
}

namespace qdelta::reference {
QDELTA_REFERENCE_INSTANTIATE(addIntegerOps)
} // namespace qdelta::reference

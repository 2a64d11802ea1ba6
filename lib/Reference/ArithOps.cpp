//===- ArithOps.cpp - arith and math on reals, element by element ---------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

/// A handler that applies `f` to each element of its operands, which are all
/// scalars or all tensors of one shape. The first operand's storage is reused.
template <typename Scalar, unsigned arity, typename F>
static auto elementwise(F f) {
  return [f](Interpreter<Scalar> &interpreter, Operation *op, Args<Scalar> args,
             Data<Scalar> &results) -> LogicalResult {
    if (args[0].isScalar()) {
      if constexpr (arity == 1)
        results.push_back(Datum<Scalar>(f(args[0].scalar())));
      else if constexpr (arity == 2)
        results.push_back(Datum<Scalar>(f(args[0].scalar(), args[1].scalar())));
      else
        results.push_back(Datum<Scalar>(
            f(args[0].scalar(), args[1].scalar(), args[2].scalar())));
      return success();
    }
    for (auto &arg : args)
      if (arg.shape() != args[0].shape())
        return interpreter.fail(op,
                                "operands of '" + op->getName().getStringRef() +
                                    "' have shapes " + spell(args[0].shape()) +
                                    " and " + spell(arg.shape()));
    auto &out = args[0].mutableReals().data;
    const Scalar *operands[3] = {};
    for (unsigned i = 1; i < arity; ++i)
      operands[i] = args[i].reals().data.data();
    for (size_t i = 0, e = out.size(); i < e; ++i) {
      if constexpr (arity == 1)
        out[i] = f(out[i]);
      else if constexpr (arity == 2)
        out[i] = f(out[i], operands[1][i]);
      else
        out[i] = f(out[i], operands[1][i], operands[2][i]);
    }
    results.push_back(std::move(args[0]));
    return success();
  };
}

/// The larger or smaller of two numbers. `quiet` is for maxnumf and minnumf,
/// which return the other number when one is NaN.
template <typename Scalar>
static auto extremum(Order wanted, bool quiet) {
  return elementwise<Scalar, 2>([wanted, quiet](Scalar a, Scalar b) {
    using Traits = ScalarTraits<Scalar>;
    Order order = Traits::extremumOrder(a, b);
    if (order != Order::Unordered)
      return order == wanted ? a : b;
    if (!quiet)
      return Traits::poison();
    return Traits::isPoison(a) ? b : a;
  });
}

template <typename Scalar, typename OpTy>
static void addFunction(Interpreter<Scalar> &table, Function function) {
  table.template add<OpTy>(elementwise<Scalar, 1>([function](Scalar x) {
    return ScalarTraits<Scalar>::apply(function, x);
  }));
}

/// What a comparison says about two numbers in the given order.
static bool holds(arith::CmpFPredicate predicate, Order order) {
  using P = arith::CmpFPredicate;
  bool less = order == Order::Less, equal = order == Order::Equal,
       greater = order == Order::Greater, unordered = order == Order::Unordered;
  switch (predicate) {
  case P::AlwaysFalse:
    return false;
  case P::OEQ:
    return equal;
  case P::OGT:
    return greater;
  case P::OGE:
    return greater || equal;
  case P::OLT:
    return less;
  case P::OLE:
    return less || equal;
  case P::ONE:
    return less || greater;
  case P::ORD:
    return !unordered;
  case P::UEQ:
    return equal || unordered;
  case P::UGT:
    return greater || unordered;
  case P::UGE:
    return !less;
  case P::ULT:
    return less || unordered;
  case P::ULE:
    return !greater;
  case P::UNE:
    return !equal;
  case P::UNO:
    return unordered;
  case P::AlwaysTrue:
    return true;
  }
  return false;
}

template <typename Scalar>
static LogicalResult compare(Interpreter<Scalar> &interpreter, arith::CmpFOp op,
                             Args<Scalar> args, Data<Scalar> &results) {
  auto test = [&](Scalar a, Scalar b) -> int64_t {
    return holds(op.getPredicate(), ScalarTraits<Scalar>::order(a, b));
  };
  if (args[0].isScalar()) {
    results.push_back(Datum<Scalar>(test(args[0].scalar(), args[1].scalar())));
    return success();
  }
  const auto &a = args[0].reals(), &b = args[1].reals();
  if (a.shape != b.shape)
    return interpreter.fail(op, "operands of 'arith.cmpf' have shapes " +
                                    spell(a.shape) + " and " + spell(b.shape));
  Tensor<int64_t> out{a.shape, std::vector<int64_t>(a.data.size())};
  for (size_t i = 0; i < out.data.size(); ++i)
    out.data[i] = test(a.data[i], b.data[i]);
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

template <typename Scalar>
static LogicalResult fromInteger(Interpreter<Scalar> &, Operation *op,
                                 Args<Scalar> args, Data<Scalar> &results) {
  // i1 holds 0 or 1; as a signed number the latter is -1.
  bool negate = isa<arith::SIToFPOp>(op) &&
                getElementTypeOrSelf(op->getOperand(0).getType()).isInteger(1);
  auto convert = [&](int64_t value) {
    return ScalarTraits<Scalar>::integer(negate ? -value : value);
  };
  if (args[0].isInteger()) {
    results.push_back(Datum<Scalar>(convert(args[0].integer())));
    return success();
  }
  Tensor<Scalar> out{args[0].shape(), {}};
  for (int64_t value : args[0].integers().data)
    out.data.push_back(convert(value));
  results.push_back(Datum<Scalar>(std::move(out)));
  return success();
}

template <typename Scalar>
void reference::addArithOps(Interpreter<Scalar> &table) {
  using Traits = ScalarTraits<Scalar>;
  auto binary = [](auto f) { return elementwise<Scalar, 2>(f); };
  table.template add<arith::AddFOp>(
      binary([](Scalar a, Scalar b) { return a + b; }));
  table.template add<arith::SubFOp>(
      binary([](Scalar a, Scalar b) { return a - b; }));
  table.template add<arith::MulFOp>(
      binary([](Scalar a, Scalar b) { return a * b; }));
  table.template add<arith::DivFOp>(
      binary([](Scalar a, Scalar b) { return a / b; }));
  table.template add<arith::NegFOp>(
      elementwise<Scalar, 1>([](Scalar a) { return -a; }));
  table.template add<arith::MaximumFOp>(
      extremum<Scalar>(Order::Greater, false));
  table.template add<arith::MinimumFOp>(extremum<Scalar>(Order::Less, false));
  table.template add<arith::MaxNumFOp>(extremum<Scalar>(Order::Greater, true));
  table.template add<arith::MinNumFOp>(extremum<Scalar>(Order::Less, true));
  table.template add<arith::CmpFOp>(compare<Scalar>);
  table.template add<arith::SIToFPOp>(fromInteger<Scalar>);
  table.template add<arith::UIToFPOp>(fromInteger<Scalar>);
  // Storage types do not round: every number is a Scalar.
  auto same = elementwise<Scalar, 1>([](Scalar a) { return a; });
  table.template add<arith::ExtFOp>(same);
  table.template add<arith::TruncFOp>(same);

  table.template add<math::PowFOp>(
      binary([](Scalar a, Scalar b) { return Traits::power(a, b); }));
  table.template add<math::FmaOp>(elementwise<Scalar, 3>(
      [](Scalar a, Scalar b, Scalar c) { return Traits::fma(a, b, c); }));
  addFunction<Scalar, math::AbsFOp>(table, Function::Abs);
  addFunction<Scalar, math::CosOp>(table, Function::Cos);
  addFunction<Scalar, math::ErfOp>(table, Function::Erf);
  addFunction<Scalar, math::ExpOp>(table, Function::Exp);
  addFunction<Scalar, math::Exp2Op>(table, Function::Exp2);
  addFunction<Scalar, math::ExpM1Op>(table, Function::ExpM1);
  addFunction<Scalar, math::LogOp>(table, Function::Log);
  addFunction<Scalar, math::Log1pOp>(table, Function::Log1p);
  addFunction<Scalar, math::Log2Op>(table, Function::Log2);
  addFunction<Scalar, math::RsqrtOp>(table, Function::Rsqrt);
  addFunction<Scalar, math::SinOp>(table, Function::Sin);
  addFunction<Scalar, math::SqrtOp>(table, Function::Sqrt);
  addFunction<Scalar, math::TanhOp>(table, Function::Tanh);
}

namespace qdelta::reference {
QDELTA_REFERENCE_INSTANTIATE(addArithOps)
} // namespace qdelta::reference

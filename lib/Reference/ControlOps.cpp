//===- ControlOps.cpp - loops, conditions and calls -----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"
#include "Slices.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

template <typename Scalar>
static LogicalResult runFor(Interpreter<Scalar> &interpreter, scf::ForOp op,
                            Args<Scalar> args, Data<Scalar> &results) {
  int64_t lower = args[0].integer(), upper = args[1].integer(),
          step = args[2].integer();
  if (step <= 0)
    return interpreter.fail(op, "expected a positive loop step, but got " +
                                    Twine(step));
  Data<Scalar> carried(std::make_move_iterator(args.begin() + 3),
                       std::make_move_iterator(args.end()));
  for (auto &arg : args)
    arg = Datum<Scalar>();
  for (int64_t i = lower; i < upper; i += step) {
    interpreter.bind(op.getInductionVar(), Datum<Scalar>(i));
    for (auto [value, datum] : llvm::zip_equal(op.getRegionIterArgs(), carried))
      interpreter.bind(value, std::move(datum));
    carried.clear();
    if (failed(interpreter.run(*op.getBody(), carried)))
      return failure();
    if (step > upper - i)
      break;
  }
  results = std::move(carried);
  return success();
}

template <typename Scalar>
static LogicalResult runIf(Interpreter<Scalar> &interpreter, scf::IfOp op,
                           Args<Scalar> args, Data<Scalar> &results) {
  Region &region = args[0].integer() ? op.getThenRegion() : op.getElseRegion();
  if (region.empty())
    return success();
  return interpreter.run(region.front(), results);
}

/// Inserts what one point of a scf.forall computed into the results.
template <typename Scalar>
static LogicalResult insertInParallel(Interpreter<Scalar> &interpreter,
                                      scf::ForallOp op, Data<Scalar> &outputs) {
  auto terminator = cast<scf::InParallelOp>(op.getBody()->getTerminator());
  for (Operation &nested : *terminator.getBody()) {
    auto insert = dyn_cast<tensor::ParallelInsertSliceOp>(nested);
    if (!insert)
      return interpreter.fail(
          &nested, "unknown op '" + nested.getName().getStringRef() + "'");
    auto dest = cast<BlockArgument>(insert.getDest());
    size_t index = dest.getArgNumber() - op.getRank();
    auto indexOf = [&](Value value) {
      return interpreter.lookup(value).integer();
    };
    Slice slice = sliceOf(insert, indexOf);
    const Datum<Scalar> &source = interpreter.lookup(insert.getSource());
    if (failed(insertSlice(interpreter, insert, source, slice, outputs[index])))
      return failure();
  }
  return success();
}

/// Points run one after the other; each sees the outputs as they were before
/// the loop, and what it inserts appears after it only.
template <typename Scalar>
static LogicalResult runForall(Interpreter<Scalar> &interpreter,
                               scf::ForallOp op, Args<Scalar> args,
                               Data<Scalar> &results) {
  auto valueOf = [&](OpFoldResult bound) {
    if (auto attr = dyn_cast<Attribute>(bound))
      return cast<IntegerAttr>(attr).getInt();
    auto operand = llvm::find(op->getOperands(), cast<Value>(bound));
    return args[operand.getIndex()].integer();
  };
  SmallVector<int64_t> lower = llvm::map_to_vector(op.getMixedLowerBound(),
                                                   valueOf),
                       upper = llvm::map_to_vector(op.getMixedUpperBound(),
                                                   valueOf),
                       step = llvm::map_to_vector(op.getMixedStep(), valueOf);
  for (int64_t size : step)
    if (size <= 0)
      return interpreter.fail(op, "expected a positive loop step, but got " +
                                      Twine(size));
  Args<Scalar> initial = args.take_back(op.getOutputs().size());
  Data<Scalar> outputs(initial.begin(), initial.end());
  SmallVector<int64_t> point = lower;
  bool isEmpty = llvm::any_of(llvm::zip(lower, upper), [](auto range) {
    return std::get<0>(range) >= std::get<1>(range);
  });
  while (!isEmpty) {
    for (auto [value, index] : llvm::zip_equal(op.getInductionVars(), point))
      interpreter.bind(value, Datum<Scalar>(index));
    for (auto [value, datum] : llvm::zip_equal(op.getRegionOutArgs(), initial))
      interpreter.bind(value, datum);
    if (failed(interpreter.runBody(*op.getBody())) ||
        failed(insertInParallel(interpreter, op, outputs)))
      return failure();
    size_t dim = point.size();
    for (; dim > 0; --dim) {
      if ((point[dim - 1] += step[dim - 1]) < upper[dim - 1])
        break;
      point[dim - 1] = lower[dim - 1];
    }
    if (dim == 0)
      break;
  }
  results = std::move(outputs);
  return success();
}

template <typename Scalar>
static LogicalResult runCall(Interpreter<Scalar> &interpreter, func::CallOp op,
                             Args<Scalar> args, Data<Scalar> &results) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      op, op.getCalleeAttr());
  if (!callee || callee.isExternal())
    return interpreter.fail(op, "@" + op.getCallee() + " has no body");
  return interpreter.call(op, callee.getBody(), args, results);
}

template <typename Scalar>
void reference::addControlOps(Interpreter<Scalar> &table) {
  table.template add<scf::ForOp>(runFor<Scalar>);
  table.template add<scf::IfOp>(runIf<Scalar>);
  table.template add<scf::ForallOp>(runForall<Scalar>);
  table.template add<func::CallOp>(runCall<Scalar>);
  table.template add<cf::AssertOp>([](Interpreter<Scalar> &interpreter,
                                      cf::AssertOp op, Args<Scalar> args,
                                      Data<Scalar> &) -> LogicalResult {
    if (args[0].integer())
      return success();
    return interpreter.fail(op, op.getMsg());
  });
}

namespace qdelta::reference {
QDELTA_REFERENCE_INSTANTIATE(addControlOps)
} // namespace qdelta::reference

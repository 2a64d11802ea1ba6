//===- AddDestinations.cpp - results become the caller's destinations -----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta-c/Runtime.h"
#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace qdelta {
#define GEN_PASS_DEF_ADDDESTINATIONS
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

/// The empty tensor that `result` is computed in, or null.
OpOperand *destinationOf(Value result) {
  auto forall = result.getDefiningOp<scf::ForallOp>();
  if (!forall)
    return nullptr;
  OpOperand *init = forall.getTiedOpOperand(cast<OpResult>(result));
  return init->get().getDefiningOp<tensor::EmptyOp>() ? init : nullptr;
}

/// Describes the buffers of entry function `func`, destinations included.
ArrayAttr describeArguments(func::FuncOp func, RecurrenceOp recurrence) {
  Builder b(func.getContext());
  SmallVector<Attribute> all;
  auto add = [&](const Twine &name, qdeltaRole role,
                 ArrayRef<int64_t> leading) {
    auto type = cast<RankedTensorType>(func.getArgument(all.size()).getType());
    // A size that the function fixes is what the launch must have.
    SmallVector<int64_t> shape(type.getShape());
    for (auto [size, symbol] : llvm::zip(shape, leading))
      if (ShapedType::isDynamic(size))
        size = symbol;
    all.push_back(b.getDictionaryAttr(
        {b.getNamedAttr("dtype", TypeAttr::get(type.getElementType())),
         b.getNamedAttr("name", b.getStringAttr(name)),
         b.getNamedAttr("role", b.getI64IntegerAttr(role)),
         b.getNamedAttr("shape", b.getDenseI64ArrayAttr(shape))}));
  };
  auto nameOf = [&](BlockArgument arg) {
    return recurrence.getArgName(arg.getArgNumber());
  };
  int64_t batch = QDELTA_DIM_BATCH, time = QDELTA_DIM_TIME;
  int64_t heads = QDELTA_DIM_HEADS, valueHeads = QDELTA_DIM_VALUE_HEADS;
  for (BlockArgument arg : recurrence.getTokens())
    add(nameOf(arg), QDELTA_ROLE_TOKEN, {batch, time, heads});
  for (BlockArgument arg : recurrence.getParams())
    add(nameOf(arg), QDELTA_ROLE_PARAM, {valueHeads});
  for (BlockArgument arg : recurrence.getStates())
    add(nameOf(arg), QDELTA_ROLE_INITIAL_STATE, {batch, valueHeads});
  size_t outputs = recurrence.getYield().getOutputs().size();
  for (size_t i = 0; i < outputs; ++i)
    add(i == 0 ? Twine("o") : "o" + Twine(i), QDELTA_ROLE_OUTPUT,
        {batch, time, valueHeads});
  for (BlockArgument arg : recurrence.getStates())
    add(nameOf(arg) + Twine("_final"), QDELTA_ROLE_FINAL_STATE,
        {batch, valueHeads});
  return b.getArrayAttr(all);
}

struct AddDestinationsPass
    : qdelta::impl::AddDestinationsBase<AddDestinationsPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      RecurrenceOp recurrence = recurrenceOf(func);
      if (!recurrence)
        continue;
      Operation *end = func.getBody().front().getTerminator();
      for (auto [index, result] : llvm::enumerate(end->getOperands())) {
        OpOperand *init = destinationOf(result);
        if (!init) {
          func.emitError("result ")
              << index << " is not computed in an empty tensor by scf.forall";
          return signalPassFailure();
        }
        unsigned position = func.getNumArguments();
        auto writable = DictionaryAttr::get(
            &getContext(),
            NamedAttribute(
                StringAttr::get(
                    &getContext(),
                    bufferization::BufferizationDialect::kWritableAttrName),
                BoolAttr::get(&getContext(), true)));
        if (failed(func.insertArgument(position, result.getType(), writable,
                                       result.getLoc())))
          return signalPassFailure();
        init->set(func.getArgument(position));
      }
      func->setAttr(kArgumentsAttr, describeArguments(func, recurrence));
      func->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    UnitAttr::get(&getContext()));
    }
  }
};
} // namespace

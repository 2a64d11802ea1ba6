//===- AddDestinations.cpp - results become the caller's destinations -----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "DescribeArguments.h"

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

/// The empty tensor that `result` is computed in, or the argument that it
/// replaces; else null.
OpOperand *destinationOf(Value result) {
  auto forall = result.getDefiningOp<scf::ForallOp>();
  if (!forall)
    return nullptr;
  OpOperand *init = forall.getTiedOpOperand(cast<OpResult>(result));
  bool isFree = init->get().getDefiningOp<tensor::EmptyOp>();
  return isFree || isa<BlockArgument>(init->get()) ? init : nullptr;
}

struct AddDestinationsPass
    : qdelta::impl::AddDestinationsBase<AddDestinationsPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      RecurrenceOp recurrence = recurrenceOf(func);
      if (!recurrence)
        continue;
      Operation *end = func.getBody().front().getTerminator();
      bool inPlace = false;
      for (auto [index, result] : llvm::enumerate(end->getOperands())) {
        OpOperand *init = destinationOf(result);
        if (!init) {
          func.emitError("result ")
              << index
              << " is computed neither in an empty tensor nor in an argument's "
                 "place by scf.forall";
          return signalPassFailure();
        }
        StringRef writable =
            bufferization::BufferizationDialect::kWritableAttrName;
        auto isTrue = BoolAttr::get(&getContext(), true);
        if (auto replaced = dyn_cast<BlockArgument>(init->get())) {
          func.setArgAttr(replaced.getArgNumber(), writable, isTrue);
          inPlace = true;
          continue;
        }
        unsigned position = func.getNumArguments();
        auto attrs = DictionaryAttr::get(
            &getContext(),
            NamedAttribute(StringAttr::get(&getContext(), writable), isTrue));
        if (failed(func.insertArgument(position, result.getType(), attrs,
                                       result.getLoc())))
          return signalPassFailure();
        init->set(func.getArgument(position));
      }
      func->setAttr(kArgumentsAttr, describeArguments(func.getArgumentTypes(),
                                                      recurrence, inPlace));
      func->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    UnitAttr::get(&getContext()));
    }
  }
};
} // namespace

//===- Specialize.cpp - fix sizes and element types of entry functions ----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "DeriveSummary.h"
#include "SplitSequences.h"

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/ADT/StringExtras.h"

namespace qdelta {
#define GEN_PASS_DEF_SPECIALIZE
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

/// Makes every f32 of `module` an f64; what converted one to the other is gone.
void widen(ModuleOp module) {
  auto f64 = Float64Type::get(module.getContext());
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](Float32Type) -> Type { return f64; });
  replacer.addReplacement([&](FloatAttr attr) -> Attribute {
    if (!attr.getType().isF32())
      return attr;
    return FloatAttr::get(f64, attr.getValueAsDouble());
  });
  replacer.addReplacement([&](DenseFPElementsAttr attr) -> Attribute {
    if (!attr.getElementType().isF32())
      return attr;
    return attr.mapValues(f64, [](const APFloat &value) {
      return APFloat(value.convertToDouble()).bitcastToAPInt();
    });
  });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
  module.walk([](Operation *op) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(op) ||
        op->getOperand(0).getType() != op->getResult(0).getType())
      return;
    op->getResult(0).replaceAllUsesWith(op->getOperand(0));
    op->erase();
  });
}

struct SpecializePass : qdelta::impl::SpecializeBase<SpecializePass> {
  using SpecializeBase::SpecializeBase;

  void runOnOperation() override {
    for (auto [name, size] : {std::pair("key", key.getValue()),
                              std::pair("value", value.getValue())})
      if (size < 0) {
        getOperation().emitError("expected ")
            << name << " to be at least 0, but got " << size;
        return signalPassFailure();
      }
    if (!llvm::is_contained({"f64", "f32", "bf16", "f16"}, dtype)) {
      getOperation().emitError(
          "expected dtype to be f64, f32, bf16 or f16, but got ")
          << dtype;
      return signalPassFailure();
    }
    if (!llvm::is_contained(kEntries, StringRef(entry.getValue()))) {
      getOperation().emitError("expected entry to be ")
          << llvm::join(ArrayRef(kEntries), ", ") << ", but got " << entry;
      return signalPassFailure();
    }
    if (!llvm::is_contained({"i32", "i64"}, cuSeqlens)) {
      getOperation().emitError("expected cu-seqlens to be i32 or i64, but got ")
          << cuSeqlens;
      return signalPassFailure();
    }
    if (dtype == "f64")
      widen(getOperation());
    if (isSummaryKind(entry) &&
        failed(deriveSummaries(getOperation(), StringRef(entry.getValue()))))
      return signalPassFailure();
    if (failed(checkSegments()))
      return signalPassFailure();
    addEntryPoints(getOperation(),
                   {entry.getValue(), cuSeqlens == "i64" ? 64u : 32u});
    if (failed(splitSequences(getOperation(), segments)))
      return signalPassFailure();
    // What they call, which was not there before.
    if (segments != 1)
      addEntryPoints(getOperation());
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (RecurrenceOp recurrence = recurrenceOf(func))
        if (failed(specialize(func, recurrence)))
          return signalPassFailure();
  }

private:
  /// Fails unless the options go with `segments`.
  LogicalResult checkSegments() {
    if (segments < 0)
      return getOperation().emitError("expected segments to be at least 0, but "
                                      "got ")
             << segments.getValue();
    if (segments == 1 || entry == "forward")
      return success();
    return getOperation().emitError("expected entry=forward, whose sequences "
                                    "are split, with segments, but got ")
           << entry;
  }

  /// `type` with its dynamic trailing dimensions set to `sizes`; a size of 0
  /// keeps them.
  FailureOr<Type> fix(func::FuncOp func, Type type, ArrayRef<int64_t> sizes) {
    auto tensor = cast<RankedTensorType>(type);
    SmallVector<int64_t> shape(tensor.getShape());
    for (auto [dim, size] :
         llvm::zip(MutableArrayRef(shape).take_back(sizes.size()), sizes)) {
      if (size == 0 || dim == size)
        continue;
      if (!ShapedType::isDynamic(dim))
        return func.emitError("cannot specialize a dimension of ")
               << tensor << " to " << size;
      dim = size;
    }
    return Type(tensor.clone(shape));
  }

  /// `type` with the elements that sequences of vectors are stored in.
  FailureOr<Type> store(func::FuncOp func, Type type) {
    auto tensor = cast<RankedTensorType>(type);
    if (dtype == "f32")
      return type;
    Type element = dtype == "bf16"  ? Type(BFloat16Type::get(&getContext()))
                   : dtype == "f16" ? Type(Float16Type::get(&getContext()))
                                    : Type(Float64Type::get(&getContext()));
    if (tensor.getElementType() != element && !tensor.getElementType().isF32())
      return func.emitError("cannot store elements of ")
             << tensor << " as " << dtype;
    return Type(tensor.clone(element));
  }

  LogicalResult specialize(func::FuncOp func, RecurrenceOp recurrence) {
    auto dims = inferTokenDims(recurrence.getBody().front());
    SmallVector<Type> types;
    // Rows of summaries are no sequences of tokens: they stay as they are.
    bool stores = !runsOverRows(recurrence);
    auto add = [&](Value typed, TokenDim dim, bool isSequence,
                   bool square = false) -> LogicalResult {
      SmallVector<int64_t, 2> sizes;
      if (dim == TokenDim::Key)
        sizes = {key};
      if (dim == TokenDim::HalfKey && key % 2)
        return func.emitError("expected an even key dimension, whose channels "
                              "come in pairs, but got ")
               << key;
      if (dim == TokenDim::HalfKey)
        sizes = {key / 2};
      if (dim == TokenDim::Value)
        sizes = {value};
      if (dim == TokenDim::State)
        sizes = {key, square ? key : value};
      FailureOr<Type> type = fix(func, typed.getType(), sizes);
      if (succeeded(type) && isSequence && stores && dim != TokenDim::Scalar)
        type = store(func, *type);
      if (failed(type))
        return failure();
      typed.setType(*type);
      types.push_back(*type);
      return success();
    };
    auto runs = func.getBody().getOps<RunOpInterface>();
    if (runs.empty())
      return success();
    RunOpInterface run = *runs.begin();
    unsigned states = recurrence.getNumStates();
    auto args = recurrence.getBody().getArguments();
    for (auto [index, arg] : llvm::enumerate(func.getArguments())) {
      unsigned inStep = index + states;
      // A position, cu_seqlens or a state index
      if (index >= args.size()) {
        types.push_back(arg.getType());
        continue;
      }
      // Initial states come last, but stand first in the step.
      Value typed = args[inStep < args.size() ? inStep : inStep - args.size()];
      bool square = dims[typed] == TokenDim::State && isSquare(typed);
      if (failed(
              add(arg, dims[typed], index < recurrence.getNumTokens(), square)))
        return failure();
    }
    size_t inputs = types.size();
    for (auto [index, result] : llvm::enumerate(run->getResults())) {
      size_t outputs = run.getOutputs().size();
      bool isOutput = index < outputs;
      Value typed = isOutput ? recurrence.getYield().getOutputs()[index]
                             : Value(args[index - outputs]);
      bool square = dims[typed] == TokenDim::State && isSquare(typed);
      if (failed(add(result, dims[typed], isOutput, square)))
        return failure();
    }
    ArrayRef<Type> all(types);
    func.setType(FunctionType::get(func.getContext(), all.take_front(inputs),
                                   all.drop_front(inputs)));
    return success();
  }
};
} // namespace

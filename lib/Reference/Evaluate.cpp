//===- Evaluate.cpp - functions and recurrences on tensors ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Reference/Evaluate.h"

#include "RecurrenceOps.h"
#include "TokenLoop.h"

#include <limits>

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

/// One input as a datum. `type` is what it is to fit, if that is known.
template <typename Scalar>
static FailureOr<Datum<Scalar>>
convertInput(Interpreter<Scalar> &interpreter, Operation *op, size_t index,
             Type type, const Tensor<Scalar> &input) {
  if (checkedSize(input.shape) != input.size())
    return interpreter.fail(op, "input " + Twine(index) + " has shape " +
                                    spell(input.shape) + " but " +
                                    Twine(input.size()) + " elements");
  if (!type)
    return Datum<Scalar>(input);
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!isReal(type) || (!tensor && !isa<FloatType>(type))) {
    std::string spelling;
    llvm::raw_string_ostream(spelling) << type;
    return interpreter.fail(op, "argument " + Twine(index) + " has type " +
                                    spelling +
                                    ", but inputs are floats and tensors of "
                                    "floats");
  }
  ArrayRef<int64_t> wanted = tensor ? tensor.getShape() : ArrayRef<int64_t>();
  if (wanted.size() != input.shape.size() ||
      (tensor && !fitsType(tensor, input.shape)))
    return interpreter.fail(op, "expected argument " + Twine(index) +
                                    " to have shape " + spell(wanted) +
                                    ", but got " + spell(input.shape));
  if (!tensor)
    return Datum<Scalar>(input.data[0]);
  return Datum<Scalar>(input);
}

/// cu_seqlens as an argument of a packed function, whose first input is a token
/// input and whose last one a state.
template <typename Scalar>
static FailureOr<Datum<Scalar>>
convertBounds(Interpreter<Scalar> &interpreter, Operation *op, Type type,
              ArrayRef<int64_t> cuSeqlens,
              const std::vector<Tensor<Scalar>> &inputs) {
  auto count = static_cast<int64_t>(cuSeqlens.size());
  if (!inputs.empty() && inputs[0].shape.size() > 1 &&
      failed(checkCuSeqlens(interpreter, op, cuSeqlens, inputs[0].shape[1])))
    return failure();
  if (!inputs.empty() && !inputs.back().shape.empty() &&
      inputs.back().shape[0] != count - 1)
    return interpreter.fail(
        op, "expected cu_seqlens to have N + 1 = " +
                Twine(inputs.back().shape[0] + 1) +
                " elements for states of N = " + Twine(inputs.back().shape[0]) +
                ", but got " + Twine(count));
  if (!fitsType(type, {count}))
    return interpreter.fail(op, "got a cu_seqlens of " + Twine(count) +
                                    " elements, which the function does not "
                                    "take");
  return Datum<Scalar>(Tensor<int64_t>{{count}, cuSeqlens.vec()});
}

/// A whole number, of which there is no other use: a position.
template <typename Scalar>
static int64_t wholeNumber(Scalar value) {
  if constexpr (std::is_same_v<Scalar, Exact>)
    return static_cast<int64_t>(value.field());
  else
    return static_cast<int64_t>(value);
}

/// An input of whole numbers.
template <typename Scalar>
static Tensor<int64_t> convertPosition(const Tensor<Scalar> &input) {
  Tensor<int64_t> position{input.shape, {}};
  for (Scalar value : input.data)
    position.data.push_back(wholeNumber(value));
  return position;
}

/// The recurrence that `function` runs has levels, and so a position.
static bool takesPosition(func::FuncOp function) {
  auto name = function->getAttrOfType<FlatSymbolRefAttr>("qdelta.recurrence");
  RecurrenceOp recurrence;
  if (name)
    recurrence =
        SymbolTable::lookupNearestSymbolFrom<RecurrenceOp>(function, name);
  for (auto run : function.getBody().getOps<RunOpInterface>())
    recurrence = SymbolTable::lookupNearestSymbolFrom<RecurrenceOp>(
        run, run.getCalleeAttr());
  return recurrence && recurrence.getLevels();
}

/// Whether `type` is that of cu_seqlens.
static bool isBounds(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 1 && tensor.getElementType().isInteger();
}

template <typename Scalar>
static std::vector<Tensor<Scalar>> convertResults(const Data<Scalar> &results) {
  std::vector<Tensor<Scalar>> outputs;
  for (const Datum<Scalar> &result : results)
    outputs.push_back(result.isReals() ? result.reals()
                                       : Tensor<Scalar>{{}, {result.scalar()}});
  return outputs;
}

template <typename Scalar>
llvm::Expected<std::vector<Tensor<Scalar>>>
reference::evaluate(func::FuncOp function,
                    const std::vector<Tensor<Scalar>> &inputs,
                    ArrayRef<int64_t> cuSeqlens) {
  Interpreter<Scalar> interpreter;
  auto fail = [&](const Twine &message) {
    (void)interpreter.fail(function, message);
    return interpreter.takeError();
  };
  if (function.isExternal())
    return fail("@" + function.getSymName() + " has no body");
  size_t bounds = llvm::count_if(function.getArgumentTypes(), isBounds);
  bool isPosition = bounds > 0 && takesPosition(function);
  bounds -= isPosition;
  if (bounds == 0 && !cuSeqlens.empty())
    return fail("@" + function.getSymName() + " takes no cu_seqlens");
  if (inputs.size() + bounds != function.getNumArguments())
    return fail("expected " + Twine(function.getNumArguments() - bounds) +
                " inputs for @" + function.getSymName() + ", but got " +
                Twine(inputs.size()));
  for (Type type : function.getResultTypes())
    if (!isReal(type))
      return fail("@" + function.getSymName() +
                  " returns something other than floats");
  Data<Scalar> args, results;
  const Tensor<Scalar> *input = inputs.data();
  for (auto [index, type] : llvm::enumerate(function.getArgumentTypes())) {
    if (isBounds(type) && std::exchange(isPosition, false)) {
      args.push_back(Datum<Scalar>(convertPosition(*input++)));
      continue;
    }
    auto datum =
        isBounds(type)
            ? convertBounds(interpreter, function, type, cuSeqlens, inputs)
            : convertInput(interpreter, function, index, type, *input++);
    if (failed(datum))
      return interpreter.takeError();
    args.push_back(std::move(*datum));
  }
  if (failed(interpreter.call(function, function.getBody(), args, results)))
    return interpreter.takeError();
  return convertResults(results);
}

template <typename Scalar>
static llvm::Expected<std::vector<Tensor<Scalar>>>
runOnTensors(Interpreter<Scalar> &interpreter, RecurrenceOp recurrence,
             const std::vector<Tensor<Scalar>> &inputs,
             ArrayRef<int64_t> cuSeqlens) {
  Data<Scalar> args, results;
  std::vector<int64_t> position;
  ArrayRef<Tensor<Scalar>> reals = inputs;
  if (recurrence.getLevels() && !reals.empty()) {
    position = convertPosition(reals.back()).data;
    reals = reals.drop_back();
  }
  for (auto [index, input] : llvm::enumerate(reals)) {
    auto datum = convertInput(interpreter, recurrence, index, Type(), input);
    if (failed(datum))
      return interpreter.takeError();
    args.push_back(std::move(*datum));
  }
  if (failed(runRecurrence<Scalar>(interpreter, recurrence, recurrence, args,
                                   cuSeqlens, position, results)))
    return interpreter.takeError();
  return convertResults(results);
}

template <typename Scalar>
llvm::Expected<std::vector<Tensor<Scalar>>>
reference::evaluateRecurrence(RecurrenceOp recurrence,
                              const std::vector<Tensor<Scalar>> &inputs,
                              ArrayRef<int64_t> cuSeqlens) {
  Interpreter<Scalar> interpreter;
  return runOnTensors(interpreter, recurrence, inputs, cuSeqlens);
}

llvm::Expected<std::vector<Tensor<float>>>
reference::evaluateTokenLoop(RecurrenceOp recurrence,
                             const std::vector<Tensor<float>> &inputs,
                             Format format, ArrayRef<int64_t> cuSeqlens) {
  Interpreter<float> interpreter;
  if (format == Format::BF16)
    interpreter.roundOperand = [](float x) { return roundTo(Format::BF16, x); };
  if (format == Format::F16)
    interpreter.roundOperand = [](float x) { return roundTo(Format::F16, x); };
  if (format == Format::TF32)
    interpreter.roundOperand = [](float x) { return roundTo(Format::TF32, x); };
  auto results = runOnTensors(interpreter, recurrence, inputs, cuSeqlens);
  if (!results || format == Format::TF32)
    return results;
  size_t outputs = recurrence.getYield().getOutputs().size();
  for (Tensor<float> &output :
       llvm::MutableArrayRef(*results).take_front(outputs))
    for (float &element : output.data)
      element = roundTo(format, element);
  return results;
}

static_assert(std::numeric_limits<long double>::digits >
                  std::numeric_limits<double>::digits,
              "recurrences in f64 have no reference");

namespace qdelta::reference {
#define QDELTA_INSTANTIATE_EVALUATE(Scalar)                                    \
  template llvm::Expected<std::vector<Tensor<Scalar>>> evaluate(               \
      func::FuncOp, const std::vector<Tensor<Scalar>> &, ArrayRef<int64_t>);   \
  template llvm::Expected<std::vector<Tensor<Scalar>>> evaluateRecurrence(     \
      RecurrenceOp, const std::vector<Tensor<Scalar>> &, ArrayRef<int64_t>);
QDELTA_INSTANTIATE_EVALUATE(long double)
QDELTA_INSTANTIATE_EVALUATE(double)
QDELTA_INSTANTIATE_EVALUATE(float)
QDELTA_INSTANTIATE_EVALUATE(Exact)
#undef QDELTA_INSTANTIATE_EVALUATE
} // namespace qdelta::reference

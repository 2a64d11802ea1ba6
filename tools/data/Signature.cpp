//===- Signature.cpp - a recurrence's arguments, by name -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Signature.h"
#include "data/Failure.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"

using namespace qdelta;
using namespace qdelta::tools;
using namespace mlir;

static void readDomain(DictionaryAttr attrs, Argument &argument) {
  if (attrs.contains("qdelta.unit"))
    argument.domain = Domain::Unit;
  if (attrs.contains("qdelta.log_decay"))
    argument.domain = Domain::LogDecay;
  if (auto range = attrs.getAs<ArrayAttr>("qdelta.range")) {
    argument.domain = Domain::Range;
    argument.low = cast<FloatAttr>(range[0]).getValueAsDouble();
    argument.high = cast<FloatAttr>(range[1]).getValueAsDouble();
  }
}

/// A vector that meets no read, write or output may have any size: K.
static std::string symbolOf(TokenDim dim) {
  return dim == TokenDim::Value ? "V" : "K";
}

static Argument getToken(StringRef name, TokenDim dim, DictionaryAttr attrs) {
  Argument token{name.str(), QDELTA_ROLE_TOKEN, {"B", "T"}};
  readDomain(attrs, token);
  bool isKey = dim != TokenDim::Scalar && dim != TokenDim::Value;
  token.dims.push_back(isKey && token.domain != Domain::LogDecay ? "H" : "HV");
  if (dim != TokenDim::Scalar)
    token.dims.push_back(symbolOf(dim));
  return token;
}

static Argument getParam(StringRef name, TokenDim dim, DictionaryAttr attrs) {
  Argument param{name.str(), QDELTA_ROLE_PARAM, {"HV"}};
  readDomain(attrs, param);
  if (dim != TokenDim::Scalar)
    param.dims.push_back(symbolOf(dim));
  return param;
}

/// Gives sequences of vectors their format, or all arguments F64.
static void setFormats(Signature &signature) {
  for (auto *arguments : {&signature.inputs, &signature.outputs})
    for (Argument &argument : *arguments)
      if (signature.dtype == Format::F64 ||
          ((argument.role == QDELTA_ROLE_TOKEN ||
            argument.role == QDELTA_ROLE_OUTPUT) &&
           argument.dims.size() == 4))
        argument.format = signature.dtype;
}

/// What the recurrence's arguments are all made of.
static llvm::Expected<Format> formatOf(RecurrenceOp recurrence) {
  auto args = recurrence.getBody().getArguments();
  bool isDouble = getElementTypeOrSelf(args[0].getType()).isF64();
  for (BlockArgument arg : args) {
    Type type = getElementTypeOrSelf(arg.getType());
    if (isDouble ? !type.isF64() : !type.isF32())
      return userError("expected @" + recurrence.getSymName() +
                       " to be all f32 or all f64, but %" +
                       recurrence.getArgName(arg.getArgNumber()) + " is not " +
                       (isDouble ? "f64" : "f32"));
  }
  return isDouble ? Format::F64 : Format::F32;
}

llvm::Expected<Signature> qdelta::tools::getSignature(RecurrenceOp recurrence,
                                                      Format dtype) {
  Signature result;
  result.recurrence = recurrence.getSymName().str();
  auto fix = [](int64_t &known, int64_t size) {
    if (!ShapedType::isDynamic(size))
      known = size;
  };
  auto dims = inferTokenDims(recurrence.getBody().front());
  auto visit = [&](BlockArgument arg, auto make) {
    unsigned index = arg.getArgNumber();
    auto attrs = cast<DictionaryAttr>(recurrence.getArgAttrs()[index]);
    result.inputs.push_back(
        make(recurrence.getArgName(index), dims[arg], attrs));
    if (auto type = dyn_cast<RankedTensorType>(arg.getType());
        type && type.getRank() == 1)
      fix(dims[arg] == TokenDim::Value ? result.value : result.key,
          type.getDimSize(0));
  };
  for (BlockArgument arg : recurrence.getTokens())
    visit(arg, getToken);
  for (BlockArgument arg : recurrence.getParams())
    visit(arg, getParam);
  unsigned numOutputs = recurrence.getYield().getOutputs().size();
  for (unsigned i = 0; i < numOutputs; ++i)
    result.outputs.push_back({numOutputs == 1 ? "o" : "o" + llvm::utostr(i + 1),
                              QDELTA_ROLE_OUTPUT,
                              {"B", "T", "HV", "V"}});
  for (BlockArgument arg : recurrence.getStates()) {
    auto type = cast<RankedTensorType>(arg.getType());
    fix(result.key, type.getDimSize(0));
    fix(result.value, type.getDimSize(1));
    std::string name = recurrence.getArgName(arg.getArgNumber()).str();
    std::vector<std::string> shape{"B", "HV", "K", "V"};
    result.inputs.push_back({name, QDELTA_ROLE_INITIAL_STATE, shape});
    result.outputs.push_back({name + "_final", QDELTA_ROLE_FINAL_STATE, shape});
  }
  llvm::Expected<Format> declared = formatOf(recurrence);
  if (!declared)
    return declared.takeError();
  result.dtype = dtype == Format::F32 ? *declared : dtype;
  if (*declared == Format::F64 && result.dtype != Format::F64)
    return userError("expected @" + recurrence.getSymName() +
                     " to be f32 for sequences in " +
                     reference::formatName(dtype) + ", but it is f64");
  setFormats(result);
  return result;
}

llvm::Expected<size_t>
qdelta::tools::findArgument(llvm::ArrayRef<Argument> arguments, StringRef name,
                            StringRef option) {
  std::string known;
  for (auto [index, argument] : llvm::enumerate(arguments)) {
    if (argument.name == name)
      return index;
    known += (known.empty() ? "" : ", ") + argument.name;
  }
  return userError("expected " + option + " to name one of " + known +
                   ", but got " + name);
}

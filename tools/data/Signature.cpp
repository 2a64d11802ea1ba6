//===- Signature.cpp - a recurrence's arguments, by name -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Signature.h"
#include "data/Failure.h"
#include "qdelta/Dialect/QDelta/IR/SquareStates.h"
#include "qdelta/Dialect/QDelta/IR/TokenHeads.h"
#include "qdelta/Pipelines/Artefact.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"

using namespace qdelta;
using namespace qdelta::tools;
using namespace mlir;

static void setDomain(DictionaryAttr attrs, Argument &argument) {
  ArgumentDescription described;
  readDomain(attrs, described);
  argument.domain = described.domain;
  argument.low = described.low;
  argument.high = described.high;
}

/// Adds the dimensions of a value of the step. A vector that meets no read,
/// write or output may have any size: K.
static void addDims(TokenDim dim, std::vector<std::string> &dims,
                    bool square = false) {
  if (dim == TokenDim::Scalar)
    return;
  if (dim == TokenDim::HalfKey)
    dims.push_back("K/2");
  else if (dim != TokenDim::Value)
    dims.push_back("K");
  if (dim == TokenDim::Value || dim == TokenDim::State)
    dims.push_back(square ? "K" : "V");
}

/// Makes `signature` that of the recurrence's packed function.
static void pack(Signature &signature, Format bounds) {
  for (auto *arguments : {&signature.inputs, &signature.outputs})
    for (Argument &argument : *arguments)
      if (argument.role == QDELTA_ROLE_TOKEN ||
          argument.role == QDELTA_ROLE_OUTPUT)
        argument.dims[0] = "1";
  Argument cuSeqlens{"cu_seqlens", QDELTA_ROLE_CU_SEQLENS, {"B+1"}};
  cuSeqlens.format = bounds;
  signature.inputs.push_back(std::move(cuSeqlens));
}

static Argument getToken(StringRef name, TokenDim dim, DictionaryAttr attrs) {
  Argument token{name.str(), QDELTA_ROLE_TOKEN, {"B", "T"}};
  setDomain(attrs, token);
  token.dims.push_back(hasValueHeads(dim, attrs) ? "HV" : "H");
  addDims(dim, token.dims);
  return token;
}

/// The token input that has a number for each level.
static Argument getLevels(StringRef name, TokenDim, DictionaryAttr attrs) {
  Argument levels{name.str(), QDELTA_ROLE_TOKEN, {"B", "T", "HV", "L"}};
  setDomain(attrs, levels);
  return levels;
}

static Argument getParam(StringRef name, TokenDim dim, DictionaryAttr attrs) {
  Argument param{name.str(), QDELTA_ROLE_PARAM, {"HV"}};
  setDomain(attrs, param);
  addDims(dim, param.dims);
  return param;
}

/// Gives sequences of vectors their format, or all arguments F64.
static void setFormats(Signature &signature) {
  for (auto *arguments : {&signature.inputs, &signature.outputs})
    for (Argument &argument : *arguments)
      if (argument.role == QDELTA_ROLE_POSITION)
        argument.format = Format::I32;
      else if (signature.dtype == Format::F64 ||
               ((argument.role == QDELTA_ROLE_TOKEN ||
                 argument.role == QDELTA_ROLE_OUTPUT) &&
                argument.dims.size() == 4 && argument.dims.back() != "L"))
        argument.format = signature.dtype;
}

/// What the recurrence's arguments are all made of.
static llvm::Expected<Format> findDeclaredFormat(RecurrenceOp recurrence) {
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

llvm::Expected<Signature>
qdelta::tools::getSignature(RecurrenceOp recurrence, Format dtype,
                            std::optional<Format> bounds) {
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
        type && dims[arg] != TokenDim::HalfKey)
      fix(dims[arg] == TokenDim::Value ? result.value : result.key,
          type.getDimSize(0));
  };
  for (BlockArgument arg : recurrence.getTokens())
    visit(arg, arg == recurrence.getLevels() ? getLevels : getToken);
  for (BlockArgument arg : recurrence.getParams())
    visit(arg, getParam);
  auto outputs = recurrence.getYield().getOutputs();
  auto isKey = [&](unsigned i) { return dims[outputs[i]] == TokenDim::Key; };
  unsigned numOutputs = outputs.size();
  for (unsigned i = 0; i < numOutputs; ++i)
    result.outputs.push_back({numOutputs == 1 ? "o" : "o" + llvm::utostr(i + 1),
                              QDELTA_ROLE_OUTPUT,
                              {"B", "T", "HV", isKey(i) ? "K" : "V"}});
  for (BlockArgument arg : recurrence.getStates()) {
    auto type = dyn_cast<RankedTensorType>(arg.getType());
    if (dims[arg] == TokenDim::Key || dims[arg] == TokenDim::State)
      fix(result.key, type.getDimSize(0));
    if (dims[arg] == TokenDim::Value ||
        (dims[arg] == TokenDim::State && !isSquare(arg)))
      fix(result.value, type.getShape().back());
    std::string name = recurrence.getArgName(arg.getArgNumber()).str();
    Argument state{name,
                   QDELTA_ROLE_INITIAL_STATE,
                   {"B", recurrence.getLevels() ? "HV*L" : "HV"}};
    addDims(dims[arg], state.dims,
            dims[arg] == TokenDim::State && isSquare(arg));
    setDomain(
        cast<DictionaryAttr>(recurrence.getArgAttrs()[arg.getArgNumber()]),
        state);
    result.outputs.push_back(
        {name + "_final", QDELTA_ROLE_FINAL_STATE, state.dims});
    result.inputs.push_back(std::move(state));
  }
  if (recurrence.getLevels())
    result.inputs.push_back({"position", QDELTA_ROLE_POSITION, {"B"}});
  llvm::Expected<Format> declared = findDeclaredFormat(recurrence);
  if (!declared)
    return declared.takeError();
  result.dtype = dtype == Format::F32 ? *declared : dtype;
  if (*declared == Format::F64 && result.dtype != Format::F64)
    return userError("expected @" + recurrence.getSymName() +
                     " to be f32 for sequences in " +
                     reference::formatName(dtype) + ", but it is f64");
  setFormats(result);
  if (bounds)
    pack(result, *bounds);
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

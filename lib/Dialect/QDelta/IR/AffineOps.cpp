//===- AffineOps.cpp - verifiers of the affine list -----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

using namespace mlir;
using namespace qdelta;

void AffineScanOp::getAsmBlockArgumentNames(Region &region,
                                            OpAsmSetValueNameFn setName) {
  for (auto [arg, name] : llvm::zip(region.getArguments(), getArgNames()))
    setName(arg, cast<StringAttr>(name).getValue());
}

/// The state number that a list entry names, if it names one.
static std::optional<int64_t> stateOf(Operation &op) {
  if (auto decay = dyn_cast<AffineDecayOp>(op))
    return decay.getState();
  if (auto read = dyn_cast<AffineReadOp>(op))
    return read.getState();
  if (auto write = dyn_cast<AffineWriteOp>(op))
    return write.getState();
  return std::nullopt;
}

LogicalResult AffineScanOp::verifyRegions() {
  Block &list = getBody().front();
  if (list.getNumArguments() != getTokens().size() + getParams().size() ||
      list.getNumArguments() != getArgNames().size())
    return emitOpError("has ")
           << list.getNumArguments() << " region arguments for "
           << getTokens().size() << " token inputs and " << getParams().size()
           << " parameters /*affine_scan_c3*/";
  for (auto [arg, operand] :
       llvm::zip(list.getArguments(),
                 llvm::concat<Value>(getTokens(), getParams()))) {
    auto type = cast<RankedTensorType>(operand.getType());
    bool isToken = arg.getArgNumber() < getTokens().size();
    int64_t vectorRank = isToken ? 4 : 2;
    bool isVector = isa<RankedTensorType>(arg.getType());
    if (type.getRank() != (isVector ? vectorRank : vectorRank - 1))
      return emitOpError("expected operand ")
             << arg.getArgNumber() << " to have rank "
             << (isVector ? vectorRank : vectorRank - 1) << ", but got " << type
             << " /*affine_scan_c3*/";
  }
  if (!isa<AffineEndOp>(list.getTerminator()))
    return emitOpError("expected the list to end with qdelta.affine_end");
  int64_t states = getInits().size();
  size_t outputs = 0;
  for (Operation &op : list) {
    std::optional<int64_t> state = stateOf(op);
    if (state && (*state < 0 || *state >= states))
      return op.emitOpError("names state ")
             << *state << " of " << states << " /*affine_scan_c1*/";
    outputs += isa<AffineOutputOp>(op);
  }
  if (outputs != getOutputs().size() || getFinals().size() != getInits().size())
    return emitOpError("expected one qdelta.affine_output for each of ")
           << getOutputs().size() << " outputs, but got " << outputs
           << " /*affine_scan_c2*/";
  return success();
}

LogicalResult AffineWriteOp::verify() {
  if (getCoefficients().size() != getTerms().size())
    return emitOpError("has ")
           << getCoefficients().size() << " coefficients for "
           << getTerms().size() << " terms /*affine_write_c1*/";
  return success();
}

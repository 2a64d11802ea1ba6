//===- AffineOps.cpp - verifiers of the affine list -----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "PackedSequences.h"
#include "SequenceTypes.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/IR/TypeUtilities.h"

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
  if (auto decay = dyn_cast<AffineDecayValuesOp>(op))
    return decay.getState();
  if (auto read = dyn_cast<AffineReadOp>(op))
    return read.getState();
  if (auto write = dyn_cast<AffineWriteOp>(op))
    return write.getState();
  if (auto mix = dyn_cast<AffineMixOp>(op))
    return mix.getState();
  return std::nullopt;
}

/// affine_scan_c1 and affine_mix_c1 for what is added to a state.
static LogicalResult verifySource(AffineScanOp scan, AffineMixOp mix) {
  int64_t states = scan.getInits().size();
  auto source = static_cast<int64_t>(mix.getSource());
  if (source < 0 || source >= states)
    return mix.emitOpError("names state ")
           << source << " of " << states << " /*affine_scan_c1*/";
  if (mix.getState() == mix.getSource())
    return mix.emitOpError("expected two states, but got state ")
           << source << " twice /*affine_mix_c1*/";
  Type into = scan.getInits()[mix.getState()].getType();
  Type from = scan.getInits()[source].getType();
  if (into != from)
    return mix.emitOpError("expected states of one type, but got ")
           << into << " and " << from << " /*affine_mix_c1*/";
  return success();
}

/// affine_scan_c4: element types against those of the region's arguments. The
/// list does not state the types of states and outputs: those are never narrow.
static LogicalResult verifyElements(AffineScanOp op) {
  SequenceTypes types(op, "affine_scan_c4", /*mayMix=*/true);
  auto wide = [&](Value value) -> Type {
    if (isNarrow(value.getType()))
      return Float32Type::get(op.getContext());
    return getElementTypeOrSelf(value.getType());
  };
  size_t tokens = op.getTokens().size();
  for (BlockArgument arg : op.getBody().getArguments()) {
    unsigned index = arg.getArgNumber();
    Type found = op.getOperand(index).getType(), step = arg.getType();
    StringRef name = cast<StringAttr>(op.getArgNames()[index]).getValue();
    bool isVectors = index < tokens && isa<RankedTensorType>(step);
    if (failed(isVectors ? types.addVectors(found, step, name)
                         : types.addPlain(found, step, name)))
      return failure();
  }
  for (auto [index, init, final] :
       llvm::enumerate(op.getInits(), op.getFinals()))
    if (failed(types.addPlain(init.getType(), wide(init),
                              "initial state " + Twine(index))) ||
        failed(types.addPlain(final.getType(), wide(init),
                              "final state " + Twine(index))))
      return failure();
  for (auto [index, output] : llvm::enumerate(op.getOutputs()))
    if (failed(types.addVectors(output.getType(), wide(output),
                                "output " + Twine(index))))
      return failure();
  return success();
}

bool AffineScanOp::isPerLevel(unsigned number) {
  return getLevels() && number < getTokens().size() &&
         isa<FloatType>(getBody().getArgument(number).getType()) &&
         cast<RankedTensorType>(getTokens()[number].getType()).getRank() == 4;
}

/// affine_scan_c7: what goes with levels.
static LogicalResult verifyLevels(AffineScanOp op) {
  if (!op.getLevels())
    return success();
  for (unsigned number = 0; number < op.getTokens().size(); ++number)
    if (op.isPerLevel(number))
      return success();
  return op.emitOpError("expected a scalar token input with a number for each "
                        "level, [B, T, H, L] /*affine_scan_c7*/");
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
    if (getLevels() && isToken && !isVector && type.getRank() == vectorRank)
      continue;
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
    if (auto mix = dyn_cast<AffineMixOp>(op))
      if (failed(verifySource(*this, mix)))
        return failure();
    outputs += isa<AffineOutputOp>(op);
  }
  if (outputs != getOutputs().size() || getFinals().size() != getInits().size())
    return emitOpError("expected one qdelta.affine_output for each of ")
           << getOutputs().size() << " outputs, but got " << outputs
           << " /*affine_scan_c2*/";
  if (failed(verifyPacked(*this, "affine_scan_c5")) ||
      failed(verifyInPlace(*this, getInPlace(), getCuSeqlens(), getStateIndex(),
                           cast<RankedTensorType>(getTokens()[0].getType()),
                           getInits(), getFinals(), "affine_scan_c6")) ||
      failed(verifyLevels(*this)))
    return failure();
  return verifyElements(*this);
}

LogicalResult AffineWriteOp::verify() {
  if (getCoefficients().size() != getTerms().size())
    return emitOpError("has ")
           << getCoefficients().size() << " coefficients for "
           << getTerms().size() << " terms /*affine_write_c1*/";
  return success();
}

LogicalResult TransposeStateOp::verify() {
  auto from = cast<RankedTensorType>(getState().getType());
  auto to = cast<RankedTensorType>(getResult().getType());
  bool fits = from.getRank() == 4 && to.getRank() == 4 &&
              from.getElementType() == to.getElementType();
  if (fits) {
    SmallVector<int64_t> wanted(from.getShape());
    std::swap(wanted[2], wanted[3]);
    if (Value index = getStateIndex())
      wanted[0] = cast<RankedTensorType>(index.getType()).getDimSize(0);
    fits = to.getShape() == ArrayRef(wanted);
  }
  if (fits)
    return success();
  return emitOpError("expected a state [B, HV, K, V] and its transpose "
                     "[B, HV, V, K], but got ")
         << from << " and " << to << " /*transpose_state_c1*/";
}

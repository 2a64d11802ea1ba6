//===- Levels.cpp - recurrences with a state for each level ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Levels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

static constexpr StringLiteral kLevelsAttr = "qdelta.levels";

BlockArgument RecurrenceOp::getLevels() {
  for (BlockArgument token : getTokens())
    if (cast<DictionaryAttr>(getArgAttrs()[token.getArgNumber()])
            .contains(kLevelsAttr))
      return token;
  return {};
}

bool qdelta::fitLevels(int64_t tokens, int64_t levels) {
  constexpr int64_t kAll = 63;
  if (ShapedType::isDynamic(tokens) || ShapedType::isDynamic(levels) ||
      tokens == 0 || levels > kAll)
    return true;
  return levels > 0 && tokens <= int64_t(1) << (levels - 1);
}

/// Whether `op` is affine in those of its operands that depend on the state.
/// What it takes besides them, keys and factors, must not.
static bool isAffine(Operation &op, const llvm::DenseSet<Value> &dependent) {
  auto depends = [&](unsigned number) {
    return dependent.contains(op.getOperand(number));
  };
  if (isa<YieldOp, arith::AddFOp, arith::SubFOp, arith::NegFOp>(op))
    return true;
  if (isa<DecayOp, ReadOp, WriteOp, ScaleOp>(op))
    return !depends(1);
  return false;
}

LogicalResult qdelta::verifyLevels(RecurrenceOp op) {
  BlockArgument levels = op.getLevels();
  if (!levels)
    return success();
  for (BlockArgument token : op.getTokens())
    if (token != levels &&
        cast<DictionaryAttr>(op.getArgAttrs()[token.getArgNumber()])
            .contains(kLevelsAttr))
      return op.emitOpError("expected one token input with qdelta.levels, but "
                            "got %")
             << op.getArgName(levels.getArgNumber()) << " and %"
             << op.getArgName(token.getArgNumber()) << " /*recurrence_c8*/";
  auto state = dyn_cast<RankedTensorType>(op.getStates()[0].getType());
  if (op.getNumStates() != 1 || !state || state.getRank() != 2)
    return op.emitOpError("has levels, so expected one state, tensor<K x V>, "
                          "but got ")
           << op.getNumStates() << " states, the first of type "
           << op.getStates()[0].getType() << " /*recurrence_c8*/";
  llvm::DenseSet<Value> dependent{op.getStates()[0]};
  for (Operation &inner : op.getBody().front()) {
    if (llvm::none_of(inner.getOperands(),
                      [&](Value value) { return dependent.contains(value); }))
      continue;
    if (!isAffine(inner, dependent))
      return inner.emitOpError("is applied to what depends on the state of a "
                               "recurrence with levels, whose outputs are "
                               "sums over levels: expected sums, negations "
                               "and qdelta.scale by a token's scalar "
                               "/*recurrence_c8*/");
    dependent.insert_range(inner.getResults());
  }
  return success();
}

LogicalResult FenwickOp::verify() {
  auto type = cast<RankedTensorType>(getLike().getType());
  if (type.getRank() == 4)
    return success();
  return emitOpError("expected sequences [B, T, H, L], but got ")
         << type << " /*fenwick_c1*/";
}

LogicalResult AddLevelsOp::verify() {
  auto parts = cast<RankedTensorType>(getParts().getType());
  auto like = cast<RankedTensorType>(getLike().getType());
  auto sums = cast<RankedTensorType>(getResult().getType());
  if (parts.getRank() == 4 && like.getRank() == 4 && sums.getRank() == 4 &&
      succeeded(verifyCompatibleShape({parts.getDimSize(0), parts.getDimSize(1),
                                       like.getDimSize(2), parts.getDimSize(3)},
                                      sums.getShape())))
    return success();
  return emitOpError("expected parts [B, T, H L, V], numbers [B, T, H, L] and "
                     "sums [B, T, H, V], but got ")
         << parts << ", " << like << " and " << sums << " /*add_levels_c1*/";
}

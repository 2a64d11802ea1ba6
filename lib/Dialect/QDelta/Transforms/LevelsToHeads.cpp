//===- LevelsToHeads.cpp - lists with levels as lists with more heads -----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
// Level l of head h becomes head h L + l of a list without levels. So sequences
// that all levels share are read by value heads in groups, as they are anyway,
// and numbers for each level lie in memory as they did.
//
//===----------------------------------------------------------------------===//

#include "LevelLoop.h"

#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

namespace qdelta {
#define GEN_PASS_DEF_LEVELSTOHEADS
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {
class LevelHeads {
public:
  explicit LevelHeads(AffineScanOp op)
      : op(op), b(op), loc(op.getLoc()), like(fenwickOf(op).getLike()) {}

  void replace();

private:
  Value mergeHeads(Value perLevel);
  Type sequenceOf(Value param);
  SmallVector<Value> repeatParameters();
  SmallVector<Type> partTypes();

  AffineScanOp op;
  OpBuilder b;
  Location loc;
  Value like;
};
} // namespace

/// [B, T, HV L] of [B, T, HV, L].
Value LevelHeads::mergeHeads(Value perLevel) {
  SmallVector<ReassociationIndices> groups{{0}, {1}, {2, 3}};
  return tensor::CollapseShapeOp::create(b, loc, perLevel, groups);
}

/// The type of a parameter that has a token for each of the list's.
Type LevelHeads::sequenceOf(Value param) {
  auto type = cast<RankedTensorType>(param.getType());
  SmallVector<int64_t> shape(
      cast<RankedTensorType>(like.getType()).getShape().take_front(3));
  llvm::append_range(shape, type.getShape().drop_front());
  return RankedTensorType::get(shape, type.getElementType());
}

/// A parameter has a number for each head of the function: as a sequence it may
/// have fewer heads than the list.
SmallVector<Value> LevelHeads::repeatParameters() {
  if (op.getParams().empty())
    return {};
  SmallVector<Type> types;
  for (Value param : op.getParams())
    types.push_back(sequenceOf(param));
  // Any sequence that all levels share has the tokens.
  unsigned shared = 0;
  while (op.isPerLevel(shared))
    ++shared;
  auto names = op.getArgNames().getValue();
  SmallVector<Attribute> own{names[shared]};
  llvm::append_range(own, names.drop_front(op.getTokens().size()));
  Value heads = tensor::DimOp::create(b, loc, like, 2);
  auto prescan = PrescanOp::create(
      b, loc, types, TypeRange(), heads, op.getTokens()[shared], op.getParams(),
      ValueRange(), op.getCuSeqlens(), Value(), /*in_place=*/false,
      b.getArrayAttr(own), ScheduleAttr());
  Block &body = prescan.getBody().emplaceBlock();
  auto args = op.getBody().getArguments();
  body.addArgument(args[shared].getType(), loc);
  for (BlockArgument param : args.drop_front(op.getTokens().size()))
    body.addArgument(param.getType(), loc);
  OpBuilder inner = OpBuilder::atBlockEnd(&body);
  PrescanYieldOp::create(inner, loc,
                         ValueRange(body.getArguments()).drop_front());
  return SmallVector<Value>(prescan.getOutputs());
}

/// Outputs of the levels apart. Here they are in f32; chunk kernels store them in
/// the format of their products.
SmallVector<Type> LevelHeads::partTypes() {
  SmallVector<Type> types;
  for (Type output : op.getOutputs().getTypes()) {
    SmallVector<int64_t> shape(cast<RankedTensorType>(output).getShape());
    shape[2] = ShapedType::kDynamic;
    types.push_back(
        RankedTensorType::get(shape, getElementTypeOrSelf(like.getType())));
  }
  return types;
}

void LevelHeads::replace() {
  FenwickOp fenwick = fenwickOf(op);
  SmallVector<Value> tokens;
  for (auto [number, token] : llvm::enumerate(op.getTokens()))
    tokens.push_back(op.isPerLevel(number) ? mergeHeads(token) : token);
  llvm::append_range(tokens, repeatParameters());
  auto list = AffineScanOp::create(
      b, loc, partTypes(), op.getFinals().getTypes(), tokens, ValueRange(),
      op.getInits(), op.getCuSeqlens(), op.getStateIndex(), op.getInPlace(),
      /*levels=*/false, op.getArgNames(), op.getFacts(), ScheduleAttr());
  list.getBody().takeBody(op.getBody());
  for (auto [output, parts] : llvm::zip(op.getOutputs(), list.getOutputs()))
    output.replaceAllUsesWith(AddLevelsOp::create(
        b, loc, output.getType(), parts, like, op.getCuSeqlens()));
  for (auto [before, after] : llvm::zip(op.getFinals(), list.getFinals()))
    before.replaceAllUsesWith(after);
  op.erase();
  if (fenwick->use_empty())
    fenwick->erase();
}

/// Sizes that a launch has to check against one another.
static LogicalResult verifySizes(AffineScanOp op) {
  auto like = cast<RankedTensorType>(fenwickOf(op).getLike().getType());
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  if (like.isDynamicDim(3) && state.isDynamicDim(1))
    return success();
  return op.emitError("expected a dynamic number of levels and of states, "
                      "which a launch checks against the number of tokens, "
                      "but got ")
         << like << " and " << state;
}

namespace {
struct LevelsToHeadsPass : qdelta::impl::LevelsToHeadsBase<LevelsToHeadsPass> {
  void runOnOperation() override {
    SmallVector<AffineScanOp> lists;
    getOperation().walk([&](AffineScanOp op) {
      if (op.getLevels())
        lists.push_back(op);
    });
    for (AffineScanOp op : lists) {
      if (!fenwickOf(op)) {
        op.emitError("expected levels that qdelta.fenwick makes");
        return signalPassFailure();
      }
      if (failed(verifySizes(op)))
        return signalPassFailure();
      LevelHeads(op).replace();
    }
  }
};
} // namespace

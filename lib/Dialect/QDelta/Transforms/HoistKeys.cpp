//===- HoistKeys.cpp - key vectors that a list makes, made before it ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "HoistKeys.h"

#include "DeriveStage.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

namespace {
class Hoist {
public:
  explicit Hoist(AffineScanOp op)
      : op(op), block(op.getBody().front()), numTokens(op.getTokens().size()),
        numParams(op.getParams().size()), b(op) {}

  AffineScanOp run();

private:
  bool needsPrescan(Value made);
  void findVectors();
  void findSources();
  Type typeOf(Value vector);
  PrescanOp createPrescan();
  AffineScanOp createList(PrescanOp prescan);
  bool isVectorParameter(Value value) {
    auto arg = dyn_cast<BlockArgument>(value);
    return arg && arg.getArgNumber() >= numTokens &&
           isa<RankedTensorType>(arg.getType());
  }

  AffineScanOp op;
  Block &block;
  size_t numTokens, numParams;
  OpBuilder b;
  /// What becomes a sequence, and what it is made of.
  llvm::SetVector<Value> vectors;
  llvm::SetVector<Operation *> makers;
  SmallVector<BlockArgument> tokens, params;
};
} // namespace

/// Functions of a token's scalar that are an instruction or two.
static bool isCheap(Operation *op) {
  return isa<math::AbsFOp, math::Exp2Op, math::ExpOp, math::LogOp,
             math::RsqrtOp, math::SqrtOp>(op);
}

/// Whether a value vector is made with a parameter or a function of a vector,
/// which tiles of values have none of, or a scalar with a function that takes
/// registers that the kernel does not have.
bool Hoist::needsPrescan(Value made) {
  SmallVector<Value> work{made};
  while (!work.empty()) {
    Value value = work.pop_back_val();
    Operation *maker = value.getDefiningOp();
    bool isFunction = isa_and_nonnull<math::MathDialect>(
        maker ? maker->getDialect() : nullptr);
    bool isVector = isa<RankedTensorType>(value.getType());
    if (isVectorParameter(value) ||
        (isFunction && (isVector || !isCheap(maker))))
      return true;
    if (maker)
      llvm::append_range(work, maker->getOperands());
  }
  return false;
}

void Hoist::findVectors() {
  auto add = [&](Value vector) {
    if (vector.getDefiningOp() || isVectorParameter(vector))
      vectors.insert(vector);
  };
  // Terms and coefficients.
  auto addTerms = [&](ValueRange terms) {
    for (Value term : terms)
      if (!isa<ReadoutType>(term.getType()) && needsPrescan(term))
        add(term);
  };
  for (Operation &entry : block) {
    if (auto decay = dyn_cast<AffineDecayOp>(entry)) {
      Value log = decay.getG();
      isa<RankedTensorType>(log.getType()) ? add(log) : addTerms(log);
    }
    if (auto read = dyn_cast<AffineReadOp>(entry)) {
      llvm::for_each(read.getBases(), add);
      addTerms(read.getCoefficients());
    }
    if (auto write = dyn_cast<AffineWriteOp>(entry)) {
      add(write.getKey());
      addTerms(write.getTerms());
      addTerms(write.getCoefficients());
    }
    if (auto output = dyn_cast<AffineOutputOp>(entry)) {
      addTerms(output.getTerms());
      addTerms(output.getCoefficients());
    }
  }
}

void Hoist::findSources() {
  llvm::SetVector<Value> needed(vectors.begin(), vectors.end());
  for (size_t i = 0; i < needed.size(); ++i)
    if (Operation *maker = needed[i].getDefiningOp())
      needed.insert(maker->operand_begin(), maker->operand_end());
  for (Operation &inner : block)
    if (llvm::any_of(inner.getResults(),
                     [&](Value result) { return needed.contains(result); }))
      makers.insert(&inner);
  for (BlockArgument arg : block.getArguments()) {
    bool isToken = arg.getArgNumber() < numTokens;
    if (needed.contains(arg))
      (isToken ? tokens : params).push_back(arg);
  }
  // The number of tokens is that of some sequence.
  if (tokens.empty())
    tokens.push_back(block.getArgument(0));
}

/// A sequence of it: [B, T, HV, D] as the tokens and the state have them.
Type Hoist::typeOf(Value vector) {
  auto token = cast<RankedTensorType>(op.getTokens()[0].getType());
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  SmallVector<int64_t> shape{token.getDimSize(0), token.getDimSize(1),
                             state.getDimSize(1), ShapedType::kDynamic};
  TokenDim dim = inferTokenDims(block).lookup(vector);
  shape.back() = state.getDimSize(dim == TokenDim::Key ? 2 : 3);
  if (dim == TokenDim::Scalar)
    shape.pop_back();
  return RankedTensorType::get(shape, getElementTypeOrSelf(vector.getType()));
}

PrescanOp Hoist::createPrescan() {
  SmallVector<Value> sequences, parameters;
  SmallVector<Attribute> names;
  SmallVector<Type> types;
  auto region = std::make_unique<Region>();
  Block &body = region->emplaceBlock();
  IRMapping map;
  auto take = [&](BlockArgument arg, SmallVectorImpl<Value> &operands) {
    operands.push_back(op->getOperand(arg.getArgNumber()));
    names.push_back(op.getArgNames()[arg.getArgNumber()]);
    map.map(arg, body.addArgument(arg.getType(), arg.getLoc()));
  };
  for (BlockArgument arg : tokens)
    take(arg, sequences);
  for (BlockArgument arg : params)
    take(arg, parameters);
  SmallVector<Value> yielded;
  OpBuilder inner(op.getContext());
  inner.setInsertionPointToEnd(&body);
  for (Operation *maker : makers)
    inner.clone(*maker, map);
  for (Value vector : vectors) {
    types.push_back(typeOf(vector));
    yielded.push_back(map.lookup(vector));
  }
  PrescanYieldOp::create(inner, op.getLoc(), yielded);
  Value heads = tensor::DimOp::create(b, op.getLoc(), op.getInits()[0], 1);
  auto prescan = PrescanOp::create(
      b, op.getLoc(), types, TypeRange(), heads, sequences, parameters,
      ValueRange(), op.getCuSeqlens(), /*state_index=*/Value(),
      /*in_place=*/false, b.getArrayAttr(names), ScheduleAttr());
  prescan.getBody().takeBody(*region);
  return prescan;
}

AffineScanOp Hoist::createList(PrescanOp prescan) {
  SmallVector<Value> sequences(op.getTokens());
  SmallVector<Attribute> names(op.getArgNames().getValue());
  for (auto [vector, made] : llvm::zip(vectors, prescan.getOutputs())) {
    Value arg =
        block.insertArgument(sequences.size(), vector.getType(), op.getLoc());
    Value(vector).replaceAllUsesWith(arg);
    names.insert(names.begin() + sequences.size(), b.getStringAttr("made"));
    sequences.push_back(made);
  }
  eraseDead(block);
  // What only the hoisted vectors needed is no input of the list any more.
  llvm::BitVector unused(block.getNumArguments());
  for (size_t i = numTokens; i-- > 0;)
    if (block.getArgument(i).use_empty()) {
      unused.set(i);
      sequences.erase(sequences.begin() + i);
      names.erase(names.begin() + i);
    }
  SmallVector<Value> parameters(op.getParams());
  for (size_t i = numParams; i-- > 0;) {
    size_t index = numTokens + vectors.size() + i;
    if (!block.getArgument(index).use_empty())
      continue;
    unused.set(index);
    parameters.erase(parameters.begin() + i);
    names.erase(names.begin() + sequences.size() + i);
  }
  block.eraseArguments(unused);
  auto list = AffineScanOp::create(
      b, op.getLoc(), op.getOutputs().getTypes(), op.getFinals().getTypes(),
      sequences, parameters, op.getInits(), op.getCuSeqlens(),
      op.getStateIndex(), op.getInPlace(), op.getLevels(),
      b.getArrayAttr(names), op.getFacts(), ScheduleAttr());
  list.getBody().takeBody(op.getBody());
  op.replaceAllUsesWith(list.getResults());
  op.erase();
  return list;
}

AffineScanOp Hoist::run() {
  findVectors();
  if (vectors.empty())
    return op;
  findSources();
  return createList(createPrescan());
}

AffineScanOp qdelta::hoistKeys(AffineScanOp op) { return Hoist(op).run(); }

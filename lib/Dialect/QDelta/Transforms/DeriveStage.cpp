//===- DeriveStage.cpp - what lists and prescans of a step share ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "DeriveStage.h"

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"

#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace qdelta;

Stage::Stage(Step &step, int64_t position)
    : step(step), position(position), region(std::make_unique<Region>()),
      block(region->emplaceBlock()), b(step.getRecurrence().getContext()) {
  auto add = [&](BlockArgument arg) {
    Value made = block.addArgument(arg.getType(), arg.getLoc());
    map.map(arg, made);
    origins[made] = arg;
  };
  llvm::for_each(recurrence().getTokens(), add);
  llvm::for_each(recurrence().getParams(), add);
  numTokens = recurrence().getTokens().size();
  numParams = recurrence().getParams().size();
  b.setInsertionPointToStart(&block);
}

void qdelta::eraseDead(Block &block) {
  for (Operation &dead : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&dead))
      dead.erase();
}

Value Stage::local(Value value) {
  if (Value known = map.lookupOrNull(value))
    return known;
  int64_t home = step.positionOf(value);
  if (home < 0 || home == position)
    return make(value);
  Value import =
      block.insertArgument(numTokens++, value.getType(), value.getLoc());
  map.map(value, import);
  origins[import] = value;
  return import;
}

Value Stage::cloneOp(Value value) {
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    map.map(operand, local(operand));
  return b.clone(*op, map)->getResult(0);
}

SmallVector<Value> Stage::getImports() const {
  SmallVector<Value> imports;
  for (BlockArgument arg : block.getArguments().take_front(numTokens)) {
    Value origin = origins.lookup(arg);
    bool isImport = !isa<BlockArgument>(origin) || step.positionOf(origin) >= 0;
    if (isImport && !arg.use_empty())
      imports.push_back(origin);
  }
  return imports;
}

Stage::Operands
Stage::takeOperands(RunOpInterface run,
                    const llvm::DenseMap<Value, Value> &sequences) {
  Operands operands;
  unsigned states = recurrence().getNumStates();
  auto sequenceOf = [&](Value origin) -> Value {
    auto arg = dyn_cast<BlockArgument>(origin);
    if (!arg || step.positionOf(origin) >= 0)
      return sequences.lookup(origin);
    return run->getOperand(arg.getArgNumber() - states);
  };
  auto nameOf = [&](Value origin) -> Attribute {
    if (auto arg = dyn_cast<BlockArgument>(origin))
      return recurrence().getArgNames()[arg.getArgNumber()];
    return b.getStringAttr("made");
  };
  llvm::BitVector unused(block.getNumArguments());
  for (BlockArgument arg : block.getArguments()) {
    unsigned index = arg.getArgNumber();
    bool isToken = index < numTokens, isParam = index < numTokens + numParams;
    if ((isToken || isParam) && arg.use_empty()) {
      unused.set(index);
      continue;
    }
    Value origin = origins.lookup(arg);
    operands.names.push_back(nameOf(origin));
    if (!isToken && !isParam)
      operands.inits.push_back(
          run.getInits()[cast<BlockArgument>(origin).getArgNumber()]);
    else
      (isToken ? operands.tokens : operands.params)
          .push_back(sequenceOf(origin));
  }
  // The number of tokens is that of some sequence.
  if (operands.tokens.empty()) {
    unused.reset(0);
    Value origin = origins.lookup(block.getArgument(0));
    operands.tokens.push_back(sequenceOf(origin));
    operands.names.insert(operands.names.begin(), nameOf(origin));
  }
  block.eraseArguments(unused);
  return operands;
}

/// B, T and HV as a run's outputs have them.
static SmallVector<int64_t> leadOf(RunOpInterface run) {
  auto shapeOf = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getShape();
  };
  if (!run.getOutputs().empty())
    return SmallVector<int64_t>(shapeOf(run.getOutputs()[0]).take_front(3));
  ArrayRef<int64_t> token = shapeOf(run.getTokens()[0]);
  return {token[0], token[1], shapeOf(run.getInits()[0])[1]};
}

SmallVector<Type> Stage::resultTypes(RunOpInterface run) {
  SmallVector<Type> types;
  for (unsigned output : outputs)
    types.push_back(run.getOutputs()[output].getType());
  auto dims = inferTokenDims(recurrence().getBody().front());
  SmallVector<int64_t> lead = leadOf(run);
  int64_t keys = ShapedType::kDynamic, values = ShapedType::kDynamic;
  for (auto [inStep, output] :
       llvm::zip(recurrence().getYield().getOutputs(), run.getOutputs()))
    if (dims[inStep] == TokenDim::Value)
      values = cast<RankedTensorType>(output.getType()).getShape().back();
  for (auto [arg, operand] :
       llvm::zip(recurrence().getBody().getArguments().drop_front(
                     recurrence().getNumStates()),
                 run->getOperands()))
    if (dims[arg] == TokenDim::Key)
      keys = cast<RankedTensorType>(operand.getType()).getShape().back();
  for (auto [arg, init] : llvm::zip(recurrence().getStates(), run.getInits())) {
    auto type = cast<RankedTensorType>(init.getType());
    if (dims[arg] == TokenDim::State || dims[arg] == TokenDim::Key)
      keys = type.getDimSize(2);
    if (dims[arg] == TokenDim::State && !isSquare(arg))
      values = type.getDimSize(3);
  }
  for (Value value : provided) {
    SmallVector<int64_t> shape(lead);
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (type) {
      int64_t size = type.getDimSize(0);
      if (dims[value] == TokenDim::Value)
        size = values;
      else if (dims[value] == TokenDim::Key)
        size = keys;
      else if (dims[value] == TokenDim::HalfKey && !ShapedType::isDynamic(keys))
        size = keys / 2;
      shape.push_back(size);
    }
    types.push_back(
        RankedTensorType::get(shape, getElementTypeOrSelf(value.getType())));
  }
  return types;
}

void Stage::setResults(Operation *op, ArrayRef<unsigned> states,
                       llvm::DenseMap<Value, Value> &sequences,
                       MutableArrayRef<Value> stepOutputs,
                       MutableArrayRef<Value> stepFinals) {
  unsigned next = 0;
  for (unsigned output : outputs)
    stepOutputs[output] = op->getResult(next++);
  for (Value value : provided)
    sequences[value] = op->getResult(next++);
  for (unsigned state : states)
    stepFinals[state] = op->getResult(next++);
}

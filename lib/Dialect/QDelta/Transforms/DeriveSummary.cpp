//===- DeriveSummary.cpp - what a run of tokens does to a state -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
// A step that is affine in its matrix state S takes it to A S + B with a matrix
// A that acts on key channels. So a run of tokens takes S to P S + Q, where Q
// is what the run makes of zeros and P what its linear part makes of the
// identity: both are states of a recurrence, which is the step twice, once as
// it is and once without the values that do not depend on the state. It starts
// from any (P, Q), those of the tokens before, and never holds what cancels.
//
//===----------------------------------------------------------------------===//

#include "DeriveSummary.h"
#include "DeriveStage.h"

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace qdelta {
#define GEN_PASS_DEF_DERIVESUMMARIES
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

bool qdelta::isSummaryKind(StringRef kind) {
  return llvm::is_contained(kSummaryKinds, kind);
}

bool qdelta::runsOverRows(RecurrenceOp recurrence) {
  return recurrence->hasAttr(kSummaryOfAttr) &&
         !recurrence.getYield().getOutputs().empty();
}

namespace {
/// A new recurrence, argument by argument, then op by op.
class StepBuilder {
public:
  StepBuilder(RecurrenceOp of, StringRef kind)
      : of(of), b(of->getContext()),
        name(entryPointName(of.getSymName(), kind)) {}

  Value add(StringRef name, Type type, DictionaryAttr attrs = {}) {
    names.push_back(unusedName(name));
    this->attrs.push_back(attrs ? attrs : b.getDictionaryAttr({}));
    return block->addArgument(type, of.getLoc());
  }
  DictionaryAttr square() {
    return b.getDictionaryAttr(b.getNamedAttr(kSquareAttr, b.getUnitAttr()));
  }
  /// A name that no argument of the recurrence has: these keep theirs.
  std::string freeName(StringRef wanted) {
    std::string found = wanted.str();
    while (llvm::is_contained(of.getArgNames(), b.getStringAttr(found)))
      found += "_";
    return found;
  }
  void finish(unsigned numStates, unsigned numTokens);

  RecurrenceOp of;
  OpBuilder b;
  std::unique_ptr<Block> block = std::make_unique<Block>();
  SmallVector<Attribute> names, attrs;

private:
  Attribute unusedName(StringRef wanted) {
    std::string found = wanted.str();
    while (llvm::is_contained(names, b.getStringAttr(found)))
      found += "_";
    return b.getStringAttr(found);
  }

  std::string name;
};

/// The summary of a recurrence with one matrix state.
class Summary {
public:
  Summary(RecurrenceOp of, StringRef kind) : step(of), builder(of, kind) {}

  LogicalResult verify();
  void create();
  /// The states that are no matrices, without anything else.
  void createAdvance();

private:
  void addStates();
  void addInputs(ArrayRef<BlockArgument> inputs);
  Value transition(Operation *op);
  void eraseUnused(unsigned numStates, unsigned &numTokens);
  void finish(ArrayRef<Value> states);
  Value sum(Operation *op);
  InFlightDiagnostic fail(const Twine &why) {
    return builder.of.emitError("has no summary: ") << why;
  }

  Step step;
  StepBuilder builder;
  /// The number of the matrix state.
  unsigned matrix = 0;
  /// What the step's values are in the run from zeros and, without what does
  /// not depend on the state, in the one from the identity.
  IRMapping known;
  llvm::DenseMap<Value, Value> linear;
};
} // namespace

void StepBuilder::finish(unsigned numStates, unsigned numTokens) {
  b.setInsertionPointAfter(of);
  auto recurrence = RecurrenceOp::create(
      b, of.getLoc(), b.getStringAttr(name), StringAttr(),
      b.getArrayAttr(names), b.getArrayAttr(attrs), numStates, numTokens);
  recurrence.getBody().push_back(block.release());
  recurrence->setAttr(kSummaryOfAttr, FlatSymbolRefAttr::get(of));
}

LogicalResult Summary::verify() {
  RecurrenceOp of = builder.of;
  if (of.getLevels())
    return fail("each of its levels has a state");
  SmallVector<unsigned> matrices;
  for (unsigned state = 0; state < of.getNumStates(); ++state)
    if (step.isMatrix(state))
      matrices.push_back(state);
  if (matrices.size() != 1)
    return fail("expected one matrix state, but got ") << matrices.size();
  matrix = matrices[0];
  if (failed(step.analyze()))
    return failure();
  for (Operation &op : of.getBody().front())
    if (isa<ReadValuesOp, DecayValuesOp>(op))
      return fail("a state that is read or decays on its value side does not "
                  "become P S + Q");
  for (unsigned state = 0; state < of.getNumStates(); ++state)
    if (state != matrix && step.depends(step.updateOf(state), matrix))
      return fail("state %") << of.getArgName(state) << " depends on what %"
                             << of.getArgName(matrix) << " holds";
  return success();
}

void Summary::addStates() {
  for (BlockArgument state : builder.of.getStates()) {
    if (state.getArgNumber() != matrix) {
      addInputs(state);
      continue;
    }
    auto type = cast<RankedTensorType>(state.getType());
    int64_t keys = type.getDimSize(0);
    linear[state] = builder.add(builder.freeName("P"), type.clone({keys, keys}),
                                builder.square());
    known.map(state, builder.add(builder.freeName("Q"), type));
  }
}

void Summary::addInputs(ArrayRef<BlockArgument> inputs) {
  for (BlockArgument input : inputs) {
    unsigned number = input.getArgNumber();
    auto attrs = cast<DictionaryAttr>(builder.of.getArgAttrs()[number]);
    known.map(input, builder.add(builder.of.getArgName(number), input.getType(),
                                 attrs));
  }
}

/// The linear part of a sum, a difference or a negation.
Value Summary::sum(Operation *op) {
  OpBuilder &b = builder.b;
  Location loc = op->getLoc();
  Value lhs = linear.lookup(op->getOperand(0));
  if (isa<arith::NegFOp>(op))
    return lhs ? Value(arith::NegFOp::create(b, loc, lhs)) : Value();
  Value rhs = linear.lookup(op->getOperand(1));
  if (!rhs)
    return lhs;
  if (isa<arith::AddFOp>(op))
    return lhs ? Value(arith::AddFOp::create(b, loc, lhs, rhs)) : rhs;
  return lhs ? Value(arith::SubFOp::create(b, loc, lhs, rhs))
             : Value(arith::NegFOp::create(b, loc, rhs));
}

/// The linear part of what an op makes of the matrix state, or null: outputs,
/// which a summary does without, may be any function of the state.
Value Summary::transition(Operation *op) {
  if (isa<arith::AddFOp, arith::SubFOp, arith::NegFOp>(op))
    return sum(op);
  OpBuilder &b = builder.b;
  Location loc = op->getLoc();
  Value part = linear.lookup(op->getOperand(0));
  if (!part)
    return {};
  auto at = [&](Value value) { return known.lookup(value); };
  if (auto decay = dyn_cast<DecayOp>(op))
    return DecayOp::create(b, loc, part, at(decay.getG()));
  if (auto read = dyn_cast<ReadOp>(op))
    return ReadOp::create(b, loc, part, at(read.getAt()));
  if (auto scale = dyn_cast<ScaleOp>(op))
    return ScaleOp::create(b, loc, part, at(scale.getBy()));
  auto write = dyn_cast<WriteOp>(op);
  if (!write)
    return {};
  Value value = linear.lookup(write.getValue());
  if (!value)
    return part;
  return WriteOp::create(b, loc, part, at(write.getKey()), value);
}

/// Drops token inputs and parameters that only outputs used. One token input
/// stays: the number of tokens is that of some sequence.
void Summary::eraseUnused(unsigned numStates, unsigned &numTokens) {
  Block &block = *builder.block;
  unsigned firstParam = numStates + numTokens;
  for (unsigned arg = block.getNumArguments(); arg-- > numStates;) {
    if (!block.getArgument(arg).use_empty() ||
        (arg < firstParam && numTokens == 1))
      continue;
    block.eraseArgument(arg);
    builder.names.erase(builder.names.begin() + arg);
    builder.attrs.erase(builder.attrs.begin() + arg);
    numTokens -= arg < firstParam;
  }
}

void Summary::create() {
  RecurrenceOp of = builder.of;
  addStates();
  addInputs(of.getTokens());
  addInputs(of.getParams());
  OpBuilder &b = builder.b;
  b.setInsertionPointToStart(builder.block.get());
  for (Operation &op : of.getBody().front().without_terminator()) {
    b.clone(op, known);
    if (step.depends(op.getResult(0), matrix))
      linear[op.getResult(0)] = transition(&op);
  }
  SmallVector<Value> states;
  for (auto [number, state] : llvm::enumerate(of.getYield().getStates())) {
    if (number == matrix)
      states.push_back(linear.lookup(state));
    states.push_back(known.lookup(state));
  }
  finish(states);
}

void Summary::createAdvance() {
  RecurrenceOp of = builder.of;
  for (BlockArgument state : of.getStates())
    if (state.getArgNumber() != matrix)
      addInputs(state);
  addInputs(of.getTokens());
  addInputs(of.getParams());
  OpBuilder &b = builder.b;
  b.setInsertionPointToStart(builder.block.get());
  for (Operation &op : of.getBody().front().without_terminator())
    if (!step.depends(op.getResult(0), matrix))
      b.clone(op, known);
  SmallVector<Value> states;
  for (auto [number, state] : llvm::enumerate(of.getYield().getStates()))
    if (number != matrix)
      states.push_back(known.lookup(state));
  finish(states);
}

void Summary::finish(ArrayRef<Value> states) {
  YieldOp::create(builder.b, builder.of.getLoc(), states, ValueRange());
  eraseDead(*builder.block);
  unsigned numTokens = builder.of.getNumTokens();
  eraseUnused(states.size(), numTokens);
  builder.finish(states.size(), numTokens);
}

/// Rows of P S, or of P S + Q, for rows p of P and q of Q: one token each.
static void createRows(RecurrenceOp of, RankedTensorType type, bool composes) {
  StepBuilder builder(of, composes ? "compose" : "apply");
  OpBuilder &b = builder.b;
  Location loc = of.getLoc();
  int64_t keys = type.getDimSize(0);
  SmallVector<Value> states;
  if (composes)
    states.push_back(
        builder.add("P", type.clone({keys, keys}), builder.square()));
  states.push_back(builder.add(composes ? "Q" : "S", type));
  Value p =
      builder.add("p", RankedTensorType::get(keys, type.getElementType()));
  Value q = builder.add(
      "q", RankedTensorType::get(type.getDimSize(1), type.getElementType()));
  b.setInsertionPointToStart(builder.block.get());
  SmallVector<Value> outputs;
  for (Value state : states)
    outputs.push_back(ReadOp::create(b, loc, state, p));
  outputs.back() = arith::AddFOp::create(b, loc, q, outputs.back());
  YieldOp::create(b, loc, states, outputs);
  builder.finish(states.size(), 2);
}

bool qdelta::hasSummary(RecurrenceOp of) {
  ScopedDiagnosticHandler silent(of.getContext(),
                                 [](Diagnostic &) { return success(); });
  return succeeded(Summary(of, "summary").verify());
}

LogicalResult qdelta::deriveSummary(RecurrenceOp of, StringRef kind) {
  auto module = of->getParentOfType<ModuleOp>();
  std::string name = entryPointName(of.getSymName(), kind);
  if (Operation *other = module.lookupSymbol(name)) {
    auto isOf = other->getAttrOfType<FlatSymbolRefAttr>(kSummaryOfAttr);
    if (isa<RecurrenceOp>(other) && isOf &&
        isOf.getAttr() == of.getSymNameAttr())
      return success();
    InFlightDiagnostic error = of.emitError("expected @")
                               << name << " to be free for what is derived";
    error.attachNote(other->getLoc()) << "it is here";
    return error;
  }
  Summary summary(of, kind);
  if (failed(summary.verify()))
    return failure();
  if (kind == "summary") {
    summary.create();
  } else if (kind == kAdvanceKind) {
    if (of.getNumStates() > 1)
      summary.createAdvance();
  } else {
    for (BlockArgument state : of.getStates())
      if (auto type = dyn_cast<RankedTensorType>(state.getType());
          type && type.getRank() == 2)
        createRows(of, type, kind == "compose");
  }
  return success();
}

LogicalResult qdelta::deriveSummaries(ModuleOp module, StringRef kind) {
  for (auto of : llvm::to_vector(module.getOps<RecurrenceOp>()))
    if (!of->hasAttr(kSummaryOfAttr) && failed(deriveSummary(of, kind)))
      return failure();
  return success();
}

namespace {
struct DeriveSummariesPass
    : qdelta::impl::DeriveSummariesBase<DeriveSummariesPass> {
  using DeriveSummariesBase::DeriveSummariesBase;

  void runOnOperation() override {
    if (!kind.empty() && !isSummaryKind(kind)) {
      getOperation().emitError("expected kind to be summary, compose or apply, "
                               "but got ")
          << kind;
      return signalPassFailure();
    }
    // Each is put right behind what it is of.
    for (StringRef known : llvm::reverse(kSummaryKinds))
      if ((kind.empty() || kind == known) &&
          failed(deriveSummaries(getOperation(), known)))
        return signalPassFailure();
  }
};
} // namespace

//===- ScanOp.cpp - qdelta.scan, qdelta.step: shapes against a recurrence -===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "Levels.h"
#include "PackedSequences.h"
#include "SequenceTypes.h"

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qdelta;

namespace {
/// The named sizes that a scan's operands share, and where each was first seen.
class Dimensions {
public:
  explicit Dimensions(RunOpInterface op) : op(op) {}

  /// Binds `symbol` to `size`, or reports both sides of a mismatch.
  LogicalResult bind(StringRef symbol, int64_t size, const Twine &where) {
    if (ShapedType::isDynamic(size))
      return success();
    auto [entry, isNew] = sizes.try_emplace(symbol, size, where.str());
    if (isNew || entry->second.first == size)
      return success();
    return op->emitOpError("expected ")
           << where << " to have " << symbol << " = " << entry->second.first
           << " as " << entry->second.second << " has, but got " << size
           << " /*scan_c3*/";
  }

  std::optional<int64_t> size(StringRef symbol) const {
    auto entry = sizes.find(symbol);
    if (entry == sizes.end())
      return std::nullopt;
    return entry->second.first;
  }

private:
  RunOpInterface op;
  llvm::StringMap<std::pair<int64_t, std::string>> sizes;
};

/// The symbols of the dimensions that a step's value of kind `dim` adds to
/// those before; `name` stands for a vector of no known dimension.
void addSymbols(SmallVectorImpl<StringRef> &shape, TokenDim dim, StringRef name,
                bool isSquare = false) {
  switch (dim) {
  case TokenDim::Scalar:
    return;
  case TokenDim::State:
    shape.append({"K", isSquare ? "K" : "V"});
    return;
  case TokenDim::Key:
    return shape.push_back("K");
  case TokenDim::HalfKey:
    return shape.push_back("K / 2");
  case TokenDim::Value:
    return shape.push_back("V");
  case TokenDim::Unknown:
    return shape.push_back(name);
  }
}
} // namespace

/// Checks one operand or result: its rank is that of `symbols`, its sizes bind
/// them. An empty symbol is not compared.
static LogicalResult verifyShape(RunOpInterface op, Dimensions &dims, Type type,
                                 const Twine &where,
                                 ArrayRef<StringRef> symbols) {
  auto tensor = cast<RankedTensorType>(type);
  if (tensor.getRank() != static_cast<int64_t>(symbols.size())) {
    std::string wanted = llvm::join(symbols, ", ");
    return op->emitOpError("expected ")
           << where << " to have shape [" << wanted << "], but got " << tensor
           << " /*scan_c2*/";
  }
  for (auto [symbol, size] : llvm::zip(symbols, tensor.getShape()))
    if (symbol != "H" && failed(dims.bind(symbol, size, where)))
      return failure();
  return success();
}

/// scan_c5: element types against those of the recurrence.
static LogicalResult verifyElements(RunOpInterface op, RecurrenceOp callee,
                                    llvm::DenseMap<Value, TokenDim> &roles) {
  SequenceTypes types(op, "scan_c5");
  auto nameOf = [&](BlockArgument arg) {
    return callee.getArgName(arg.getArgNumber());
  };
  for (auto [arg, init, final] :
       llvm::zip(callee.getStates(), op.getInits(), op.getFinals()))
    if (failed(types.addPlain(init.getType(), arg.getType(),
                              "initial state " + nameOf(arg))) ||
        failed(types.addPlain(final.getType(), arg.getType(),
                              "final state " + nameOf(arg))))
      return failure();
  for (auto [arg, token] : llvm::zip(callee.getTokens(), op.getTokens())) {
    Type found = token.getType(), step = arg.getType();
    if (failed(roles[arg] == TokenDim::Scalar
                   ? types.addPlain(found, step, nameOf(arg))
                   : types.addVectors(found, step, nameOf(arg))))
      return failure();
  }
  for (auto [arg, param] : llvm::zip(callee.getParams(), op.getParams()))
    if (failed(types.addPlain(param.getType(), arg.getType(), nameOf(arg))))
      return failure();
  auto outputs = llvm::zip(callee.getYield().getOutputs(), op.getOutputs());
  for (auto [index, pair] : llvm::enumerate(outputs)) {
    auto [inStep, output] = pair;
    if (failed(types.addVectors(output.getType(), inStep.getType(),
                                "output " + Twine(index))))
      return failure();
  }
  return success();
}

/// scan_c1: as many operands and results as the recurrence has.
static LogicalResult verifyCounts(RunOpInterface op, RecurrenceOp callee) {
  auto expectCount = [&](StringRef what, size_t got,
                         size_t wanted) -> LogicalResult {
    if (got == wanted)
      return success();
    InFlightDiagnostic diag = op->emitOpError("passes ")
                              << got << " " << what << " but @"
                              << op.getCallee() << " takes " << wanted
                              << " /*scan_c1*/";
    diag.attachNote(callee.getLoc()) << "declared here";
    return diag;
  };
  YieldOp yield = callee.getYield();
  size_t states = callee.getStates().size();
  if (failed(expectCount("token inputs", op.getTokens().size(),
                         callee.getTokens().size())) ||
      failed(expectCount("parameters", op.getParams().size(),
                         callee.getParams().size())) ||
      failed(expectCount("initial states", op.getInits().size(), states)) ||
      failed(expectCount("final states", op.getFinals().size(), states)) ||
      failed(expectCount("outputs", op.getOutputs().size(),
                         yield.getOutputs().size())))
    return failure();
  return success();
}

/// step_c1 and step_c2: few tokens, and an index that fits its states.
static LogicalResult verifyStep(StepOp op, Dimensions &dims) {
  std::optional<int64_t> tokens = dims.size("T");
  if (tokens && *tokens > StepOp::kMostTokens)
    return op.emitOpError("expected at most ")
           << StepOp::kMostTokens << " tokens, but got " << *tokens
           << " /*step_c1*/";
  for (auto [index, init, final] :
       llvm::enumerate(op.getInits(), op.getFinals()))
    if (init.getType() != final.getType())
      return op.emitOpError("expected final state ")
             << index << ", which replaces the initial one, to be of its type "
             << init.getType() << ", but got " << final.getType()
             << " /*step_c2*/";
  if (!op.getStateIndex())
    return success();
  int64_t count =
      cast<RankedTensorType>(op.getStateIndex().getType()).getDimSize(0);
  return dims.bind("B", count, "state_index");
}

/// scan_c7: a position goes with levels, of which there are enough, and a state
/// of each.
static LogicalResult verifyLevels(RunOpInterface op, RecurrenceOp callee,
                                  Dimensions &dims) {
  if (bool(op.getPosition()) != bool(callee.getLevels()))
    return op->emitOpError("expected ")
           << (callee.getLevels() ? "a position: @" : "no position: @")
           << op.getCallee() << " has " << (callee.getLevels() ? "" : "no ")
           << "levels /*scan_c7*/";
  if (!callee.getLevels())
    return success();
  int64_t count =
      cast<RankedTensorType>(op.getPosition().getType()).getDimSize(0);
  if (failed(dims.bind(op.getCuSeqlens() ? "N" : "B", count, "position")))
    return failure();
  int64_t tokens = dims.size("T").value_or(ShapedType::kDynamic);
  int64_t levels = dims.size("L").value_or(ShapedType::kDynamic);
  std::optional<int64_t> heads = dims.size("HV"), all = dims.size("HV L");
  if (heads && all && !ShapedType::isDynamic(levels) && *all != *heads * levels)
    return op->emitOpError("expected a state for each of L = ")
           << levels << " levels of HV = " << *heads << " heads, but got "
           << *all << " /*scan_c7*/";
  if (op.getCuSeqlens() || fitLevels(tokens, levels))
    return success();
  return op->emitOpError("expected at most 2^(L - 1) tokens, but got T = ")
         << tokens << " for L = " << levels << " levels /*scan_c7*/";
}

static LogicalResult verifyRun(RunOpInterface op,
                               SymbolTableCollection &symbols) {
  auto callee =
      symbols.lookupNearestSymbolFrom<RecurrenceOp>(op, op.getCalleeAttr());
  if (!callee)
    return op->emitOpError("expected @")
           << op.getCallee() << " to be a qdelta.recurrence";
  if (failed(verifyCounts(op, callee)))
    return failure();

  auto roles = inferTokenDims(callee.getBody().front());
  Dimensions dims(op);
  StringRef batch = op.getCuSeqlens() ? "1" : "B";
  auto nameOf = [&](BlockArgument arg) {
    return callee.getArgName(arg.getArgNumber());
  };
  // States are pools or of as many sequences as are packed.
  StringRef entries = op.getStateIndex() || op.getCuSeqlens() ? "N" : "B";
  for (auto [arg, init, final] :
       llvm::zip(callee.getStates(), op.getInits(), op.getFinals())) {
    SmallVector<StringRef> shape{entries, callee.getLevels() ? "HV L" : "HV"};
    addSymbols(shape, roles[arg], nameOf(arg), isSquare(arg));
    for (auto [value, what] : {std::pair(init, "initial state "),
                               std::pair(Value(final), "final state ")})
      if (failed(verifyShape(op, dims, value.getType(),
                             what + Twine(nameOf(arg)), shape)))
        return failure();
  }
  for (auto [arg, token] : llvm::zip(callee.getTokens(), op.getTokens())) {
    SmallVector<StringRef> shape{batch, "T", "H"};
    addSymbols(shape, roles[arg], nameOf(arg));
    if (arg == callee.getLevels())
      shape = {batch, "T", "HV", "L"};
    if (failed(verifyShape(op, dims, token.getType(), nameOf(arg), shape)))
      return failure();
    int64_t heads = cast<RankedTensorType>(token.getType()).getDimSize(2);
    std::optional<int64_t> valueHeads = dims.size("HV");
    if (!ShapedType::isDynamic(heads) && valueHeads &&
        (heads == 0 ? *valueHeads != 0 : *valueHeads % heads != 0))
      return op->emitOpError("expected HV = ")
             << *valueHeads << " of "
             << (callee.getLevels() ? "" : "initial state ")
             << nameOf(callee.getLevels() ? callee.getLevels()
                                          : callee.getStates()[0])
             << " to be a multiple of H = " << heads << " of " << nameOf(arg)
             << " /*scan_c4*/";
  }
  for (auto [arg, param] : llvm::zip(callee.getParams(), op.getParams())) {
    SmallVector<StringRef> shape{"HV"};
    addSymbols(shape, roles[arg], nameOf(arg));
    if (failed(verifyShape(op, dims, param.getType(), nameOf(arg), shape)))
      return failure();
  }
  for (auto [index, output] : llvm::enumerate(op.getOutputs())) {
    Value inStep = callee.getYield().getOutputs()[index];
    if (failed(verifyShape(
            op, dims, output.getType(), "output " + Twine(index),
            {batch, "T", "HV", roles[inStep] == TokenDim::Key ? "K" : "V"})))
      return failure();
  }
  std::optional<int64_t> keys = dims.size("K"), pairs = dims.size("K / 2");
  if (keys && pairs && *keys != 2 * *pairs)
    return op->emitOpError("expected K = ")
           << *keys << " to be twice the number of its pairs, but got "
           << *pairs << " /*scan_c3*/";
  if (failed(verifyPacked(op, "scan_c6")))
    return failure();
  if (failed(verifyLevels(op, callee, dims)))
    return failure();
  if (auto step = dyn_cast<StepOp>(*op))
    if (failed(verifyStep(step, dims)))
      return failure();
  return verifyElements(op, callee, roles);
}

LogicalResult ScanOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyRun(*this, symbols);
}

LogicalResult StepOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyRun(*this, symbols);
}

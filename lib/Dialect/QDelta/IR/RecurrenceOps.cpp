//===- RecurrenceOps.cpp - qdelta.recurrence and the ops of its step ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "Levels.h"

#include "qdelta/Dialect/QDelta/IR/SquareStates.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

//===----------------------------------------------------------------------===//
// recurrence: assembly
//===----------------------------------------------------------------------===//

/// Parses `keyword(%a: type {attrs}, ...)`.
static ParseResult parseGroup(OpAsmParser &parser,
                              SmallVectorImpl<OpAsmParser::Argument> &args) {
  return parser.parseArgumentList(args, OpAsmParser::Delimiter::Paren,
                                  /*allowType=*/true, /*allowAttrs=*/true);
}

ParseResult RecurrenceOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  StringAttr name;
  if (parser.parseSymbolName(name, getSymNameAttrName(result.name),
                             result.attributes) ||
      parser.parseLParen() || parser.parseKeyword("state"))
    return failure();
  SmallVector<OpAsmParser::Argument> args;
  do {
    if (parser.parseArgument(args.emplace_back(), /*allowType=*/true,
                             /*allowAttrs=*/true))
      return failure();
  } while (succeeded(parser.parseOptionalComma()));
  int64_t numStates = args.size();
  if (parser.parseRParen() || parser.parseKeyword("token") ||
      parseGroup(parser, args))
    return failure();
  int64_t numTokens = args.size() - numStates;
  if (succeeded(parser.parseOptionalKeyword("param")) &&
      parseGroup(parser, args))
    return failure();
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();

  SmallVector<Attribute> names, attrs;
  for (OpAsmParser::Argument &arg : args) {
    names.push_back(b.getStringAttr(arg.ssaName.name.drop_front()));
    attrs.push_back(arg.attrs ? arg.attrs : b.getDictionaryAttr({}));
    arg.attrs = {};
  }
  auto &props = result.getOrAddProperties<Properties>();
  props.sym_name = name;
  props.arg_names = b.getArrayAttr(names);
  props.arg_attrs = b.getArrayAttr(attrs);
  props.num_states = b.getI64IntegerAttr(numStates);
  props.num_tokens = b.getI64IntegerAttr(numTokens);
  result.attributes.erase(getSymNameAttrName(result.name));
  return parser.parseRegion(*result.addRegion(), args);
}

void RecurrenceOp::print(OpAsmPrinter &p) {
  p << ' ';
  p.printSymbolName(getSymName());
  auto printGroup = [&](unsigned first, unsigned count) {
    for (unsigned i = first; i < first + count; ++i) {
      if (i != first)
        p << ", ";
      p << getBody().getArgument(i) << ": "
        << getBody().getArgument(i).getType();
      auto dict = cast<DictionaryAttr>(getArgAttrs()[i]);
      if (!dict.empty())
        p << ' ' << dict;
    }
  };
  unsigned states = getNumStates(), tokens = getNumTokens();
  unsigned params = getBody().getNumArguments() - states - tokens;
  p << "(state ";
  printGroup(0, states);
  p << ") token(";
  printGroup(states, tokens);
  p << ')';
  if (params) {
    p << " param(";
    printGroup(states + tokens, params);
    p << ')';
  }
  p.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(),
      {"sym_name", "arg_names", "arg_attrs", "num_states", "num_tokens"});
  p << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

void RecurrenceOp::getAsmBlockArgumentNames(Region &region,
                                            OpAsmSetValueNameFn setName) {
  for (auto [arg, name] : llvm::zip(region.getArguments(), getArgNames()))
    setName(arg, cast<StringAttr>(name).getValue());
}

YieldOp RecurrenceOp::getYield() {
  return cast<YieldOp>(getBody().front().getTerminator());
}

//===----------------------------------------------------------------------===//
// recurrence: verification
//===----------------------------------------------------------------------===//

/// recurrence_c5: a state that is said to be square may be.
static LogicalResult verifySquare(RecurrenceOp op, unsigned index) {
  Type type = op.getBody().getArgument(index).getType();
  auto matrix = dyn_cast<RankedTensorType>(type);
  bool isMatrix = index < op.getNumStates() && matrix && matrix.getRank() == 2;
  if (isMatrix && (matrix.isDynamicDim(0) || matrix.isDynamicDim(1) ||
                   matrix.getDimSize(0) == matrix.getDimSize(1)))
    return success();
  return op.emitOpError("expected qdelta.square on a state tensor<K x K>, but "
                        "%")
         << op.getArgName(index) << " is " << type << " /*recurrence_c5*/";
}

/// recurrence_c5: an argument's stated domain is one that exists.
static LogicalResult verifyDomain(RecurrenceOp op, unsigned index) {
  for (NamedAttribute attr : cast<DictionaryAttr>(op.getArgAttrs()[index])) {
    if (attr.getName() == "qdelta.unit") {
      if (isa<RankedTensorType>(op.getBody().getArgument(index).getType()))
        continue;
      return op.emitOpError("expected qdelta.unit on a vector, but %")
             << op.getArgName(index) << " is a scalar /*recurrence_c5*/";
    }
    if (attr.getName() == "qdelta.log_decay")
      continue;
    if (attr.getName() == kSquareAttr) {
      if (failed(verifySquare(op, index)))
        return failure();
      continue;
    }
    auto rule = dyn_cast<StringAttr>(attr.getValue());
    if (attr.getName() == "qdelta.levels") {
      unsigned token = index - static_cast<unsigned>(op.getNumStates());
      if (rule && rule.getValue() == "fenwick" && token < op.getNumTokens() &&
          isa<FloatType>(op.getBody().getArgument(index).getType()))
        continue;
      return op.emitOpError("expected qdelta.levels = \"fenwick\" on a scalar "
                            "token input, but got ")
             << attr.getValue() << " on %" << op.getArgName(index)
             << " /*recurrence_c5*/";
    }
    auto range = dyn_cast<ArrayAttr>(attr.getValue());
    if (attr.getName() == "qdelta.range" && range && range.size() == 2 &&
        llvm::all_of(range, llvm::IsaPred<FloatAttr>))
      continue;
    return op.emitOpError("expected %")
           << op.getArgName(index)
           << " to have {qdelta.unit}, {qdelta.log_decay} or {qdelta.range = "
              "[low, "
              "high]}, but got "
           << attr.getName() << " /*recurrence_c5*/";
  }
  return success();
}

/// recurrence_c4 and recurrence_c6 for one op of the step.
static LogicalResult verifyOperands(Operation &op,
                                    llvm::DenseMap<Value, TokenDim> &dims) {
  auto isState = [&](Value value) { return dims[value] == TokenDim::State; };
  if (auto mix = dyn_cast<MixOp>(op);
      mix && isSquare(mix.getState()) != isSquare(mix.getSource()))
    return op.emitError("mixes a state tensor<K x K> with a state "
                        "tensor<K x V> /*recurrence_c6*/");
  if (isa<ReadOp, ReadValuesOp, WriteOp, MixOp, DecayValuesOp>(op) ||
      (isa<DecayOp>(op) && isState(op.getOperand(0))))
    return success();
  if (llvm::any_of(op.getOperands(), isState))
    return op.emitError("a state is used only by qdelta.decay, "
                        "qdelta.decay_values, qdelta.read, qdelta.read_values, "
                        "qdelta.write, qdelta.mix and qdelta.yield, but here "
                        "by ")
           << op.getName() << " /*recurrence_c4*/";
  if (auto rotate = dyn_cast<RotateOp>(op)) {
    if (dims[rotate.getVector()] == TokenDim::Key &&
        dims[rotate.getCos()] == TokenDim::HalfKey &&
        dims[rotate.getSin()] == TokenDim::HalfKey)
      return success();
    return op.emitError("expected to rotate a key vector [K] by vectors [K/2] "
                        "that are nothing else /*recurrence_c6*/");
  }
  const char *first = nullptr;
  for (Value operand : op.getOperands()) {
    TokenDim dim = dims[operand];
    const char *name = dim == TokenDim::Key       ? "key vector [K]"
                       : dim == TokenDim::HalfKey ? "vector over pairs [K/2]"
                       : dim == TokenDim::Value   ? "value vector [V]"
                                                  : nullptr;
    if (first && name && StringRef(first) != name) {
      bool swap = dim == TokenDim::Key;
      return op.emitError("mixes a ")
             << (swap ? name : first) << " with a " << (swap ? first : name)
             << " /*recurrence_c6*/";
    }
    first = name ? name : first;
  }
  return success();
}

LogicalResult RecurrenceOp::verifyRegions() {
  Block &step = getBody().front();
  unsigned count = step.getNumArguments();
  unsigned states = getNumStates(), tokens = getNumTokens();
  if (states + tokens > count || getArgNames().size() != count ||
      getArgAttrs().size() != count)
    return emitOpError("expected names and attributes for each of the ")
           << count << " arguments /*recurrence_c1*/";
  for (BlockArgument arg : step.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(arg.getType());
    bool isState = arg.getArgNumber() < states;
    bool isSmall =
        isa<FloatType>(arg.getType()) || (type && type.getRank() == 1);
    if (isState && !isSmall && (!type || type.getRank() != 2))
      return emitOpError("expected state %")
             << getArgName(arg.getArgNumber())
             << " to be tensor<K x V>, a vector or a scalar, but got "
             << arg.getType() << " /*recurrence_c2*/";
    if (!isState && !isSmall)
      return emitOpError("expected %")
             << getArgName(arg.getArgNumber())
             << " to be a scalar or a vector, but got " << arg.getType()
             << " /*recurrence_c3*/";
    if (failed(verifyDomain(*this, arg.getArgNumber())))
      return failure();
  }
  auto yield = dyn_cast<YieldOp>(step.getTerminator());
  if (!yield)
    return emitOpError("expected the step to end with qdelta.yield");
  if (yield.getStates().size() != states)
    return yield.emitOpError("yields ")
           << yield.getStates().size() << " states but the recurrence has "
           << states << " /*yield_c1*/";
  for (auto [value, state] : llvm::zip(yield.getStates(), getStates()))
    if (value.getType() != state.getType())
      return yield.emitOpError("expected state %")
             << getArgName(state.getArgNumber()) << " to be yielded as "
             << state.getType() << ", but got " << value.getType()
             << " /*yield_c1*/";
  if (yield.getOutputs().empty() && !(*this)->hasAttr(kSummaryOfAttr))
    return yield.emitOpError("expected at least one output /*yield_c2*/");

  // Vectors over keys and vectors over values never mix.
  auto dims = inferTokenDims(step);
  for (BlockArgument arg : step.getArguments())
    if (dims[arg] == TokenDim::Unknown)
      return emitOpError("cannot tell whether %")
             << getArgName(arg.getArgNumber())
             << " is a key or a value vector: no read, write or output uses it "
                "/*recurrence_c7*/";
  for (Operation &op : step.without_terminator())
    if (failed(verifyOperands(op, dims)))
      return failure();
  for (auto [index, output] : llvm::enumerate(yield.getOutputs()))
    if (dims[output] != TokenDim::Value && !readsSquare(output))
      return yield.emitOpError("expected output ")
             << index << " to be a value vector [V], but it is a key vector "
             << "/*yield_c3*/";
  return verifyLevels(*this);
}

//===----------------------------------------------------------------------===//
// Ops of the step
//===----------------------------------------------------------------------===//

/// Whether two static sizes differ; `?` agrees with anything.
static bool differ(int64_t a, int64_t b) {
  return !ShapedType::isDynamic(a) && !ShapedType::isDynamic(b) && a != b;
}

/// Checks that `vector` has the size of dimension `dim` of `state`.
static LogicalResult verifyAgainstState(Operation *op, Value state,
                                        Value vector, unsigned dim,
                                        StringRef what, StringRef label) {
  auto stateType = cast<RankedTensorType>(state.getType());
  if (stateType.getRank() != 2)
    return op->emitOpError("expected the state to be tensor<K x V>, but got ")
           << stateType;
  auto type = dyn_cast<RankedTensorType>(vector.getType());
  if (!type || !differ(type.getDimSize(0), stateType.getDimSize(dim)))
    return success();
  return op->emitOpError("expected ")
         << what << " to have the state's " << (dim == 0 ? "key" : "value")
         << " dimension " << stateType.getDimSize(dim) << ", but got "
         << type.getDimSize(0) << " /*" << label << "*/";
}

/// Whether `factor` is a scalar or may have as many entries as `vector`, which
/// may be a scalar itself.
static bool scales(Value factor, Value vector) {
  auto type = dyn_cast<RankedTensorType>(factor.getType());
  auto whole = dyn_cast<RankedTensorType>(vector.getType());
  return !type || (whole && !differ(type.getDimSize(0), whole.getDimSize(0)));
}

LogicalResult DecayOp::verify() {
  auto state = dyn_cast<RankedTensorType>(getState().getType());
  if (state && state.getRank() > 1)
    return verifyAgainstState(*this, getState(), getG(), 0, "g", "decay_c1");
  if (scales(getG(), getState()))
    return success();
  return emitOpError("expected g to be a scalar or to have the entries of ")
         << getState().getType() << ", but got " << getG().getType()
         << " /*decay_c1*/";
}

LogicalResult DecayValuesOp::verify() {
  return verifyAgainstState(*this, getState(), getG(), 1, "g",
                            "decay_values_c1");
}

LogicalResult MaxPlusOp::verify() {
  if (scales(getDecay(), getState()))
    return success();
  return emitOpError("expected decay to be a scalar or to have the entries "
                     "of ")
         << getState().getType() << ", but got " << getDecay().getType()
         << " /*max_plus_c1*/";
}

LogicalResult AdvanceOp::verify() {
  AdvanceKind kind = getKind();
  if ((kind != AdvanceKind::Affine && !getWith()) ||
      (kind == AdvanceKind::MaxPlus && !getBy()) ||
      (kind == AdvanceKind::Set && getBy()))
    return emitOpError("expected max_plus to have `by` and `with`, and set to "
                       "have `with` alone /*advance_c1*/");
  if ((getBy() && !scales(getBy(), getState())) ||
      (getWith() && getWith().getType() != getState().getType()))
    return emitOpError("expected `by` to be a scalar or to have the state's "
                       "entries, and `with` to be ")
           << getState().getType() << " /*advance_c1*/";
  return success();
}

/// Whether `type` has the shape of `whole` less its last dimension.
static bool lacksLast(Type type, Value whole) {
  auto wholeType = cast<RankedTensorType>(whole.getType());
  auto part = dyn_cast<RankedTensorType>(type);
  ArrayRef<int64_t> found = part ? part.getShape() : ArrayRef<int64_t>();
  return wholeType.getRank() != 0 &&
         wholeType.getShape().drop_back() == found &&
         wholeType.getElementType() == getElementTypeOrSelf(type);
}

LogicalResult DotOp::verify() {
  if (lacksLast(getResult().getType(), getLhs()))
    return success();
  return emitOpError("expected a result with the shape of ")
         << getLhs().getType() << " less its last dimension, but got "
         << getResult().getType() << " /*dot_c1*/";
}

LogicalResult MeanOp::verify() {
  if (lacksLast(getResult().getType(), getVector()))
    return success();
  return emitOpError("expected a result with the shape of ")
         << getVector().getType() << " less its last dimension, but got "
         << getResult().getType() << " /*mean_c1*/";
}

LogicalResult SplatOp::verify() {
  if (lacksLast(getValue().getType(), getLike()))
    return success();
  return emitOpError("expected a value with the shape of ")
         << getLike().getType() << " less its last dimension, but got "
         << getValue().getType() << " /*splat_c1*/";
}

LogicalResult RotateOp::verify() {
  auto type = cast<RankedTensorType>(getVector().getType());
  auto half = cast<RankedTensorType>(getCos().getType());
  bool fits = type.getRank() > 0 && half.getRank() == type.getRank() &&
              type.getShape().drop_back() == half.getShape().drop_back();
  if (fits) {
    int64_t whole = type.getShape().back(), part = half.getShape().back();
    bool known = !ShapedType::isDynamic(whole);
    fits = !(known && whole % 2) && !(known && differ(whole / 2, part));
  }
  if (fits)
    return success();
  return emitOpError("expected an even number of channels and cos and sin of "
                     "half as many, but got ")
         << type << " and " << half << " /*rotate_c1*/";
}

LogicalResult ReadOp::verify() {
  return verifyAgainstState(*this, getState(), getAt(), 0, "at", "read_c1");
}

LogicalResult ReadValuesOp::verify() {
  return verifyAgainstState(*this, getState(), getAt(), 1, "at",
                            "read_values_c1");
}

/// The type of a vector over dimension `dim` of `state`.
static LogicalResult inferVector(std::optional<Location> location, Value state,
                                 unsigned dim, SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(state.getType());
  if (type.getRank() != 2)
    return emitOptionalError(
        location, "expected the state to be tensor<K x V>, but got ", type);
  types.push_back(
      RankedTensorType::get({type.getDimSize(dim)}, type.getElementType()));
  return success();
}

LogicalResult
ReadOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                         ValueRange operands, DictionaryAttr, OpaqueProperties,
                         RegionRange,
                         SmallVectorImpl<Type> &inferredReturnTypes) {
  return inferVector(location, operands[0], 1, inferredReturnTypes);
}

LogicalResult
ReadValuesOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                               ValueRange operands, DictionaryAttr,
                               OpaqueProperties, RegionRange,
                               SmallVectorImpl<Type> &inferredReturnTypes) {
  return inferVector(location, operands[0], 0, inferredReturnTypes);
}

LogicalResult WriteOp::verify() {
  if (failed(verifyAgainstState(*this, getState(), getKey(), 0, "key",
                                "write_c1")))
    return failure();
  return verifyAgainstState(*this, getState(), getValue(), 1, "value",
                            "write_c2");
}

LogicalResult MixOp::verify() {
  auto type = cast<RankedTensorType>(getState().getType());
  if (type.getRank() != 2)
    return emitOpError("expected two matrix states tensor<K x V>, but got ")
           << type << " /*mix_c1*/";
  if (getState() == getSource())
    return emitOpError("expected two states, but got one twice /*mix_c2*/");
  return success();
}

LogicalResult ScaleOp::verify() {
  auto vector = cast<RankedTensorType>(getVector().getType());
  auto by = dyn_cast<RankedTensorType>(getBy().getType());
  ArrayRef<int64_t> found = by ? by.getShape() : ArrayRef<int64_t>();
  if (vector.getRank() == 0 || vector.getShape().drop_back() != found)
    return emitOpError("expected a factor with the shape of ")
           << vector << " less its last dimension, but got "
           << getBy().getType() << " /*scale_c1*/";
  return success();
}

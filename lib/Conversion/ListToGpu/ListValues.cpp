//===- ListValues.cpp - the values of a list's token ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ListValues.h"
#include "Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

ListValues::ListValues(Emitter &e, AffineScanOp op, const Layout &layout,
                       const Place &place)
    : e(e), op(op), layout(layout), place(place),
      dims(inferTokenDims(op.getBody().front())) {}

ArrayRef<Piece> ListValues::piecesOf(Value value) const {
  if (dimOf(value) == TokenDim::Key)
    return place.keys;
  return dimOf(value) == TokenDim::Value ? place.columns : ArrayRef<Piece>();
}

size_t ListValues::sizeOf(Value value) const {
  size_t size = 0;
  for (const Piece &piece : piecesOf(value))
    size += static_cast<size_t>(piece.length);
  return std::max<size_t>(size, 1);
}

//===-- Token-local arithmetic --------------------------------------------===//

LogicalResult ListValues::make(Operation &op) {
  Value result = op.getResult(0);
  if (isa<RankedTensorType>(result.getType()) && piecesOf(result).empty())
    return op.emitOpError("makes a vector that no entry of the list uses");
  size_t size = sizeOf(result);
  DenseElementsAttr splat;
  FloatAttr scalar;
  if (matchPattern(&op, m_Constant(&splat)) && splat.isSplat() &&
      isa<FloatType>(splat.getElementType())) {
    double value = splat.getSplatValue<APFloat>().convertToDouble();
    set(result, Fragment(size, e.f32(value)));
    return success();
  }
  if (matchPattern(&op, m_Constant(&scalar))) {
    set(result, Fragment(size, e.f32(scalar.getValueAsDouble())));
    return success();
  }
  if (op.getNumOperands() == 0 || op.getNumResults() != 1)
    return op.emitOpError("is not lowered for GPUs yet in the step of a token");
  Fragment made;
  for (size_t i = 0; i < size; ++i) {
    SmallVector<Num> operands;
    for (Value operand : op.getOperands()) {
      const Fragment &parts = values[operand];
      operands.push_back(parts[parts.size() == 1 ? 0 : i]);
    }
    FailureOr<Num> element = makeElement(e, op, operands);
    if (failed(element))
      return failure();
    made.push_back(*element);
  }
  set(result, made);
  return success();
}

static bool isEntry(Operation &op) {
  return isa<AffineDecayOp, AffineDecayValuesOp, AffineReadOp, AffineWriteOp,
             AffineMixOp, AffineOutputOp, AffineEndOp>(op);
}

LogicalResult ListValues::makeKnown() {
  auto isKnown = [&](Value value) { return values.contains(value); };
  for (Operation &entry : op.getBody().front()) {
    if (!llvm::all_of(entry.getOperands(), isKnown))
      continue;
    e.b.setLoc(entry.getLoc());
    if (auto decay = dyn_cast<AffineDecayOp>(entry))
      factorOf(decay.getG());
    else if (auto decay = dyn_cast<AffineDecayValuesOp>(entry))
      factorOf(decay.getG());
    else if (!isEntry(entry) && failed(make(entry)))
      return failure();
  }
  return success();
}

//===-- Entries -----------------------------------------------------------===//

LogicalResult ListValues::run(MutableArrayRef<Fragment> states, Output output) {
  for (Operation &entry : op.getBody().front()) {
    e.b.setLoc(entry.getLoc());
    if (auto decay = dyn_cast<AffineDecayOp>(entry))
      this->decay(decay, states[decay.getState()]);
    else if (auto decay = dyn_cast<AffineDecayValuesOp>(entry))
      decayValues(decay, states[decay.getState()]);
    else if (auto read = dyn_cast<AffineReadOp>(entry))
      this->read(read, states[read.getState()]);
    else if (auto write = dyn_cast<AffineWriteOp>(entry))
      this->write(write, states[write.getState()]);
    else if (auto mix = dyn_cast<AffineMixOp>(entry))
      this->mix(mix, states[mix.getState()], states[mix.getSource()]);
    else if (auto of = dyn_cast<AffineOutputOp>(entry))
      output(combine(of.getCoefficients(), of.getTerms(), layout.lanes));
    else if (!isEntry(entry) && !values.contains(entry.getResult(0)) &&
             failed(make(entry)))
      return failure();
  }
  return success();
}

/// What was loaded has zeros already.
static bool isLoaded(Value value) { return isa<BlockArgument>(value); }

Fragment ListValues::channelsOf(Fragment fragment) {
  Num *next = fragment.begin();
  for (const Piece &piece : place.keys)
    for (int64_t i = 0; i < piece.length; ++i, ++next)
      if (piece.present)
        *next = e.select(piece.present, *next, e.f32(0));
  return fragment;
}

Fragment ListValues::combine(ValueRange coefficients, ValueRange terms,
                             int64_t size) {
  Fragment sum;
  for (auto [coefficient, term] : llvm::zip(coefficients, terms)) {
    const Fragment &parts = values[term];
    bool isOne = matchPattern(coefficient, m_OneFloat());
    Num factor = isOne ? Num() : values[coefficient][0];
    bool isFirst = sum.empty();
    for (int64_t i = 0; i < size; ++i) {
      if (isFirst)
        sum.push_back(isOne ? parts[i] : factor * parts[i]);
      else
        sum[i] = isOne ? sum[i] + parts[i] : e.fma(factor, parts[i], sum[i]);
    }
  }
  return sum.empty() ? Fragment(static_cast<size_t>(size), e.f32(0)) : sum;
}

const Fragment &ListValues::factorOf(Value log) {
  Fragment &factor = factors[log];
  if (!factor.empty())
    return factor;
  Fragment logs = values[log];
  if (dimOf(log) == TokenDim::Key && !isLoaded(log))
    logs = channelsOf(logs);
  for (Num log : logs)
    factor.push_back(exponential(log));
  return factor;
}

void ListValues::decay(AffineDecayOp op, Fragment &state) {
  const Fragment &factor = factorOf(op.getG());
  for (int64_t r = 0; r < layout.rows; ++r)
    for (int64_t c = 0; c < layout.lanes; ++c) {
      Num &element = state[r * layout.lanes + c];
      element = element * factor[factor.size() == 1 ? 0 : r];
    }
}

void ListValues::decayValues(AffineDecayValuesOp op, Fragment &state) {
  const Fragment &factor = factorOf(op.getG());
  for (int64_t r = 0; r < layout.rows; ++r)
    for (int64_t c = 0; c < layout.lanes; ++c) {
      Num &element = state[r * layout.lanes + c];
      element = element * factor[c];
    }
}

/// Each thread's share of the sum over channels, then the sum of the shares.
void ListValues::read(AffineReadOp op, ArrayRef<Num> state) {
  Fragment key = combine(op.getCoefficients(), op.getBases(), layout.rows);
  if (!llvm::all_of(op.getBases(), isLoaded))
    key = channelsOf(key);
  Fragment sums;
  for (int64_t c = 0; c < layout.lanes; ++c)
    sums.push_back(key[0] * state[c]);
  for (int64_t r = 1; r < layout.rows; ++r)
    for (int64_t c = 0; c < layout.lanes; ++c)
      sums[c] = e.fma(key[r], state[r * layout.lanes + c], sums[c]);
  for (int64_t apart : place.partners)
    for (Num &sum : sums)
      sum = sum + e.intrinsic("llvm.nvvm.shfl.sync.bfly.f32",
                              {e.i32(-1), sum, e.i32(apart), e.i32(31)},
                              e.f32Type())[0];
  set(op.getResult(), sums);
}

void ListValues::write(AffineWriteOp op, Fragment &state) {
  Fragment key = values[op.getKey()];
  if (!isLoaded(op.getKey()))
    key = channelsOf(key);
  Fragment value = combine(op.getCoefficients(), op.getTerms(), layout.lanes);
  for (int64_t r = 0; r < layout.rows; ++r)
    for (int64_t c = 0; c < layout.lanes; ++c) {
      Num &element = state[r * layout.lanes + c];
      element = e.fma(key[r], value[c], element);
    }
}

void ListValues::mix(AffineMixOp op, Fragment &state, ArrayRef<Num> source) {
  Num by = values[op.getBy()][0];
  for (auto [element, other] : llvm::zip_equal(state, source))
    element = e.fma(by, other, element);
}

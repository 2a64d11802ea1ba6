//===- SpanStages.cpp - prescans before and after a list, span by span ----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "SpanStages.h"
#include "TokenSlices.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qdelta;

static Value index(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// How many of a window's rows hold tokens.
static Value rowsFrom(OpBuilder &b, Location loc, Value first, Value length,
                      int64_t rows) {
  Value left = arith::SubIOp::create(b, loc, length, first);
  return arith::MinUIOp::create(b, loc, left, index(b, loc, rows));
}

Value SpanStages::open(OpBuilder &b, Value window) const {
  Location loc = window.getLoc();
  return takeTokens(b, loc, window, b.getIndexAttr(0),
                    rowsFrom(b, loc, first, length, windowTokens()));
}

Value SpanStages::close(OpBuilder &b, Value part, Value window) const {
  Location loc = window.getLoc();
  return putTokens(b, loc, part, window, b.getIndexAttr(0),
                   rowsFrom(b, loc, first, length, windowTokens()));
}

SmallVector<Value> SpanStages::carried() const {
  SmallVector<Value> values;
  for (auto [result, window] : windows)
    if (result.getDefiningOp() != list)
      values.push_back(window);
  for (const auto *stages : {&before, &after})
    for (const SpanStage &stage : *stages)
      for (Value value : stage.carried)
        if (value)
          values.push_back(value);
  return values;
}

void SpanStages::give(ValueRange values) {
  for (auto &[result, window] : windows)
    if (result.getDefiningOp() != list) {
      window = values.front();
      values = values.drop_front();
    }
  for (auto *stages : {&before, &after})
    for (SpanStage &stage : *stages)
      for (Value &value : stage.carried)
        if (value) {
          value = values.front();
          values = values.drop_front();
        }
}

/// One prescan over the tokens `from` to `to`.
LogicalResult SpanStages::run(OpBuilder &b, SpanStage &stage, Value from,
                              Value to) {
  PrescanOp op = stage.item.op;
  PrescanRange range;
  range.begin = from, range.end = to;
  SmallVector<Value> carried(stage.carried);
  size_t states = op.getInits().size();
  for (OpOperand &operand : op->getOpOperands().slice(
           op.getTokens().getBeginOperandIndex(), op.getTokens().size())) {
    Value source = operand.get();
    bool is = isWindow(source);
    range.tokenBases.push_back(is ? first : Value());
  }
  for (auto [i, output] : llvm::enumerate(op.getOutputs())) {
    range.outputBases.push_back(isWindow(output) ? first : Value());
    if (isWindow(output))
      carried[states + i] = rows.lookup(output);
  }
  // The op's own operands stay what they are: they say which window it is.
  SmallVector<Value> operands(op->getOperands());
  for (OpOperand &operand : op->getOpOperands())
    if (isWindow(operand.get()))
      operand.set(rows.lookup(operand.get()));
  LogicalResult made = createPrescan(b, stage.item, range, carried);
  op->setOperands(operands);
  for (auto [i, output] : llvm::enumerate(op.getOutputs()))
    if (isWindow(output)) {
      rows[output] = carried[states + i];
      carried[states + i] = Value();
    }
  stage.carried = carried;
  return made;
}

LogicalResult SpanStages::begin(OpBuilder &b, Value from, ValueRange values) {
  Location loc = list.getLoc();
  first = from;
  give(values);
  rows.clear();
  for (auto [result, window] : windows)
    if (result.getDefiningOp() != list)
      rows[result] = open(b, window);
  // The first span's stages also make what the list looks ahead at.
  Value start = first;
  if (ahead) {
    Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                          first, index(b, loc, 0));
    Value later = arith::AddIOp::create(b, loc, first, index(b, loc, ahead));
    start = arith::SelectOp::create(b, loc, isFirst, first, later);
    start = arith::MinUIOp::create(b, loc, start, length);
  }
  Value stop = arith::MinUIOp::create(
      b, loc,
      arith::AddIOp::create(b, loc, first, index(b, loc, windowTokens())),
      length);
  for (SpanStage &stage : before)
    if (failed(run(b, stage, start, stop)))
      return failure();
  for (auto &[result, window] : windows)
    if (isEarly(result.getDefiningOp())) {
      window = fillRest(b, close(b, rows.lookup(result), window));
      rows[result] = open(b, window);
    }
  for (OpOperand &operand : list->getOpOperands())
    if (auto window = windows.find(operand.get()); window != windows.end())
      operand.set(window->second);
  return success();
}

bool SpanStages::isEarly(Operation *op) const {
  return llvm::any_of(before, [&](const SpanStage &stage) {
    PrescanOp early = stage.item.op;
    return early.getOperation() == op;
  });
}

/// A window with its last token's row in the rows behind it. The list takes all
/// rows; what it makes of those that hold no token is multiplied by 0, which
/// what was left there need not survive.
Value SpanStages::fillRest(OpBuilder &b, Value window) const {
  Location loc = window.getLoc();
  RankedTensorType type = typeOf(window);
  Value count = rowsFrom(b, loc, first, length, windowTokens());
  Value last = arith::SubIOp::create(b, loc, count, index(b, loc, 1));
  auto row = RankedTensorType::get({1}, type.getElementType());
  if (type.getRank() == 4)
    row = row.clone({1, type.getDimSize(3)});
  auto loop = scf::ForOp::create(
      b, loc, count, index(b, loc, windowTokens()), index(b, loc, 1), window,
      [&](OpBuilder &b, Location loc, Value to, ValueRange args) {
        SmallVector<OpFoldResult> from(type.getRank(), b.getIndexAttr(0)),
            sizes(type.getRank(), b.getIndexAttr(1)), ones(sizes);
        if (type.getRank() == 4)
          sizes.back() = b.getIndexAttr(type.getDimSize(3));
        SmallVector<OpFoldResult> at(from);
        from[1] = last, at[1] = to;
        Value value = tensor::ExtractSliceOp::create(b, loc, row, args[0], from,
                                                     sizes, ones);
        scf::YieldOp::create(b, loc,
                             tensor::InsertSliceOp::create(
                                 b, loc, value, args[0], at, sizes, ones)
                                 .getResult());
      });
  return loop.getResult(0);
}

/// A window with the rows that the list has looked ahead at in front.
Value SpanStages::keepAhead(OpBuilder &b, Value window) const {
  Location loc = window.getLoc();
  RankedTensorType type = typeOf(window);
  Value zero = index(b, loc, 0);
  if (type.getRank() == 3)
    return putTokens(
        b, loc,
        takeTokens(b, loc, window, b.getIndexAttr(span), b.getIndexAttr(ahead)),
        window, b.getIndexAttr(0), b.getIndexAttr(ahead));
  auto tile =
      RankedTensorType::get({ahead, type.getDimSize(3)}, type.getElementType());
  Value looked =
      LoadTileOp::create(b, loc, tile, window,
                         ValueRange{zero, index(b, loc, span), zero}, Value());
  return StoreTileOp::create(b, loc, looked, window,
                             ValueRange{zero, zero, zero}, zero);
}

FailureOr<SmallVector<Value>> SpanStages::end(OpBuilder &b,
                                              ArrayRef<Value> outputs) {
  Location loc = list.getLoc();
  for (auto [output, part] : llvm::zip(list.getOutputs(), outputs))
    if (isWindow(output))
      rows[output] = part;
  Value stop = arith::MinUIOp::create(
      b, loc, arith::AddIOp::create(b, loc, first, index(b, loc, span)),
      length);
  for (SpanStage &stage : after)
    if (failed(run(b, stage, first, stop)))
      return failure();
  for (auto &[result, window] : windows) {
    bool isBefore = isEarly(result.getDefiningOp());
    if (!isBefore && result.getDefiningOp() != list)
      window = close(b, rows.lookup(result), window);
    if (isBefore && ahead)
      window = keepAhead(b, window);
  }
  return carried();
}

void SpanStages::finish(OpBuilder &b, ValueRange values) {
  give(values);
  for (auto *stages : {&before, &after})
    for (SpanStage &stage : *stages)
      storePrescanStates(
          b, stage.item,
          ArrayRef(stage.carried).take_front(stage.finals.size()),
          stage.finals);
}

SmallVector<SpanStages::Stream> SpanStages::streams() const {
  SmallVector<Stream> found;
  AffineScanOp list = this->list;
  auto add = [&](Stream stream) {
    auto isSame = [&](const Stream &other) {
      return other.sequence == stream.sequence;
    };
    if (typeOf(stream.sequence).getRank() == 4 && llvm::none_of(found, isSame))
      found.push_back(stream);
  };
  for (const auto *stages : {&before, &after})
    for (const SpanStage &stage : *stages) {
      PrescanOp op = stage.item.op;
      for (auto [i, token] : llvm::enumerate(op.getTokens()))
        if (!isWindow(token) && !llvm::is_contained(list.getTokens(), token))
          add({token, stage.item.batches[i], stage.item.heads[i], false});
      for (Value value :
           ArrayRef(stage.carried).drop_front(op.getInits().size()))
        if (value)
          add({value, Value(), Value(), true});
    }
  return found;
}

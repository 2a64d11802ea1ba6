//===- ChunkDecays.cpp - the decays of a chunk ----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ChunkDecays.h"
#include "LinalgTiles.h"
#include "Renewal.h"

#include "qdelta/Dialect/QDelta/IR/LogBounds.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

ChunkDecays::ChunkDecays(OpBuilder &b, Location loc, FloatType element,
                         const ChunkList::State &state, Value valid,
                         RunningDecay running)
    : b(b), loc(loc), element(element), state(state), valid(valid),
      running(running) {
  scalarTile = RankedTensorType::get(
      cast<RankedTensorType>(valid.getType()).getShape(), element);
}

LogicalResult ChunkDecays::load(TokenTiles &tiles) {
  for (Value log : state.logs) {
    logs.push_back(tiles.getWhere(b, log, valid));
    if (!logs.back())
      return failure();
  }
  for (Value log : state.channelLogs) {
    Value tile = tiles.get(b, log);
    if (!tile)
      return failure();
    auto masked = MaskRowsOp::create(b, loc, tile, valid);
    if (auto bound = state.logBounds.find(log); bound != state.logBounds.end())
      setLogLowerBound(masked, bound->second);
    channelLogs.push_back(masked);
  }
  return success();
}

Value ChunkDecays::constant(double value) {
  return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(value));
}

/// An f64 number or tile in the list's element type.
Value ChunkDecays::rounded(Value value) {
  return convert(b, loc, value, element);
}

void ChunkDecays::createTotals() {
  if (logs.empty())
    decay = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 1.0));
  else
    createCommonTotal();
  if (!channelLogs.empty())
    createChannelTotal();
}

void ChunkDecays::createCommonTotal() {
  Value total = ChunkDecayOp::create(b, loc, b.getF64Type(), logs,
                                     IntegerAttr(), IntegerAttr(), UnitAttr());
  if (running.common) {
    NumberRenewal renewal = createNumberRenewal(
        b, loc, arith::MulFOp::create(b, loc, running.common, total));
    total = renewal.factor;
    next.common = renewal.next;
    inverse.common =
        rounded(arith::DivFOp::create(b, loc, constant(1.0), next.common));
  }
  decay = rounded(total);
}

void ChunkDecays::createChannelTotal() {
  auto logType = cast<RankedTensorType>(channelLogs[0].getType());
  auto type = RankedTensorType::get({1, logType.getDimSize(1)}, b.getF64Type());
  Value total = ChunkDecayOp::create(b, loc, type, channelLogs, IntegerAttr(),
                                     IntegerAttr(), UnitAttr());
  if (!running.channels) {
    channelDecay = rounded(total);
    return;
  }
  Renewal renewal = createRenewal(b, loc, element, running.channels, total);
  channelDecay = renewal.factors;
  channelsDecay = renewal.when;
  next.channels = renewal.next;
  inverse.channels = renewal.inverse;
}

Value ChunkDecays::to(int64_t place) {
  Value &factor = toPlace[place];
  if (factor || logs.empty())
    return factor;
  factor = ChunkDecayOp::create(b, loc, scalarTile, logs, IntegerAttr(),
                                b.getI64IntegerAttr(place), UnitAttr());
  if (running.common)
    factor = ScaleOp::create(b, loc, factor, rounded(running.common));
  return factor;
}

Value ChunkDecays::channelsTo(int64_t channelPlace) {
  Value &factor = channelsToPlace[channelPlace];
  if (factor || channelLogs.empty())
    return factor;
  factor = ChunkDecayOp::create(b, loc, channelLogs[0].getType(), channelLogs,
                                IntegerAttr(),
                                b.getI64IntegerAttr(channelPlace), UnitAttr());
  if (running.channels)
    factor = ScaleChannelsOp::create(b, loc, factor, rounded(running.channels));
  return factor;
}

Value ChunkDecays::within(int64_t from, int64_t to) {
  Value sum;
  for (Value log : ArrayRef(logs).slice(from, to - from))
    sum = sum ? arith::AddFOp::create(b, loc, sum, log).getResult() : log;
  return sum ? math::ExpOp::create(b, loc, sum).getResult() : Value();
}

Value ChunkDecays::updateFactor(int64_t place) {
  Value factor;
  if (logs.empty())
    factor = onesOf(b, loc, scalarTile);
  else
    factor = ChunkDecayOp::create(b, loc, scalarTile, logs,
                                  b.getI64IntegerAttr(place), IntegerAttr(),
                                  UnitAttr());
  if (inverse.common)
    factor = ScaleOp::create(b, loc, factor, inverse.common);
  auto zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(scalarTile));
  return arith::SelectOp::create(b, loc, valid, factor, zeros);
}

Value ChunkDecays::channelsToEnd(int64_t channelPlace) {
  if (channelLogs.empty())
    return {};
  Value factor = ChunkDecayOp::create(
      b, loc, channelLogs[0].getType(), channelLogs,
      b.getI64IntegerAttr(channelPlace), IntegerAttr(), UnitAttr());
  if (inverse.channels)
    factor = ScaleChannelsOp::create(b, loc, factor, inverse.channels);
  return factor;
}

Value ChunkDecays::gram(Value reads, Value writes, const ListEntry &write,
                        const ListEntry &read) {
  int64_t chunk = scalarTile.getDimSize(0);
  auto type = RankedTensorType::get({chunk, chunk}, element);
  if (channelLogs.empty())
    return ChunkGramOp::create(b, loc, type, reads, writes);
  bool inclusive = write.position < read.position;
  return ChunkGramOp::create(b, loc, type, reads, writes, channelLogs,
                             b.getI64IntegerAttr(write.channelPlace),
                             b.getI64IntegerAttr(read.channelPlace),
                             inclusive ? b.getUnitAttr() : UnitAttr());
}

Value ChunkDecays::between(const ListEntry &write, const ListEntry &read) {
  if (logs.empty() && !channelLogs.empty())
    return {};
  int64_t chunk = scalarTile.getDimSize(0);
  bool inclusive = write.position < read.position;
  return ChunkDecayOp::create(
      b, loc, RankedTensorType::get({chunk, chunk}, element), logs,
      b.getI64IntegerAttr(write.place), b.getI64IntegerAttr(read.place),
      inclusive ? b.getUnitAttr() : UnitAttr());
}

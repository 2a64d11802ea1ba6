//===- ValueDecays.cpp - decays per value channel in a chunk --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ValueDecays.h"
#include "LinalgTiles.h"

using namespace mlir;
using namespace qdelta;

LogicalResult ValueDecays::load(TokenTiles &tiles, Value valid) {
  for (const ChunkList::State &state : list.states) {
    SmallVector<Value> &own = logs.emplace_back();
    for (Value log : state.valueLogs) {
      Value tile = tiles.get(b, log);
      if (!tile)
        return failure();
      own.push_back(MaskRowsOp::create(b, loc, tile, valid));
    }
  }
  if (!running)
    return success();
  auto type = cast<RankedTensorType>(running.getType());
  Value whole = ChunkDecayOp::create(b, loc, type, logs[0], IntegerAttr(),
                                     IntegerAttr(), UnitAttr());
  renewal = createRenewal(b, loc, list.element, running, whole);
  return success();
}

Value ValueDecays::factor(unsigned state, std::optional<int64_t> from,
                          std::optional<int64_t> to) {
  if (logs[state].empty())
    return {};
  auto attr = [&](std::optional<int64_t> place) {
    return place ? b.getI64IntegerAttr(*place) : IntegerAttr();
  };
  auto type = cast<RankedTensorType>(logs[state][0].getType());
  if (!from && !to)
    type = type.clone({1, type.getDimSize(1)});
  return ChunkDecayOp::create(b, loc, type, logs[state], attr(from), attr(to),
                              UnitAttr());
}

Value ValueDecays::to(unsigned state, int64_t valuePlace) {
  Value decay = factor(state, std::nullopt, valuePlace);
  if (!decay || !running)
    return decay;
  return ScaleChannelsOp::create(b, loc, decay,
                                 convert(b, loc, running, list.element));
}

Value ValueDecays::toEnd(unsigned state, int64_t valuePlace) {
  Value decay = factor(state, valuePlace, std::nullopt);
  if (!decay || !running)
    return decay;
  return ScaleChannelsOp::create(b, loc, decay, renewal.inverse);
}

Value ValueDecays::total(unsigned state) {
  return running ? renewal.factors : factor(state, std::nullopt, std::nullopt);
}

Value ValueDecays::apply(Value matrix, Value written, Value sum,
                         const ListEntry &write, int64_t valuePlace,
                         bool inclusive) {
  if (logs[write.state].empty())
    return ChunkApplyOp::create(b, loc, matrix, written, sum, inclusive);
  return ChunkApplyOp::create(b, loc, matrix, written, sum, logs[write.state],
                              b.getI64IntegerAttr(write.valuePlace),
                              b.getI64IntegerAttr(valuePlace),
                              inclusive ? b.getUnitAttr() : UnitAttr());
}

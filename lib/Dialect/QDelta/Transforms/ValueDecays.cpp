//===- ValueDecays.cpp - decays per value channel in a chunk --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ValueDecays.h"

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
  return factor(state, std::nullopt, valuePlace);
}

Value ValueDecays::toEnd(unsigned state, int64_t valuePlace) {
  return factor(state, valuePlace, std::nullopt);
}

Value ValueDecays::total(unsigned state) {
  return factor(state, std::nullopt, std::nullopt);
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

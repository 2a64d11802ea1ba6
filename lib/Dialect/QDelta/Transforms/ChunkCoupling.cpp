//===- ChunkCoupling.cpp - what states of a chunk become of others --------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ChunkCoupling.h"
#include "LinalgTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qdelta;

ChunkCoupling::ChunkCoupling(OpBuilder &b, Location loc, const ChunkList &list,
                             Value valid, RunningDecay running)
    : b(b), loc(loc), list(list), valid(valid), running(running) {
  scalarTile = RankedTensorType::get(
      cast<RankedTensorType>(valid.getType()).getShape(), list.element);
  for (const ChunkList::State &state : list.states)
    decays.emplace_back(b, loc, list.element, state, valid, running);
}

LogicalResult ChunkCoupling::load(TokenTiles &tiles) {
  for (ChunkDecays &own : decays)
    if (failed(own.load(tiles)))
      return failure();
  bool hasMixes = llvm::any_of(list.steps, [](const CouplingStep &step) {
    return step.target != step.source;
  });
  if (!hasMixes)
    return success();
  for (const CouplingStep &step : list.steps) {
    // Tokens that do not exist change nothing.
    steps.push_back(tiles.getWhere(b, step.by, valid));
    if (!steps.back())
      return failure();
    targets.push_back(step.target);
    sources.push_back(step.source);
  }
  return success();
}

void ChunkCoupling::createTotals() {
  for (ChunkDecays &own : decays)
    own.createTotals();
}

Value ChunkCoupling::transfer(unsigned source, unsigned target, Type type,
                              std::optional<int64_t> from,
                              std::optional<int64_t> to, bool inclusive) {
  auto attr = [&](std::optional<int64_t> place) {
    return place ? b.getI64IntegerAttr(*place) : IntegerAttr();
  };
  return ChunkTransferOp::create(
      b, loc, type, b.getI64IntegerAttr(source), b.getI64IntegerAttr(target),
      steps, b.getDenseI64ArrayAttr(targets), b.getDenseI64ArrayAttr(sources),
      attr(from), attr(to), inclusive ? b.getUnitAttr() : UnitAttr());
}

Value ChunkCoupling::fromStart(const ListEntry &read, unsigned source) {
  if (isPlain(source, read.state))
    return decays[source].to(read.place);
  return transfer(source, read.state, scalarTile, std::nullopt, read.step);
}

Value ChunkCoupling::to(const ListEntry &read, unsigned source) {
  Value factor = fromStart(read, source);
  Value own = running.states.empty() ? Value() : running.states[source];
  if (!own)
    return factor;
  own = convert(b, loc, own, list.element);
  if (!factor)
    factor = onesOf(b, loc, scalarTile);
  return ScaleOp::create(b, loc, factor, own);
}

Value ChunkCoupling::updateFactor(const ListEntry &write, unsigned target) {
  if (isPlain(write.state, target))
    return decays[target].updateFactor(write.place);
  Value factor =
      transfer(write.state, target, scalarTile, write.step, std::nullopt);
  auto zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(scalarTile));
  return arith::SelectOp::create(b, loc, valid, factor, zeros);
}

Value ChunkCoupling::between(const ListEntry &write, const ListEntry &read) {
  if (isPlain(write.state, read.state))
    return decays[read.state].between(write, read);
  auto type = RankedTensorType::get({list.chunk, list.chunk}, list.element);
  return transfer(write.state, read.state, type, write.step, read.step,
                  write.position < read.position);
}

Value ChunkCoupling::total(unsigned source, unsigned target) {
  if (isPlain(source, target))
    return decays[target].decay;
  return transfer(source, target, list.element, std::nullopt, std::nullopt);
}

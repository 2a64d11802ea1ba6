//===- ChannelGrams.cpp - Gram matrices that decay per channel ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ChannelGrams.h"

#include "CentredDecays.h"
#include "ChannelDecays.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

ChannelGrams::ChannelGrams(Kernel &kernel, Num index, Num slot)
    : kernel(kernel), e(kernel.e), plan(kernel.plan),
      channels(kernel.plan.channels), x(kernel.lane(/*gramRole=*/true)),
      index(index), slot(slot) {}

std::unique_ptr<ChannelGrams> ChannelGrams::get(Kernel &kernel, Num index,
                                                Num slot) {
  if (kernel.plan.isCentred)
    return std::make_unique<CentredDecays>(kernel, index, slot);
  return std::make_unique<ChannelDecays>(kernel, index, slot);
}

SmallVector<ChannelGrams::Pass> ChannelGrams::passes(size_t count) const {
  SmallVector<Pass> all(1);
  auto addOperand = [&](unsigned operand) {
    if (!llvm::is_contained(all.back().operands, operand))
      all.back().operands.push_back(operand);
  };
  for (const DecayedGram &gram : channels.grams) {
    if (all.back().grams.size() == count)
      all.emplace_back();
    all.back().grams.push_back(gram);
    addOperand(gram.read);
    addOperand(gram.write);
  }
  for (unsigned operand = 0; operand < channels.operands.size(); ++operand)
    if (llvm::none_of(all, [&](const Pass &pass) {
          return llvm::is_contained(pass.operands, operand);
        }))
      addOperand(operand);
  return all;
}

Num ChannelGrams::roundOperand(Num value) {
  return isRaised() ? e.bitcast(value, e.i32Type()) : e.roundTf32(value);
}

void ChannelGrams::storeTiles(unsigned operand, const Fragment &values,
                              Num piece) {
  for (auto [tile, number] : channels.tiles) {
    const auto *place = plan.handedOver.find(tile);
    // Nothing reads some.
    if (number != operand || place == plan.handedOver.end())
      continue;
    for (int64_t half = 0; half < 2; ++half)
      storePair(slot + place->second, rowOf(x.warp, half), piece,
                values[2 * half], values[2 * half + 1]);
  }
}

void ChannelGrams::storeTotal(Num first, Num second, Num piece) {
  auto place = plan.handedOver.find(channels.total);
  if (place == plan.handedOver.end())
    return; // Nothing reads it.
  Num to = slot + place->second + piece * 32 + x.quad * 8;
  e.when(e.both(equals(x.group, 0), equals(x.warp, 0)),
         [&] { e.storeSharedPair(to, first, second); });
}

//===-- Shared memory -----------------------------------------------------===//

Fragment ChannelGrams::ofBothBlocks(ArrayRef<Num> own,
                                    ArrayRef<Num> below) const {
  Fragment whole;
  for (size_t i = 0; i < own.size() && plan.gramWarps > 1; ++i)
    whole.push_back(e.select(equals(x.warp, 0), own[i], below[i]));
  whole.append(own.begin(), own.end());
  return whole;
}

Fragment ChannelGrams::loadRows(const Tile &tile, Num warp, Num piece) {
  Fragment all;
  for (int64_t half = 0; half < 2; ++half)
    all.append(loadPair(tile, rowOf(warp, half), piece));
  return all;
}

Fragment ChannelGrams::loadPair(const Tile &tile, Num row, Num piece) {
  Num start = kernel.tile(tile, index);
  if (tile.elementBytes == 4)
    return e.loadSharedMany(
        kernel.elementAddress(start, plan.chunk, row, piece * 8 + x.quad * 2),
        2);
  LoadTileOp load = tile.load;
  Type element = getElementTypeOrSelf(load.getSource().getType());
  Format format = element.isBF16() ? Format::BF16 : Format::F16;
  Num address = kernel.tileAddress(start, plan.chunk, row, piece) + x.quad * 4;
  Num packed = e.load(e.sharedPointer(address), e.i32Type());
  return {e.unpackLow(format, packed), e.unpackHigh(format, packed)};
}

void ChannelGrams::storePair(Num start, Num row, Num piece, Num first,
                             Num second) {
  if (plan.format == Format::TF32)
    return e.storeSharedPair(
        kernel.elementAddress(start, plan.chunk, row, piece * 8 + x.quad * 2),
        first, second);
  Num address = kernel.tileAddress(start, plan.chunk, row, piece) + x.quad * 4;
  e.store(e.pack(plan.format, first, second), e.sharedPointer(address));
}

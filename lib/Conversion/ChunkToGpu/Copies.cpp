//===- Copies.cpp - a chunk's tiles into shared memory --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Copies.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

/// The widest copy that whole rows of `size` bytes consist of.
static int64_t unitOf(int64_t size) {
  for (int64_t unit : {16, 8, 4})
    if (size % unit == 0)
      return unit;
  return 2;
}

int64_t qdelta::gpu::copyAlignment(Plan &plan, unsigned argument) {
  auto type = cast<RankedTensorType>(
      argument < plan.func.getNumArguments()
          ? plan.func.getArgumentTypes()[argument]
          : plan.func.getResultTypes()[argument - plan.func.getNumArguments()]);
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  bool isState = argument + 1 == plan.func.getNumArguments() ||
                 argument + 1 == plan.func.getNumArguments() +
                                     plan.func.getNumResults();
  if (type.getRank() != 4 || isState)
    return bytes;
  return unitOf(type.getDimSize(3) * bytes);
}

static void copyTile(Kernel &kernel, const Tile &tile, Num first, Num stage) {
  Emitter &e = kernel.e;
  Plan &plan = kernel.plan;
  int64_t bytes = plan.elementBytes();
  int64_t unit = unitOf(tile.sourceWidth * bytes);
  int64_t units = tile.width * bytes / unit;
  Value base = kernel.base(tile.argument);
  Num stride = kernel.rowStride(tile.argument);
  // Columns before this CTA's, and how many there are from there on.
  Num skipped = tile.isKey ? e.i32(0) : kernel.column();
  Num left = e.i32(tile.sourceWidth) - skipped;
  e.loop(kernel.thread(), e.i32(units * plan.chunk), plan.threads(), {},
         [&](Num index, ArrayRef<Num>) {
           Num row = index / units, column = index % units;
           Num token = first + row;
           Num present = e.both(token < kernel.length(),
                                column * (unit / bytes) < left);
           Num piece = column / (16 / unit), inPiece = column % (16 / unit);
           Num to = kernel.tileAddress(stage + tile.offset, plan.chunk, row,
                                       piece) +
                    inPiece * unit;
           // What is not there is not read either, but has an address.
           Num safe = e.select(present, token, e.i32(0));
           Num at = e.select(present, skipped * bytes + column * unit, e.i32(0));
           Value from = e.at(base, e.widen(safe) * stride + e.widen(at));
           if (unit >= 4) {
             e.copyAsync(to, from, unit, present);
             return Fragment();
           }
           Type element = e.b.getI16Type();
           Num value = e.branch(
               present, [&] { return Fragment{e.load(from, element)}; },
               [&] { return Fragment{e.narrowTo16(e.i32(0))}; })[0];
           e.store(value, e.sharedPointer(to));
           return Fragment();
         });
}

void qdelta::gpu::startCopies(Kernel &kernel, Num index) {
  Num first = index * kernel.plan.chunk;
  Num stage = kernel.stage(index % Plan::kStages);
  for (const Tile &tile : kernel.plan.tiles)
    copyTile(kernel, tile, first, stage);
  kernel.e.commitCopies();
}

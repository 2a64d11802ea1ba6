//===- Copies.cpp - a chunk's tiles into shared memory --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Copies.h"
#include "Gram.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

/// The widest copy that whole rows of `size` bytes consist of; launches check
/// that addresses and strides are multiples of it.
static int64_t unitOf(int64_t size) {
  for (int64_t unit : {16, 8, 4})
    if (size % unit == 0)
      return unit;
  return 2;
}

static void copyTile(Kernel &kernel, const Tile &tile, Num first, Num start) {
  Emitter &e = kernel.e;
  Plan &plan = kernel.plan;
  int64_t bytes = tile.elementBytes;
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
           Num present =
               e.both(token < kernel.length(), column * (unit / bytes) < left);
           Num piece = column / (16 / unit), inPiece = column % (16 / unit);
           Num to = kernel.tileAddress(start, plan.chunk, row, piece) +
                    inPiece * unit;
           // What is not there is not read either, but has an address.
           Num safe = e.select(present, token, e.i32(0));
           Num at =
               e.select(present, skipped * bytes + column * unit, e.i32(0));
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

/// One thread asks the tensor memory accelerator for all tiles of a chunk.
static void requestTiles(Kernel &kernel, Num index) {
  Emitter &e = kernel.e;
  Plan &plan = kernel.plan;
  constexpr int64_t kBoxColumns = 64;
  Num arrival = kernel.arrival(index % Plan::kStages);
  Value barrier = e.sharedPointer(arrival);
  e.intrinsic("llvm.nvvm.mbarrier.arrive.expect.tx.scope.cta.space.cta",
              {barrier, e.i32(plan.stageBytes + plan.gramStageBytes)},
              e.b.getI64Type());
  Type sharedCluster = LLVM::LLVMPointerType::get(e.b.getContext(), 7);
  Num token = index * plan.chunk;
  if (plan.cuSeqlens)
    token = token + kernel.firstToken();
  for (auto [map, tile] : llvm::enumerate(plan.tiles)) {
    Num column = tile.isKey ? e.i32(0) : kernel.column();
    Num start = kernel.tile(tile, index);
    for (int64_t box = 0; box * kBoxColumns < tile.width; ++box) {
      Num to = start + box * plan.chunk * 128;
      Value pointer = LLVM::IntToPtrOp::create(e.b, sharedCluster, Value(to));
      e.intrinsic("llvm.nvvm.cp.async.bulk.tensor.g2s.tile.4d",
                  {pointer, barrier, kernel.tensorMap(map),
                   column + box * kBoxColumns, kernel.headOf(tile.argument),
                   token, kernel.batch(), e.i16(0), e.i64(0), e.truth(false),
                   e.truth(false), e.i32(0)},
                  {});
    }
  }
}

void qdelta::gpu::startCopies(Kernel &kernel, Num index, Num chunks,
                              bool gramRole) {
  Emitter &e = kernel.e;
  if (kernel.plan.byTensorMaps) {
    if (!gramRole)
      return;
    // The last warp has the least of the inverse to make.
    Num last = equals(kernel.lane(gramRole).warp, kernel.plan.gramWarps - 1);
    e.when(e.both(last, index < chunks),
           [&] { e.when(e.elected(), [&] { requestTiles(kernel, index); }); });
    return;
  }
  Num first = index * kernel.plan.chunk;
  for (const Tile &tile : kernel.plan.tiles)
    copyTile(kernel, tile, first, kernel.tile(tile, index));
  e.commitCopies();
}

void qdelta::gpu::clearAbsent(Kernel &kernel, Num index) {
  Emitter &e = kernel.e;
  Plan &plan = kernel.plan;
  if (!plan.byTensorMaps || !plan.cuSeqlens)
    return;
  constexpr int64_t kPieces = 8, kPieceBytes = 16;
  Num present = kernel.length() - index * plan.chunk;
  e.when(present < plan.chunk, [&] {
    Lane x = kernel.lane(/*gramRole=*/true);
    Num stage = kernel.stage(index % Plan::kStages), zero = e.f32(0);
    Num gramStage = kernel.gramStage(index);
    // A tile is groups of rows of 128 bytes, of which all pieces go.
    int64_t groupBytes = plan.chunk * kPieces * kPieceBytes;
    SmallVector<Num> groups;
    for (int64_t at = 0; at < plan.stageBytes; at += groupBytes)
      groups.push_back(stage + at);
    for (int64_t at = 0; at < plan.gramStageBytes; at += groupBytes)
      groups.push_back(gramStage + at);
    for (Num group : groups)
      e.loop(present * kPieces + (x.warp * 32 + x.lane),
             e.i32(plan.chunk * kPieces), 32 * plan.gramWarps, {},
             [&](Num piece, ArrayRef<Num>) {
               Num to = group + piece * kPieceBytes;
               e.storeSharedPair(to, zero, zero);
               e.storeSharedPair(to + 8, zero, zero);
               return Fragment();
             });
    // Products of groups of warps see shared memory on their own.
    e.intrinsic("llvm.nvvm.fence.proxy.async.shared_cta", {}, {});
    e.syncGroup(kGramBarrier, 32 * plan.gramWarps);
  });
}

void qdelta::gpu::waitForTiles(Kernel &kernel, Num index) {
  if (!kernel.plan.byTensorMaps)
    return;
  Emitter &e = kernel.e;
  // A stage's barrier changes phase each time the stage is filled.
  Num parity = (index / Plan::kStages) & 1;
  e.assembly("{\n.reg .pred p;\nWAIT:\n"
             "mbarrier.try_wait.parity.shared.b64 p, [$0], $1;\n"
             "@p bra DONE;\nbra WAIT;\nDONE:\n}",
             "r,r", {kernel.arrival(index % Plan::kStages), parity}, {});
}

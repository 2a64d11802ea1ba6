//===- GramRole.cpp - the role that makes what does not need the state ----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Copies.h"
#include "Gram.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

namespace {

class GramRole {
public:
  explicit GramRole(Kernel &kernel)
      : kernel(kernel), e(kernel.e), plan(kernel.plan) {
    for (auto load : plan.loop.getBody()->getOps<LoadTileOp>())
      if (plan.kindOf(load) == Kind::Token && load.getIndices().size() == 3)
        sequences.push_back(load);
  }

  void clearSlots();
  /// The scalars of the chunk at `first`, sequence by sequence.
  Fragment loadScalars(Num first);
  /// Makes everything of one chunk; `scalars` are its own, the next chunk's are
  /// returned.
  FailureOr<Fragment> createChunk(Num index, ArrayRef<Num> scalars);

private:
  LogicalResult storeVectors(TokenValues &tokens, const Lane &x, Num slot);
  LogicalResult storeMatrices(Num stage, Num slot);

  Kernel &kernel;
  Emitter &e;
  Plan &plan;
  SmallVector<LoadTileOp> sequences;
};

/// Zeros above the diagonal of what is stored by blocks are never written
/// again.
void GramRole::clearSlots() {
  Lane x = kernel.lane(/*gramRole=*/true);
  Num start = kernel.slot(e.i32(0)), zero = e.f32(0);
  int64_t threads = 32 * plan.gramWarps;
  Num first = (x.warp * 32 + x.lane) * 8;
  e.loop(first, e.i32(plan.kSlots * plan.slotBytes), 8 * threads, {},
         [&](Num offset, ArrayRef<Num>) {
           e.storeSharedPair(start + offset, zero, zero);
           return Fragment();
         });
}

Fragment GramRole::loadScalars(Num first) {
  Lane x = kernel.lane(/*gramRole=*/true);
  Fragment all;
  for (LoadTileOp load : sequences)
    all.append(TokenValues::load(kernel, x, load, first));
  return all;
}

LogicalResult GramRole::storeVectors(TokenValues &tokens, const Lane &x,
                                     Num slot) {
  struct Stored {
    Fragment values;
    Num address;
    bool isScalar;
  };
  SmallVector<Stored> stored;
  for (auto [value, offset] : plan.rowVectors) {
    auto made = tokens.get(value);
    if (failed(made))
      return failure();
    stored.push_back({*made, kernel.shared + (plan.scratchAt + offset), false});
  }
  for (auto [i, cumulative] : llvm::enumerate(plan.cumulatives)) {
    auto made = tokens.cumulative(cumulative.logs, cumulative.place);
    if (failed(made))
      return failure();
    int64_t offset = plan.cumulativesAt + 4 * plan.chunk * int64_t(i);
    stored.push_back({*made, kernel.shared + offset, false});
  }
  for (auto [value, offset] : plan.handedOver) {
    if (plan.kindOf(value) == Kind::Matrix)
      continue;
    auto made = tokens.get(value);
    if (failed(made))
      return failure();
    stored.push_back(
        {*made, slot + offset, plan.kindOf(value) == Kind::Scalar});
  }
  // Every warp has all of them; each stores its share.
  for (auto [i, vector] : llvm::enumerate(stored))
    e.when(equals(x.warp, static_cast<int64_t>(i) % plan.gramWarps), [&] {
      if (!vector.isScalar)
        return tokens.store(vector.values, vector.address);
      e.when(equals(x.lane, 0),
             [&] { e.storeShared(vector.values[0], vector.address); });
    });
  return success();
}

LogicalResult GramRole::storeMatrices(Num stage, Num slot) {
  MatrixValues matrices(kernel, stage);
  if (!plan.cumulatives.empty())
    matrices.makeFactors();
  for (auto [value, offset] : plan.handedOver)
    if (plan.kindOf(value) == Kind::Matrix &&
        !value.getDefiningOp<ChunkInverseOp>() &&
        failed(matrices.storeOperand(value, slot + offset)))
      return failure();
  if (!plan.inverse)
    return success();
  Num system = kernel.shared + plan.systemAt;
  for (auto [block, value] : llvm::enumerate(plan.inverse->getOperands()))
    if (failed(matrices.storeSystem(value, system, static_cast<int64_t>(block),
                                    plan.order / plan.chunk)))
      return failure();
  // A diagonal block may hold rows of two warps when unknowns alternate.
  if (plan.order == plan.chunk)
    e.syncWarp();
  else
    e.syncGroup(kGramBarrier, 32 * plan.gramWarps);
  invertSystem(kernel, slot);
  return success();
}

FailureOr<Fragment> GramRole::createChunk(Num index, ArrayRef<Num> scalars) {
  Lane x = kernel.lane(/*gramRole=*/true);
  Num first = index * plan.chunk;
  llvm::DenseMap<Value, Fragment> loaded;
  size_t each = TokenValues::perLane(plan);
  for (auto [i, load] : llvm::enumerate(sequences))
    loaded[load] = Fragment(scalars.slice(i * each, each));
  Num slot = kernel.slot(index & 1);
  TokenValues tokens(kernel, x, first, std::move(loaded));
  if (failed(storeVectors(tokens, x, slot)))
    return failure();
  Fragment next = loadScalars(first + plan.chunk);
  e.syncGroup(kGramBarrier, 32 * plan.gramWarps);
  waitForTiles(kernel, index);
  if (failed(storeMatrices(kernel.stage(index % Plan::kStages), slot)))
    return failure();
  return next;
}
} // namespace

LogicalResult qdelta::gpu::emitGramRole(Kernel &kernel, Num chunks) {
  GramRole role(kernel);
  Emitter &e = kernel.e;
  if (int64_t registers = kernel.plan.gramRegisters)
    e.intrinsic("llvm.nvvm.setmaxnreg.dec.sync.aligned.u32", {e.i32(registers)},
                {});
  auto load = [&](Num index) {
    startCopies(kernel, index, chunks, /*gramRole=*/true);
  };
  role.clearSlots();
  Fragment scalars = role.loadScalars(e.i32(0));
  load(e.i32(0));
  kernel.endChunk();
  bool failed_ = false;
  e.loop(e.i32(0), chunks, 1, scalars, [&](Num index, ArrayRef<Num> values) {
    load(index + 1);
    auto next = role.createChunk(index, values);
    kernel.endChunk();
    failed_ |= failed(next);
    return failed(next) ? Fragment(values) : *next;
  });
  kernel.endChunk();
  return failure(failed_);
}

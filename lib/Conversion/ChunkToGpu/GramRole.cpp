//===- GramRole.cpp - the role that makes what does not need the state ----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ChannelGrams.h"
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
      if (plan.kindOf(load) == Kind::Token)
        (load.getIndices().size() == 3 ? sequences : parameters)
            .push_back(load);
  }

  void clearSlots();
  /// Loads what is the same for all chunks.
  void loadParameters();
  /// The scalars of the chunk at `first`, sequence by sequence.
  Fragment loadScalars(Num first);
  Fragment noScalars() {
    return Fragment(sequences.size() * TokenValues::perLane(plan), e.f32(0));
  }
  /// Makes everything of one chunk; `scalars` are its own, the next chunk's are
  /// returned.
  FailureOr<Fragment> createChunk(Num index, ArrayRef<Num> scalars);

private:
  LogicalResult storeVectors(TokenValues &tokens, const Lane &x, Num slot);
  LogicalResult storeFactors(TokenValues &tokens, const Lane &x);
  LogicalResult storeMatrices(MatrixValues &matrices, Num slot);
  void syncRole() { e.syncGroup(kGramBarrier, 32 * plan.gramWarps); }

  Kernel &kernel;
  Emitter &e;
  Plan &plan;
  SmallVector<LoadTileOp> sequences, parameters;
  llvm::DenseMap<Value, Fragment> constants;
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

void GramRole::loadParameters() {
  Lane x = kernel.lane(/*gramRole=*/true);
  for (LoadTileOp load : parameters)
    constants[load] = TokenValues::load(kernel, x, load, e.i32(0));
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
  SmallVector<std::pair<Fragment, Num>> stored;
  auto add = [&](FailureOr<Fragment> made, Num address) -> LogicalResult {
    if (succeeded(made))
      stored.emplace_back(*made, address);
    return made;
  };
  for (auto [value, offset] : plan.rowVectors)
    if (failed(
            add(tokens.get(value), kernel.shared + (plan.scratchAt + offset))))
      return failure();
  for (auto [i, sum] : llvm::enumerate(plan.cumulatives))
    if (failed(add(tokens.cumulative(sum.logs, sum.place),
                   kernel.shared +
                       (plan.cumulativesAt + plan.vectorBytes() * int64_t(i)))))
      return failure();
  for (auto [value, offset] : plan.handedOver)
    if (Kind kind = plan.kindOf(value);
        (kind == Kind::Token || kind == Kind::Scalar) &&
        failed(add(tokens.get(value), slot + offset)))
      return failure();
  // Every warp has all of them and stores its share, a vector a turn. This does
  // not branch: a product may be in flight.
  for (size_t turn = 0; turn < stored.size(); turn += plan.gramWarps) {
    auto [values, address] = stored[turn];
    for (int64_t warp = 1; warp < plan.gramWarps; ++warp) {
      Num isOwn = equals(x.warp, warp);
      bool exists = turn + warp < stored.size();
      address = e.select(
          isOwn, exists ? stored[turn + warp].second : kernel.spare(x.warp),
          address);
      for (size_t i = 0; exists && i < values.size(); ++i)
        values[i] = e.select(isOwn, stored[turn + warp].first[i], values[i]);
    }
    tokens.store(values, address);
  }
  return storeFactors(tokens, x);
}

/// Decays from each column to the first row of this warp's block.
LogicalResult GramRole::storeFactors(TokenValues &tokens, const Lane &x) {
  for (auto [i, sum] : llvm::enumerate(plan.factors)) {
    auto starts = tokens.cumulative(sum.logs, 0);
    auto values = tokens.cumulative(sum.logs, sum.place);
    if (failed(starts) || failed(values))
      return failure();
    Num first =
        e.shuffleFrom((*starts)[0], x.warp * (16 / TokenValues::perLane(plan)));
    // Columns from the row block on are not read.
    for (Num &value : *values)
      value = e.exp2(e.minimum(first - value, e.f32(0)));
    tokens.store(*values, kernel.factors(static_cast<int64_t>(i), x.warp));
  }
  return success();
}

LogicalResult GramRole::storeMatrices(MatrixValues &matrices, Num slot) {
  SmallVector<Value> operands;
  for (auto [value, offset] : plan.handedOver)
    if (plan.kindOf(value) == Kind::Matrix &&
        !value.getDefiningOp<ChunkInverseOp>())
      operands.push_back(value);
  // Stores what can be stored without another product, or the rest too.
  auto storeOperands = [&](bool rest) -> LogicalResult {
    SmallVector<Value> left;
    for (Value value : operands)
      if (!rest && !matrices.hasProducts(value))
        left.push_back(value);
      else if (failed(matrices.storeOperand(
                   value, slot + plan.handedOver.lookup(value))))
        return failure();
    operands = left;
    return success();
  };
  if (!plan.inverse)
    return storeOperands(/*rest=*/true);
  if (failed(matrices.makeProducts(plan.inverse->getOperand(0))) ||
      failed(storeOperands(/*rest=*/false)))
    return failure();
  Num system = kernel.shared + plan.systemAt;
  for (auto [block, value] : llvm::enumerate(plan.inverse->getOperands()))
    if (failed(matrices.storeSystem(value, system, static_cast<int64_t>(block),
                                    plan.order / plan.chunk)))
      return failure();
  if (failed(storeOperands(/*rest=*/false)))
    return failure();
  // A diagonal block may hold rows of two warps when unknowns alternate.
  if (plan.order == plan.chunk)
    e.syncWarp();
  else
    syncRole();
  if (!operands.empty())
    matrices.startProduct(operands[0]);
  SystemInverse inverse(kernel);
  inverse.invertDiagonal();
  if (failed(storeOperands(/*rest=*/true)))
    return failure();
  syncRole();
  inverse.createBlocks(slot);
  return success();
}

FailureOr<Fragment> GramRole::createChunk(Num index, ArrayRef<Num> scalars) {
  waitForTiles(kernel, index);
  clearAbsent(kernel, index);
  MatrixValues matrices(kernel, kernel.stage(index % Plan::kStages));
  if (plan.inverse)
    matrices.startProduct(plan.inverse->getOperand(0));
  Lane x = kernel.lane(/*gramRole=*/true);
  Num first = index * plan.chunk;
  llvm::DenseMap<Value, Fragment> loaded = constants;
  size_t each = TokenValues::perLane(plan);
  for (auto [i, load] : llvm::enumerate(sequences))
    loaded[load] = Fragment(scalars.slice(i * each, each));
  Num slot = kernel.slot(index & 1);
  if (plan.channels.log) {
    auto channels = ChannelGrams::get(kernel, index, slot);
    channels->create();
    for (const DecayedGram &gram : plan.channels.grams)
      matrices.setProduct(gram.matrix, channels->product(gram));
  }
  TokenValues tokens(kernel, x, first, std::move(loaded));
  if (failed(storeVectors(tokens, x, slot)))
    return failure();
  Fragment next = loadScalars(first + plan.chunk);
  syncRole();
  if (failed(storeMatrices(matrices, slot)))
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
  role.loadParameters();
  Fragment scalars = e.branch(
      chunks >= 1, [&] { return role.loadScalars(e.i32(0)); },
      [&] { return role.noScalars(); });
  load(e.i32(0));
  kernel.endChunk(/*gramRole=*/true);
  bool failed_ = false;
  e.loop(e.i32(0), chunks, 1, scalars, [&](Num index, ArrayRef<Num> values) {
    load(index + 1);
    auto next = role.createChunk(index, values);
    kernel.endChunk(/*gramRole=*/true);
    failed_ |= failed(next);
    return failed(next) ? Fragment(values) : *next;
  });
  kernel.endChunk(/*gramRole=*/true);
  return failure(failed_);
}

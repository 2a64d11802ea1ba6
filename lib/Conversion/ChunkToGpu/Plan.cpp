//===- Plan.cpp - where the values of a chunk live in a CTA ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Plan.h"

#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

const Tile &Plan::tileOf(Value value) const {
  return tiles[tileIndices.lookup(value)];
}

/// The sequence that a value is, or is part of.
static BlockArgument sequenceOf(Value value) {
  if (auto slice = value.getDefiningOp<tensor::ExtractSliceOp>())
    value = slice.getSource();
  return dyn_cast<BlockArgument>(value);
}

unsigned Plan::argumentOf(Value value) const {
  return sequenceOf(value).getArgNumber();
}

int64_t Plan::cumulativeIndex(ValueRange logs, int64_t place) const {
  Cumulative wanted{llvm::to_vector(logs), place};
  return llvm::find(cumulatives, wanted) - cumulatives.begin();
}

int64_t Plan::factorIndex(ValueRange logs, int64_t place) const {
  Cumulative wanted{llvm::to_vector(logs), place};
  return llvm::find(factors, wanted) - factors.begin();
}

FailureOr<Plan> Plan::get(func::FuncOp func, const GpuTarget &target) {
  Plan plan;
  plan.func = func;
  plan.target = &target;
  if (failed(plan.findLoop()) || failed(plan.classify()))
    return failure();
  plan.findCrossings();
  plan.findGramTiles();
  if (failed(plan.placeShared()))
    return failure();
  return plan;
}

LogicalResult Plan::findLoop() {
  auto schedule = func->getAttrOfType<ScheduleAttr>("qdelta.schedule");
  auto foralls = llvm::to_vector(func.getBody().getOps<scf::ForallOp>());
  if (!schedule || !schedule.getKernel() || foralls.size() != 1 ||
      foralls[0].getRank() != 3)
    return func.emitError("expected one scf.forall over batch entries, heads "
                          "and value blocks, of a schedule with kernel = true");
  scf::ForallOp forall = foralls[0];
  auto loops = llvm::to_vector(forall.getBody()->getOps<scf::ForOp>());
  if (loops.size() != 1)
    return forall.emitError("expected one loop over chunks");
  loop = loops[0];
  cuSeqlens = cuSeqlensOf(func);
  chunk = schedule.getChunk();
  auto state = cast<RankedTensorType>(loop.getInits()[0].getType());
  keys = state.getDimSize(0);
  columns = state.getDimSize(1);
  auto whole = cast<RankedTensorType>(func.getResultTypes().back());
  keySize = whole.getDimSize(2);
  valueSize = whole.getDimSize(3);
  format = llvm::StringSwitch<Format>(schedule.getOperands())
               .Case("bf16", Format::BF16)
               .Case("f16", Format::F16)
               .Default(Format::TF32);
  stateWarps = columns / 16;
  gramWarps = chunk / 16;
  return success();
}

LogicalResult Plan::addTile(LoadTileOp load) {
  BlockArgument argument = sequenceOf(load.getSource());
  auto source = cast<RankedTensorType>(load.getSource().getType());
  if (!argument || argument.getOwner()->getParentOp() != func ||
      source.getRank() != 4 || load.getIndices().size() != 3)
    return load.emitOpError("is not lowered for GPUs: expected vectors of a "
                            "token sequence");
  // Logs are no operands: they are in what format they come.
  int64_t bytes = source.getElementTypeBitWidth() / 8;
  if (bytes != elementBytes() && !ChannelPlan::isLog(load))
    return load.emitOpError("expected a sequence of ")
           << elementBytes() << "-byte elements, but got " << source;
  auto type = cast<RankedTensorType>(load.getType());
  bool isKey = !load.getColumn();
  tileIndices[load] = tiles.size();
  tiles.push_back({load, argument.getArgNumber(), isKey, type.getDimSize(1),
                   source.getDimSize(3), bytes});
  return success();
}

LogicalResult Plan::classify() {
  kinds[loop.getInductionVar()] = Kind::Index;
  kinds[loop.getRegionIterArgs()[0]] = Kind::State;
  for (Operation &op : loop.getBody()->without_terminator()) {
    if (op.getNumResults() == 0)
      continue;
    Value result = op.getResult(0);
    auto type = dyn_cast<RankedTensorType>(result.getType());
    Kind kind = Kind::Scalar;
    if (failed(channels.add(&op)))
      return failure();
    if (std::optional<Kind> known = kindOfChannels(op)) {
      kind = *known;
    } else if (auto load = dyn_cast<LoadTileOp>(op)) {
      kind = type.getRank() == 1 ? Kind::Token
             : load.getColumn()  ? Kind::Column
                                 : Kind::Key;
      if (kind != Kind::Token && failed(addTile(load)))
        return failure();
    } else if (isa<ChunkReadOp, ChunkApplyOp, StoreTileOp>(op)) {
      kind = Kind::Column;
    } else if (isa<ChunkUpdateOp>(op)) {
      kind = Kind::State;
    } else if (isa<ChunkGramOp, ChunkInverseOp>(op)) {
      kind = Kind::Matrix;
    } else if (result.getType().isIndex()) {
      kind = Kind::Index;
    } else if (type && type.getRank() == 1) {
      kind = Kind::Token;
    } else if (isa<ChunkDecayOp>(op)) {
      kind = type ? Kind::Matrix : Kind::Scalar;
    } else if (type && matchPattern(result, m_Constant())) {
      kind = type.getDimSize(1) == chunk ? Kind::Matrix : Kind::Column;
    } else if (type) {
      kind = Kind::Matrix;
      for (Value operand : op.getOperands()) {
        Kind of = kinds.lookup(operand);
        if (of == Kind::Key || of == Kind::Column)
          kind = of;
      }
      if (kind == Kind::Key)
        return op.emitOpError("makes key vectors inside the step, which is not "
                              "lowered for GPUs yet");
    }
    for (Value each : op.getResults())
      kinds[each] = kind;
  }
  return success();
}

/// The kind of what has to do with decays per key channel.
std::optional<Kind> Plan::kindOfChannels(Operation &op) const {
  if (op.getResult(0) == channels.total)
    return Kind::Channel;
  bool isTile = isa<MaskRowsOp>(op) || channels.tiles.contains(op.getResult(0));
  auto decay = dyn_cast<ChunkDecayOp>(op);
  if (isTile || (decay && ChannelPlan::isPerChannel(decay.getLogs())))
    return Kind::Key;
  return std::nullopt;
}

/// Tiles that only meet others of their kind.
void Plan::findGramTiles() {
  for (Tile &tile : tiles)
    tile.isGramOnly =
        tile.isKey &&
        llvm::none_of(tile.load->getUsers(), [&](Operation *user) {
          Kind kind = kindOf(user->getResult(0));
          return kind == Kind::Column || kind == Kind::State;
        });
}

/// What the state role reads of the Gram role's, and what matrices read of
/// token vectors.
void Plan::findCrossings() {
  auto add = [&](SmallVector<Cumulative> &known, ValueRange logs,
                 std::optional<int64_t> place) {
    Cumulative wanted{llvm::to_vector(logs), *place};
    if (!logs.empty() && !llvm::is_contained(known, wanted))
      known.push_back(wanted);
  };
  for (Operation &op : loop.getBody()->without_terminator()) {
    if (op.getNumResults() == 0)
      continue;
    Kind kind = kinds.lookup(op.getResult(0));
    for (Value operand : op.getOperands()) {
      Kind of = kinds.lookup(operand);
      bool ofState = kind == Kind::Column || kind == Kind::State;
      bool isConstant = matchPattern(operand, m_Constant());
      bool isDecayed = of == Kind::Channel || channels.tiles.contains(operand);
      if (ofState && !isa<LoadTileOp, StoreTileOp>(op) && !isConstant &&
          (of == Kind::Token || of == Kind::Scalar || of == Kind::Matrix ||
           isDecayed))
        handedOver.try_emplace(operand, 0);
      if (kind == Kind::Matrix && of == Kind::Token && isa<ScaleOp>(op))
        rowVectors.try_emplace(operand, 0);
    }
    if (auto decay = dyn_cast<ChunkDecayOp>(op);
        decay && kind == Kind::Matrix) {
      add(cumulatives, decay.getLogs(), decay.getFrom());
      add(cumulatives, decay.getLogs(), decay.getTo());
      // Where a row block starts: before any of its first token's decays.
      add(cumulatives, decay.getLogs(), 0);
      add(factors, decay.getLogs(), decay.getFrom());
    }
    if (auto op_ = dyn_cast<ChunkInverseOp>(op)) {
      inverse = op_;
      bounded = op_.getBounded();
      // Their places follow from the first two.
      for (Value block : op_->getResults())
        handedOver.try_emplace(block, 0);
      auto count = static_cast<int64_t>(op_->getNumResults());
      int64_t unknown = 1;
      while (unknown * unknown < count)
        ++unknown;
      order = unknown * chunk;
    }
  }
}

/// Tiles and what is handed over. What products read comes first: it is aligned
/// to a swizzle pattern of 1024 bytes.
void Plan::placeTiles() {
  for (Tile &tile : tiles) {
    int64_t &bytes = tile.isGramOnly ? gramStageBytes : stageBytes;
    tile.offset = bytes;
    bytes += tileBytes(chunk, tile.width, tile.elementBytes);
  }
  for (auto &[value, offset] : handedOver) {
    Kind kind = kinds.lookup(value);
    if (kind != Kind::Matrix && kind != Kind::Key)
      continue;
    offset = slotBytes;
    slotBytes += llvm::alignTo(
        tileBytes(chunk, kind == Kind::Matrix ? chunk : keys), 1024);
  }
  for (auto &[value, offset] : handedOver) {
    Kind kind = kinds.lookup(value);
    if (kind == Kind::Matrix || kind == Kind::Key)
      continue;
    offset = slotBytes;
    slotBytes += kind == Kind::Channel ? 4 * keys : vectorBytes();
  }
  slotBytes = llvm::alignTo(slotBytes, 1024);
}

LogicalResult Plan::placeShared() {
  constexpr int64_t kShortestChunk = 16, kLongestOfChannels = 32;
  if (channels.log && chunk > kLongestOfChannels)
    return func.emitError("expected a chunk of 16 or 32 tokens for decays per "
                          "key channel, but got ")
           << chunk;
  // Only 16-bit operands may lie across their rows, as the update needs them.
  byGroups = target->tensorCores == TensorCores::WarpGroup &&
             format != Format::TF32 && columns % 64 == 0;
  byTensorMaps = byGroups && llvm::all_of(tiles, [&](const Tile &tile) {
                   return tile.elementBytes == elementBytes() &&
                          tile.sourceWidth * elementBytes() % 16 == 0;
                 });
  // Whole groups of warps can pass on registers: 8 x 32 x 208 + 4 x 32 x 96 is
  // what an SM has.
  if (byGroups && stateWarps == 8 && gramWarps == 4) {
    stateRegisters = 208;
    gramRegisters = 96;
  }
  placeTiles();
  gramStagesAt = kStages * stageBytes;
  slotsAt = gramStagesAt + kGramStages * gramStageBytes;
  scratchAt = slotsAt + kSlots * slotBytes;
  int64_t at = 0;
  for (auto &[value, offset] : rowVectors) {
    offset = at;
    at += vectorBytes();
  }
  cumulativesAt = scratchAt + at;
  factorsAt =
      cumulativesAt + vectorBytes() * static_cast<int64_t>(cumulatives.size());
  spareAt = factorsAt +
            vectorBytes() * static_cast<int64_t>(factors.size()) * gramWarps;
  systemAt = llvm::alignTo(spareAt + vectorBytes() * gramWarps, 16);
  outputAt = llvm::alignTo(systemAt + order * systemPitch() * 4, 128);
  startsAt = outputAt + stateWarps * chunk * 16 * elementBytes();
  int64_t arguments = func.getNumArguments() + func.getNumResults();
  placesAt = startsAt + 8 * arguments;
  int64_t places = arguments + (cuSeqlens ? 3 : 1);
  arrivalsAt = llvm::alignTo(placesAt + 4 * places, 8);
  sharedBytes = arrivalsAt + 8 * kStages;
  if (sharedBytes > target->sharedBytes)
    return func.emitError("needs ")
           << sharedBytes << " bytes of shared memory, but " << target->name
           << " has " << target->sharedBytes << " for a CTA"
           << (chunk > kShortestChunk ? "; a shorter chunk needs less" : "");
  placeSums();
  return success();
}

/// Where running sums of logs go that make blocks on the diagonal centred
/// products, if these are allowed: over the logs, if these are read once, or of
/// as many channels at a time as there is room for.
void Plan::placeSums() {
  constexpr int64_t kRow = 32; // Numbers in a row of 128 bytes.
  if (!channels.log || !channels.allowsCentre())
    return;
  sumChannels = keys;
  if (tileOf(channels.log).elementBytes == 4 &&
      ChannelPlan::isLog(channels.log)) {
    isCentred = true;
    return;
  }
  int64_t start = llvm::alignTo(sharedBytes, 128), bytes = 0;
  for (int64_t parts = 1;
       !isCentred && parts <= std::max<int64_t>(1, keys / kRow); ++parts) {
    if (parts > 1 && keys % (parts * kRow) != 0)
      continue;
    sumChannels = keys / parts;
    bytes = tileBytes(chunk, sumChannels, /*elementBytes=*/4);
    isCentred = start + bytes <= target->sharedBytes;
  }
  if (!isCentred)
    return;
  sumsAt = start;
  sharedBytes = start + bytes;
}

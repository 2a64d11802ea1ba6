//===- GpuSchedule.cpp - how lists and prescans run on a GPU --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "HoistKeys.h"
#include "Schedules.h"

#include "qdelta/Dialect/QDelta/IR/PrescanWindow.h"

#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace qdelta;

/// Bytes of shared memory of a kernel with `tokens` a chunk: three stages of
/// tiles, what the chunk's system leaves for the state, twice, and the system.
static int64_t sharedBytes(AffineScanOp op, int64_t tokens, int64_t columns,
                           int64_t elementBytes) {
  // Tiles are groups of 128-byte rows.
  auto tileBytes = [&](int64_t width) -> int64_t {
    return tokens * llvm::alignTo(width * elementBytes, 128);
  };
  FactsAttr facts = op.getFacts();
  int64_t unknown = llvm::count(facts.getUnknown(), true);
  bool perChannel = facts.getDecay() == DecayKind::PerChannel;
  int64_t stages = 0, keys = 0;
  for (auto [token, type] :
       llvm::zip(op.getBody().getArguments(), op.getTokens().getTypes())) {
    if (!isa<RankedTensorType>(token.getType()))
      continue;
    int64_t width = cast<RankedTensorType>(type).getDimSize(3);
    bool isKey =
        inferTokenDims(op.getBody().front()).lookup(token) == TokenDim::Key;
    // Keys that decay are not the state's to read: two stages. Their logs may
    // be wider.
    if (isKey && perChannel)
      stages += 2 * tileBytes(width) *
                (isa<AffineDecayOp>(*token.getUsers().begin())
                     ? getElementTypeOrSelf(type).getIntOrFloatBitWidth() /
                           (8 * elementBytes)
                     : 1);
    else
      stages += 3 * tileBytes(isKey ? width : columns);
    if (isKey)
      keys = width;
  }
  auto writes = static_cast<int64_t>(facts.getUnknown().size());
  auto outputs = static_cast<int64_t>(op.getOutputs().size());
  int64_t matrices = unknown * writes + outputs * writes;
  int64_t slot = matrices * tileBytes(tokens) +
                 4 * tokens * (4 * facts.getReads() + 2 * facts.getWrites());
  if (perChannel)
    slot += (facts.getReads() + writes) * tileBytes(keys) + 4 * keys;
  slot = llvm::alignTo(slot, 1024);
  int64_t order = unknown * tokens;
  // Token vectors, and a few sums of logs for each warp of the Gram role.
  int64_t vectors = 4 * tokens * (8 + 3 * tokens / 16), starts = 512;
  return stages + tokens * columns * elementBytes + 2 * slot +
         order * (order + 4) * 4 + vectors + starts;
}

/// Whether the number of tokens is known and so small that a token loop hides
/// behind the state's own bytes (docs/Rationale/gpu-kernel.md).
static bool isShort(AffineScanOp op) {
  constexpr int64_t kLongestTokenLoop = 16;
  // A list whose outputs are all made before or after it has none.
  Value sequence =
      op.getOutputs().empty() ? op.getTokens()[0] : Value(op.getOutputs()[0]);
  int64_t tokens = cast<RankedTensorType>(sequence.getType()).getDimSize(1);
  return !ShapedType::isDynamic(tokens) && tokens <= kLongestTokenLoop;
}

/// Whether the list works on a state in place, or on a copy of one.
static bool isOfStep(AffineScanOp op) {
  return llvm::any_of(op->getBlock()->getOps<AffineScanOp>(),
                      [](AffineScanOp other) { return other.getInPlace(); });
}

/// Registers of a thread with `rows` key channels of `lanes` columns: the
/// states, and of each key vector a token's numbers and the next one's.
static int64_t registersOfLoop(AffineScanOp op, int64_t rows, int64_t lanes) {
  auto dims = inferTokenDims(op.getBody().front());
  int64_t bytes = 0;
  for (auto [value, operand] :
       llvm::zip(op.getBody().getArguments(),
                 llvm::concat<Value>(op.getTokens(), op.getParams())))
    if (dims.lookup(value) == TokenDim::Key)
      bytes +=
          4 +
          cast<RankedTensorType>(operand.getType()).getElementTypeBitWidth() /
              8;
  auto states = static_cast<int64_t>(op.getInits().size());
  return rows * (lanes * states + llvm::divideCeil(bytes, 4));
}

/// A loop over tokens whose threads keep the states, or null if there are too
/// many. More threads share a column until each one's part fits its registers,
/// and a warp is not twice as wide as the state.
static ScheduleAttr tokenLoop(AffineScanOp op, const GpuTarget &target) {
  // 16 bytes of a row of the state; 128 of a CTA, a line of the cache.
  constexpr int64_t kLanes = 4, kWarp = 32, kLine = 32, kRegisters = 160;
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  int64_t keys = state.getDimSize(2), values = state.getDimSize(3);
  int64_t split = 1;
  auto fits = [&] {
    int64_t rows = llvm::divideCeil(keys, split);
    return registersOfLoop(op, rows, kLanes) <= kRegisters;
  };
  auto isTooWide = [&] {
    return split < keys && kWarp / split * kLanes >= 2 * values;
  };
  while (split < kWarp && (!fits() || isTooWide()))
    split *= 2;
  if (!fits())
    return {};
  int64_t warp = kWarp / split * kLanes;
  int64_t columns =
      std::min<int64_t>(std::max(warp, kLine), llvm::alignTo(values, warp));
  return ScheduleAttr::get(
      op.getContext(), target.name, /*chunk=*/1, columns, /*span=*/1, kLanes,
      /*unroll=*/false, /*fuse=*/false, /*defer=*/false, /*prefetch=*/false,
      /*kernel=*/true, /*operands=*/"", split);
}

/// What vectors are stored in: narrow if any sequence of the function is.
static Type storedIn(AffineScanOp op) {
  SmallVector<Type> types(op.getOutputs().getTypes());
  if (auto func = op->getParentOfType<FunctionOpInterface>()) {
    llvm::append_range(types, func.getArgumentTypes());
    llvm::append_range(types, func.getResultTypes());
  }
  for (Type type : types)
    if (auto tensor = dyn_cast<RankedTensorType>(type);
        tensor && tensor.getRank() == 4 && tensor.getElementTypeBitWidth() < 32)
      return tensor.getElementType();
  return getElementTypeOrSelf(types.front());
}

/// Shapes and options that no kernel takes.
static LogicalResult checkShapes(AffineScanOp op,
                                 const ScheduleOptions &options) {
  constexpr int64_t kLargestKey = 256;
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  int64_t keys = state.getDimSize(2), chunk = options.chunk;
  if (!state.getElementType().isF32())
    return op.emitError("kernels for GPUs have their state in f32, but got ")
           << state;
  if (keys > kLargestKey)
    return op.emitError("the state of a kernel stays in registers: expected a "
                        "key dimension of at most ")
           << kLargestKey << ", but got " << keys;
  if (keys == 0 || state.getDimSize(3) == 0)
    return op.emitError("there is nothing to compute for a state that is "
                        "always empty: ")
           << state;
  if (chunk > 1 && chunk != 16 && chunk != 32 && chunk != 64)
    return op.emitError(
               "expected a kernel's chunk to be 1, 16, 32 or 64, but got ")
           << chunk;
  return success();
}

/// What of the list kernels in chunks do not cover; empty if they do.
static std::string uncoveredByChunks(AffineScanOp op) {
  FactsAttr facts = op.getFacts();
  auto isTransposed = [](Value init) {
    return static_cast<bool>(init.getDefiningOp<TransposeStateOp>());
  };
  auto vectorDecays = llvm::count_if(
      op.getBody().getOps<AffineDecayOp>(), [](AffineDecayOp decay) {
        return isa<RankedTensorType>(decay.getG().getType());
      });
  auto differ = [](const Twine &covered, const Twine &have) {
    return ("GPU kernels in chunks cover " + covered + ", but this list has " +
            have)
        .str();
  };
  if (op.getInits().size() > 1)
    return differ("lists with one state", Twine(op.getInits().size()));
  if (llvm::any_of(op.getInits(), isTransposed))
    return differ("states that are read on their key side",
                  "one that is read on its value side");
  if (facts.getDecay() == DecayKind::PerValueChannel)
    return differ("decays common to all value channels",
                  "one per value channel");
  if (facts.getDecay() == DecayKind::PerChannel && vectorDecays > 1)
    return differ("one decay per key channel a token", Twine(vectorDecays));
  return {};
}

/// What a warp group or the warps of a CTA take of a list's value columns.
static int64_t valueColumns(AffineScanOp op, const GpuTarget &target) {
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  // A warp holds 16 value columns; with a state this wide a thread has no
  // registers left for more than four warps' worth of threads.
  int64_t most = state.getDimSize(2) > 128 ? 64 : 128;
  int64_t columns =
      std::min<int64_t>(most, llvm::alignTo(state.getDimSize(3), 16));
  bool isWide = target.tensorCores == TensorCores::WarpGroup;
  return isWide ? llvm::alignTo(columns, 64) : columns;
}

constexpr int64_t kSmallestChunk = 16, kLargestChunk = 64;

/// Unknown writes of `tokens` tokens.
static int64_t unknownOf(AffineScanOp op, int64_t tokens) {
  return llvm::count(op.getFacts().getUnknown(), true) * tokens;
}

/// Whether the rounded inverse of the system of `tokens` tokens is within the
/// bound on errors: more unknown writes than twice the key dimension depend on
/// each other too much.
static bool isPrecise(AffineScanOp op, int64_t tokens) {
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  return unknownOf(op, tokens) <= 2 * state.getDimSize(2);
}

LogicalResult qdelta::scheduleOnGpu(AffineScanOp op, const GpuTarget &target,
                                    const ScheduleOptions &options) {
  if (failed(checkShapes(op, options)))
    return failure();
  int64_t keys =
      cast<RankedTensorType>(op.getInits()[0].getType()).getDimSize(2);
  ScheduleAttr loop = tokenLoop(op, target);
  bool mayLoop = loop && options.mode == "auto" && options.chunk == 0;
  auto useLoop = [&](const Twine &reason) {
    op.emitRemark("runs token by token: ") << reason;
    op.setScheduleAttr(loop);
    return success();
  };
  bool isAsked = options.chunk == 1 || options.mode == "recurrent" ||
                 isOfStep(op) || isOfSummary(op);
  if (isAsked && !loop)
    return op.emitError("the states and key vectors of a token loop stay in "
                        "registers: expected fewer of them, or a key dimension "
                        "of less than ")
           << keys;
  if (isAsked || (mayLoop && isShort(op))) {
    op.setScheduleAttr(loop);
    return success();
  }
  std::string uncovered = uncoveredByChunks(op);
  if (!uncovered.empty() && mayLoop)
    return useLoop(uncovered);
  if (!uncovered.empty())
    return op.emitError(uncovered)
           << (loop ? "; mode = recurrent covers it" : "");
  bool perChannel = op.getFacts().getDecay() == DecayKind::PerChannel;
  if (perChannel && options.chunk > 32)
    return op.emitError("expected the chunk of a kernel with decays per key "
                        "channel to be 1, 16 or 32, but got ")
           << options.chunk;
  if (mayLoop && !isPrecise(op, kSmallestChunk))
    return useLoop("chunks of " + Twine(kSmallestChunk) +
                   " tokens have more writes that use reads than twice the " +
                   Twine(keys) + " key channels");
  op = hoistKeys(op);
  Type element = storedIn(op);
  StringRef operands = element.isBF16()  ? "bf16"
                       : element.isF16() ? "f16"
                                         : "tf32";
  int64_t columns = valueColumns(op, target);
  auto fits = [&](int64_t tokens) {
    return sharedBytes(op, tokens, columns,
                       element.getIntOrFloatBitWidth() / 8) <=
           target.sharedBytes;
  };
  // Products by warps keep fewer registers busy with 32 tokens, and a token's
  // share of the chunk's own products is smaller; wgmma wants 64 columns. What
  // a chunk starts from is rounded once: where as many writes as key channels
  // take it back, little may be left of it.
  constexpr int64_t kWarpChunk = 32;
  bool isWide = target.tensorCores == TensorCores::WarpGroup && !perChannel;
  int64_t tokens = options.chunk ? options.chunk
                   : isWide      ? kLargestChunk
                                 : kWarpChunk;
  while (!options.chunk && tokens > kSmallestChunk &&
         !(unknownOf(op, tokens) <= std::min(kLargestChunk, keys) &&
           fits(tokens)))
    tokens /= 2;
  loop = tokenLoop(op, target);
  if (mayLoop && loop && !fits(tokens))
    return useLoop("chunks of " + Twine(tokens) +
                   " tokens need more than the " + Twine(target.sharedBytes) +
                   " bytes of shared memory of " + target.name);
  op.setScheduleAttr(ScheduleAttr::get(
      op.getContext(), target.name, tokens, columns, /*span=*/1, /*lanes=*/1,
      /*unroll=*/false, /*fuse=*/false, /*defer=*/false, /*prefetch=*/false,
      /*kernel=*/true, operands, /*split=*/1));
  return success();
}

/// A warp for each run of tokens.
LogicalResult qdelta::scheduleOnGpu(PrescanOp op, const GpuTarget &target) {
  constexpr int64_t kWarp = 32, kRun = 32;
  for (BlockArgument arg : op.getBody().getArguments())
    if (!getElementTypeOrSelf(arg.getType()).isF32())
      return op.emitError("kernels for GPUs compute in f32, but this prescan "
                          "has an argument in ")
             << getElementTypeOrSelf(arg.getType());
  for (Type type : TypeRange(op->getOperandTypes()).drop_front())
    if (llvm::is_contained(cast<RankedTensorType>(type).getShape(), 0))
      return op.emitError("there is nothing to compute for an operand that is "
                          "always empty: ")
             << type;
  op.setScheduleAttr(ScheduleAttr::get(
      op.getContext(), target.name, /*chunk=*/1, /*columns=*/kWarp,
      /*span=*/findWindow(op) ? kRun : 1, /*lanes=*/1, /*unroll=*/false,
      /*fuse=*/false, /*defer=*/false, /*prefetch=*/false, /*kernel=*/true,
      /*operands=*/"", /*split=*/1));
  return success();
}

LogicalResult qdelta::checkOnGpu(TransposeStateOp op) {
  if (!llvm::all_of(op->getUsers(), llvm::IsaPred<AffineScanOp>))
    return op.emitError("on GPUs only lists read a state on its value side");
  // A kernel reads it where the list is that uses it.
  auto isReadAfter = [&](Operation *writer) {
    return llvm::any_of(op->getUsers(), [&](Operation *user) {
      return writer->isBeforeInBlock(user);
    });
  };
  for (Operation *user : op.getState().getUsers())
    if (auto list = dyn_cast<AffineScanOp>(user);
        list && list.getInPlace() && isReadAfter(list))
      return op.emitError("a state in place has no GPU lowering yet if its "
                          "value side is read after its key side has been "
                          "written");
  return success();
}

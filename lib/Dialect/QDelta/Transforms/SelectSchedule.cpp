//===- SelectSchedule.cpp - decide how each list runs, once ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ChunkList.h"
#include "HoistKeys.h"
#include "LevelLoop.h"
#include "TokenFactors.h"

#include "qdelta/Dialect/QDelta/IR/PrescanWindow.h"
#include "qdelta/Dialect/QDelta/IR/SquareStates.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"
#include "qdelta/Target/GpuTarget.h"
#include "qdelta/Target/TargetTable.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"

namespace qdelta {
#define GEN_PASS_DEF_SELECTSCHEDULE
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

/// Tokens whose token-local part is made ahead of the value blocks.
constexpr int64_t kSpanTokens = 32;
/// Longest chunk that is expanded into rows; longer ones are matrices.
constexpr int64_t kLongestUnrolled = 4;
/// Tokens a chunk unless asked for: as rows, in registers, the flop count of a
/// token grows with the chunk, so two; as matrices, one tile of 16.
constexpr int64_t kUnrolledChunk = 2, kMatrixChunk = 16;
/// The same as rows whose products are of pairs: a row of the state is rounded
/// and packed once for all tokens of a chunk.
constexpr int64_t kPairedChunk = 4;
/// Value columns of a block of matrices.
constexpr int64_t kMatrixColumns = 64;

struct SelectSchedulePass
    : qdelta::impl::SelectScheduleBase<SelectSchedulePass> {
  using SelectScheduleBase::SelectScheduleBase;

  void runOnOperation() override {
    SmallVector<AffineScanOp> lists;
    getOperation().walk([&](AffineScanOp op) { lists.push_back(op); });
    for (AffineScanOp op : lists)
      if (failed(schedule(op)))
        return signalPassFailure();
    WalkResult result = getOperation().walk([&](TransposeStateOp op) {
      return failed(checkTranspose(op)) ? WalkResult::interrupt()
                                        : WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    result = getOperation().walk([&](PrescanOp op) {
      return failed(schedule(op)) ? WalkResult::interrupt()
                                  : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult schedule(PrescanOp op);
  LogicalResult failUnknownTarget(Operation *op);
  LogicalResult schedule(AffineScanOp op);
  LogicalResult checkOptions(AffineScanOp op);
  LogicalResult checkLevels(AffineScanOp op);
  LogicalResult checkTranspose(TransposeStateOp op);
  LogicalResult checkChannels(AffineScanOp op);
  LogicalResult scheduleKernel(AffineScanOp op, const GpuTarget &row);
  LogicalResult scheduleKernel(PrescanOp op, const GpuTarget &row);
  LogicalResult scheduleInPlace(AffineScanOp op, const Target &row);

  static int64_t registersNeeded(const ChunkList &list, int64_t vectors);

  /// The same with products of pairs, for a list with one state: the values of
  /// two tokens share registers, two rows and what they are packed to are there
  /// at once, and a write takes two broadcasts.
  static int64_t registersForPairs(FactsAttr facts, int64_t chunk,
                                   int64_t vectors) {
    return (chunk * facts.getReads() + chunk / 2 * facts.getWrites() + 3) *
               vectors +
           2;
  }
};

/// Vector registers that a pass over one row of a state needs: an accumulator
/// per reading, a value per write that is left in it, the row itself and one of
/// a state that is mixed in, each `vectors` wide, and one broadcast. The most
/// that a state of the list needs.
int64_t SelectSchedulePass::registersNeeded(const ChunkList &list,
                                            int64_t vectors) {
  if (list.byTokens)
    return countRowsOfTokens(list) * vectors + 1;
  int64_t most = 0;
  for (unsigned state = 0; state < list.states.size(); ++state) {
    int64_t rows = llvm::count_if(list.readings, [&](const Reading &reading) {
      return std::get<2>(reading) == state;
    });
    rows += llvm::count_if(list.writes, [&](const ChunkList::Write &write) {
      return list.isLeftIn(write, state);
    });
    rows *= list.chunk;
    rows += 1 + llvm::any_of(list.steps, [&](const CouplingStep &step) {
              return step.target == state && step.source != state;
            });
    most = std::max(most, rows * vectors + 1);
  }
  return most;
}

/// Whether a chunk of several tokens would have a system for each value column.
static bool needsSingleTokens(FactsAttr facts) {
  return facts.getDecay() == DecayKind::PerValueChannel &&
         llvm::is_contained(facts.getUnknown(), true);
}

/// Options that mean the same for every target.
LogicalResult SelectSchedulePass::checkOptions(AffineScanOp op) {
  if (mode != "auto" && mode != "recurrent" && mode != "chunked")
    return op.emitError("unknown mode '")
           << mode.getValue() << "'; known are auto, recurrent, chunked";
  if (chunk < 0)
    return op.emitError("expected chunk to be at least 0, but got ")
           << chunk.getValue();
  if (mode == "recurrent" && chunk > 1)
    return op.emitError("mode = recurrent goes with chunk = 1, but got ")
           << chunk.getValue();
  if (op.getInPlace() && (chunk > 1 || mode == "chunked"))
    return op.emitError("states in place go with tokens one by one, chunk = 1 "
                        "and mode = auto or recurrent, but got ")
           << chunk.getValue() << " and " << mode.getValue();
  if (needsSingleTokens(op.getFacts()) && (chunk > 1 || mode == "chunked"))
    return op.emitError("a chunk's system is one for all value columns: with "
                        "decays per value channel and writes that use reads, "
                        "expected chunk = 1 and mode = auto or recurrent, but "
                        "got ")
           << chunk.getValue() << " and " << mode.getValue();
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  if (ShapedType::isDynamic(state.getDimSize(2)) ||
      ShapedType::isDynamic(state.getDimSize(3)))
    return op.emitError("a schedule needs static key and value dimensions, but "
                        "got ")
           << state << "; -qdelta-specialize fixes them";
  return success();
}

/// What the loop over levels covers.
LogicalResult SelectSchedulePass::checkLevels(AffineScanOp op) {
  if (!op.getLevels())
    return success();
  if (findGpuTarget(target))
    return op.emitError("expected a list without levels on GPUs; run "
                        "-qdelta-levels-to-heads first");
  if (!fenwickOf(op))
    return op.emitError("expected numbers of levels that qdelta.fenwick makes");
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  for (auto [number, token] : llvm::enumerate(op.getTokens())) {
    auto type = cast<RankedTensorType>(token.getType());
    if (op.isPerLevel(number) &&
        (!type.isDynamicDim(3) || !state.isDynamicDim(1)))
      return op.emitError("expected a dynamic number of levels and of states, "
                          "which a launch checks against the number of "
                          "tokens, but got ")
             << type << " and " << state;
  }
  return success();
}

/// What kernels of token loops cover, which read a state transposed as they
/// load it. The kernels of a launch run one after the other.
LogicalResult SelectSchedulePass::checkTranspose(TransposeStateOp op) {
  if (!findGpuTarget(target))
    return success();
  for (Operation *user : op->getUsers())
    if (auto list = dyn_cast<AffineScanOp>(user);
        !list || !list.getSchedule()->isTokenLoop())
      return op.emitError("on GPUs only token loops read a state on its value "
                          "side; mode = recurrent asks for them");
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

/// Whether the list is of a summary: products of P, one token's after the
/// other's, are never rounded (docs/Decisions/0023).
static bool isOfSummary(AffineScanOp op) {
  auto func = op->getParentOfType<func::FuncOp>();
  RecurrenceOp recurrence = func ? recurrenceOf(func) : RecurrenceOp();
  return recurrence && recurrence->hasAttr(kSummaryOfAttr);
}

/// Whether there is one state, sequences of vectors are bf16, rows decay alike,
/// and sizes are such that two rows can be multiplied at once: whole pairs of
/// keys, and columns that fill registers.
static bool multipliesPairs(AffineScanOp op, int64_t lanes) {
  if (isOfSummary(op))
    return false;
  if (op.getFacts().getDecay() >= DecayKind::PerChannel ||
      op.getInits().size() > 1)
    return false;
  for (Value operand : llvm::concat<Value>(op.getTokens(), op.getOutputs()))
    if (auto sequence = cast<RankedTensorType>(operand.getType());
        sequence.getRank() == 4 && !sequence.getElementType().isBF16())
      return false;
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  return state.getDimSize(2) % 2 == 0 && state.getDimSize(3) % lanes == 0;
}

/// Bytes of shared memory of a kernel with `tokens` a chunk: three stages of
/// tiles, what the chunk's system leaves for the state, twice, and the system.
static int64_t sharedBytes(AffineScanOp op, int64_t tokens, int64_t columns,
                           int64_t unknown, int64_t elementBytes) {
  // Tiles are groups of 128-byte rows.
  auto tileBytes = [&](int64_t width) -> int64_t {
    return tokens * llvm::alignTo(width * elementBytes, 128);
  };
  FactsAttr facts = op.getFacts();
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

/// What kernels in chunks cover of decays per key channel.
LogicalResult SelectSchedulePass::checkChannels(AffineScanOp op) {
  auto count = llvm::count_if(
      op.getBody().getOps<AffineDecayOp>(), [](AffineDecayOp decay) {
        return isa<RankedTensorType>(decay.getG().getType());
      });
  if (count > 1)
    return op.emitError("GPU kernels in chunks cover one decay per key channel "
                        "a token, but this list has ")
           << count << "; mode = recurrent covers it";
  if (chunk > 32)
    return op.emitError("expected the chunk of a kernel with decays per key "
                        "channel to be 1, 16 or 32, but got ")
           << chunk.getValue();
  return success();
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
static ScheduleAttr tokenLoop(AffineScanOp op, const GpuTarget &row) {
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
      op.getContext(), row.name, /*chunk=*/1, columns, /*span=*/1, kLanes,
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

LogicalResult SelectSchedulePass::scheduleKernel(AffineScanOp op,
                                                 const GpuTarget &row) {
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  int64_t keys = state.getDimSize(2), values = state.getDimSize(3);
  constexpr int64_t kLargestKey = 256, kSmallestChunk = 16;
  // Products by warps keep fewer registers busy with 32 tokens, and a token's
  // share of the chunk's own products is smaller; wgmma wants 64 columns.
  constexpr int64_t kLargestChunk = 64, kWarpChunk = 32;
  if (!state.getElementType().isF32())
    return op.emitError("kernels for GPUs have their state in f32, but got ")
           << state;
  if (keys > kLargestKey)
    return op.emitError("the state of a kernel stays in registers: expected a "
                        "key dimension of at most ")
           << kLargestKey << ", but got " << keys;
  if (keys == 0 || values == 0)
    return op.emitError("there is nothing to compute for a state that is "
                        "always empty: ")
           << state;
  if (chunk > 1 && chunk != 16 && chunk != 32 && chunk != 64)
    return op.emitError(
               "expected a kernel's chunk to be 1, 16, 32 or 64, but got ")
           << chunk.getValue();
  bool isAsked =
      chunk == 1 || mode == "recurrent" || isOfStep(op) || isOfSummary(op);
  if (isAsked || (mode == "auto" && !chunk && isShort(op)))
    if (ScheduleAttr loop = tokenLoop(op, row)) {
      op.setScheduleAttr(loop);
      return success();
    }
  if (isAsked)
    return op.emitError("the states and key vectors of a token loop stay in "
                        "registers: expected fewer of them, or a key dimension "
                        "of less than ")
           << keys;
  if (op.getInits().size() > 1)
    return op.emitError("GPU kernels in chunks cover lists with one state, but "
                        "this one has ")
           << op.getInits().size() << "; mode = recurrent covers it";
  bool perChannel = op.getFacts().getDecay() == DecayKind::PerChannel;
  if (perChannel && failed(checkChannels(op)))
    return failure();
  if (op.getFacts().getDecay() == DecayKind::PerValueChannel)
    return op.emitError("GPU kernels in chunks cover decays common to all "
                        "value channels, but this list has one per value "
                        "channel; mode = recurrent covers it");
  op = hoistKeys(op);
  Type element = storedIn(op);
  StringRef operands = element.isBF16()  ? "bf16"
                       : element.isF16() ? "f16"
                                         : "tf32";
  int64_t elementBytes = element.getIntOrFloatBitWidth() / 8;
  int64_t unknown = llvm::count(op.getFacts().getUnknown(), true);
  // A warp holds 16 value columns; with a state this wide a thread has no
  // registers left for more than four warps' worth of threads.
  int64_t columns = keys > 128 ? 64 : 128;
  columns = std::min(columns, static_cast<int64_t>(llvm::alignTo(values, 16)));
  if (row.tensorCores == TensorCores::WarpGroup)
    columns = llvm::alignTo(columns, 64);
  bool wide = row.tensorCores == TensorCores::WarpGroup;
  int64_t tokens = chunk                 ? static_cast<int64_t>(chunk)
                   : wide && !perChannel ? kLargestChunk
                                         : kWarpChunk;
  auto fits = [&] {
    return sharedBytes(op, tokens, columns, unknown, elementBytes) <=
           row.sharedBytes;
  };
  // More unknown writes than twice the key dimension depend on each other so
  // much that the rounded inverse passes the bound on errors.
  int64_t mostUnknown = std::min(kLargestChunk, 2 * keys);
  while (!chunk && tokens > kSmallestChunk &&
         (unknown * tokens > mostUnknown || !fits()))
    tokens /= 2;
  if (perChannel && mode == "auto" && !chunk && !fits())
    if (ScheduleAttr loop = tokenLoop(op, row)) {
      op.setScheduleAttr(loop);
      return success();
    }
  op.setScheduleAttr(ScheduleAttr::get(
      op.getContext(), row.name, tokens, columns, /*span=*/1, /*lanes=*/1,
      /*unroll=*/false, /*fuse=*/false, /*defer=*/false, /*prefetch=*/false,
      /*kernel=*/true, operands, /*split=*/1));
  return success();
}

/// One token after the other on states in place. Bytes of the state decide, so
/// that a pass goes over rows that are as long as registers allow. What reads
/// first waits for memory and what writes then does not, and asks for the next
/// head's state meanwhile; one pass that does both keeps memory busy itself.
LogicalResult SelectSchedulePass::scheduleInPlace(AffineScanOp op,
                                                  const Target &row) {
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  int64_t values = state.getDimSize(3);
  int64_t bytes = state.getElementTypeBitWidth() / 8;
  int64_t lanes = std::max<int64_t>(1, row.lanes * 4 / bytes);
  bool unroll = row.lanes > 1;
  // A pass reads or writes, or does both if no write needs a read. Besides its
  // sums and values it needs a few rows on their way and a broadcast.
  constexpr int64_t kOnTheWay = 4;
  FactsAttr facts = op.getFacts();
  bool isOnePass = !llvm::is_contained(facts.getUnknown(), true);
  int64_t rows = isOnePass ? facts.getReads() + facts.getWrites()
                           : std::max(facts.getReads(), facts.getWrites());
  int64_t vectors = llvm::divideCeil(std::max<int64_t>(values, 1), lanes);
  while (vectors > 1 && rows * vectors + kOnTheWay > row.registers)
    vectors = llvm::divideCeil(vectors, 2);
  int64_t columns = unroll ? vectors * lanes : kMatrixColumns;
  columns = std::min(columns, std::max<int64_t>(values, 1));
  op.setScheduleAttr(
      ScheduleAttr::get(op.getContext(), row.name, /*chunk=*/1, columns,
                        /*span=*/1, lanes, unroll, /*fuse=*/false,
                        /*defer=*/false, /*prefetch=*/unroll && !isOnePass,
                        /*kernel=*/false, /*operands=*/"", /*split=*/1));
  return success();
}

LogicalResult SelectSchedulePass::failUnknownTarget(Operation *op) {
  SmallVector<StringRef> known{"host"};
  for (const Target &known_ : targetTable())
    known.push_back(known_.name);
  for (const GpuTarget &gpu : gpuTargetTable())
    known.push_back(gpu.name);
  return op->emitError("unknown target '")
         << target.getValue() << "'; known are " << llvm::join(known, ", ");
}

/// A warp for each run of tokens.
LogicalResult SelectSchedulePass::scheduleKernel(PrescanOp op,
                                                 const GpuTarget &row) {
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
      op.getContext(), row.name, /*chunk=*/1, /*columns=*/kWarp,
      /*span=*/findWindow(op) ? kRun : 1, /*lanes=*/1, /*unroll=*/false,
      /*fuse=*/false, /*defer=*/false, /*prefetch=*/false, /*kernel=*/true,
      /*operands=*/"", /*split=*/1));
  return success();
}

/// A prescan goes token by token, in rows if the lists of its function do.
LogicalResult SelectSchedulePass::schedule(PrescanOp op) {
  const GpuTarget *gpu = findGpuTarget(target);
  const Target *row = findTarget(target);
  if (!gpu && !row)
    return failUnknownTarget(op);
  for (auto [arg, operand] :
       llvm::zip(op.getBody().getArguments(), op->getOperands().drop_front()))
    if (auto type = cast<RankedTensorType>(operand.getType());
        isa<RankedTensorType>(arg.getType()) &&
        ShapedType::isDynamic(type.getShape().back()))
      return op.emitError("a schedule needs static key and value dimensions, "
                          "but got ")
             << type << "; -qdelta-specialize fixes them";
  if (gpu)
    return scheduleKernel(op, *gpu);
  bool unroll = row->lanes > 1;
  op->getBlock()->walk([&](AffineScanOp list) {
    if (list.getSchedule())
      unroll &= list.getSchedule()->getUnroll();
  });
  op.setScheduleAttr(ScheduleAttr::get(
      op.getContext(), row->name, /*chunk=*/1, /*columns=*/1, /*span=*/1,
      row->lanes, unroll, /*fuse=*/false, /*defer=*/false, /*prefetch=*/false,
      /*kernel=*/false, /*operands=*/"", /*split=*/1));
  return success();
}

/// Tokens of a chunk as matrices. Rounding errors grow with the rows of its
/// system: they are as many as with one unknown write a token.
static int64_t matrixChunk(FactsAttr facts) {
  int64_t unknown = llvm::count(facts.getUnknown(), true);
  return std::max<int64_t>(1, kMatrixChunk / std::max<int64_t>(unknown, 1));
}

LogicalResult SelectSchedulePass::schedule(AffineScanOp op) {
  if (failed(checkOptions(op)) || failed(checkLevels(op)))
    return failure();
  if (const GpuTarget *gpu = findGpuTarget(target))
    return scheduleKernel(op, *gpu);
  const Target *row = findTarget(target);
  if (!row)
    return failUnknownTarget(op);
  if (op.getInPlace())
    return scheduleInPlace(op, *row);
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  int64_t keys = state.getDimSize(2), values = state.getDimSize(3);
  FactsAttr facts = op.getFacts();
  bool vectorises = row->lanes > 1;
  int64_t bytes = state.getElementTypeBitWidth() / 8;
  int64_t states = op.getInits().size();
  int64_t lanes = std::max<int64_t>(1, row->lanes * 4 / bytes);
  int64_t vectors = row->vectorsPerRow;
  bool pairUp = row->bf16Pairs && multipliesPairs(op, row->lanes);
  int64_t tokens = chunk                                             ? chunk
                   : mode == "recurrent" || needsSingleTokens(facts) ? 1
                   : pairUp     ? kPairedChunk
                   : vectorises ? kUnrolledChunk
                                : matrixChunk(facts);
  bool unroll = vectorises && tokens <= kLongestUnrolled;
  auto hasPairs = [&] { return unroll && pairUp && tokens % 2 == 0; };
  auto fits = [&] {
    int64_t needed =
        hasPairs() ? registersForPairs(facts, tokens, vectors)
                   : registersNeeded(ChunkList::read(op, tokens, unroll), vectors);
    return needed <= row->registers;
  };
  bool byTokens = ChunkList::read(op, tokens, unroll).byTokens;
  // The key vectors of a token go through the cache beside the states, which
  // are loaded and stored once a chunk: narrow rows before short chunks.
  int64_t ofStates = byTokens ? row->l1Bytes / 2 : row->l1Bytes;
  auto isTooWide = [&] {
    return states * keys * vectors * lanes * bytes > ofStates;
  };
  while (byTokens && vectors > 1 && (isTooWide() || !fits()))
    --vectors;
  while (unroll && !chunk && tokens > 1 && !fits())
    tokens -= pairUp && tokens > 2 ? 2 : 1;
  while (unroll && vectors > 1 && (!fits() || isTooWide()))
    --vectors;
  int64_t columns = unroll ? vectors * lanes : kMatrixColumns;
  columns = std::min(columns, std::max<int64_t>(values, 1));
  int64_t span = unroll ? std::max<int64_t>(1, kSpanTokens / tokens) : 1;
  // What runs on over chunks is common to all value channels.
  bool defers = facts.getDecay() != DecayKind::None &&
                facts.getDecay() != DecayKind::PerValueChannel;
  op.setScheduleAttr(ScheduleAttr::get(
      op.getContext(), row->name, tokens, columns, span, lanes, unroll,
      /*fuse=*/unroll,
      /*defer=*/unroll && defers && (states == 1 || byTokens),
      /*prefetch=*/unroll, /*kernel=*/false,
      /*operands=*/hasPairs() ? "bf16" : "", /*split=*/1));
  return success();
}
} // namespace

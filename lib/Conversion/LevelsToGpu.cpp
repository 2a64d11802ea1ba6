//===- LevelsToGpu.cpp - what goes with levels, as programs of threads ----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
// A warp for each batch entry, head and run of 32 tokens, as for a prescan.
//
//===----------------------------------------------------------------------===//

#include "KernelFunction.h"
#include "ListToGpu/Memory.h"

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <limits>

namespace qdelta {
#define GEN_PASS_DEF_LEVELSTOGPU
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

static constexpr int64_t kWarp = 32;

/// Operands, of which the first `tokens` are sequences, then results.
static KernelTensors tensorsOf(Operation *op, unsigned tokens, bool isPacked) {
  KernelTensors tensors;
  tensors.tokens = tokens;
  tensors.params = op->getNumOperands() - tokens - isPacked;
  tensors.outputs = op->getNumResults();
  tensors.isPacked = isPacked;
  for (Type type : op->getOperandTypes())
    tensors.types.push_back(cast<RankedTensorType>(type));
  for (Type type : op->getResultTypes())
    tensors.types.push_back(cast<RankedTensorType>(type));
  return tensors;
}

static Num runsOf(Num tokens) { return (tokens + (kWarp - 1)) / kWarp; }

namespace {
/// The run of 32 tokens of this CTA. There are as many runs of each packed
/// sequence as all tokens would take.
class LevelRows : public Rows {
public:
  LevelRows(Emitter &e, const KernelTensors &tensors, Value params, Num runs)
      : Rows(e, tensors, params, e.special("ctaid.x") / runs),
        lane(e.special("tid.x")) {
    begin = (e.special("ctaid.x") % runs) * kWarp;
  }

  /// L, where a row of `tensor` has a number for each level.
  Num countLevels(unsigned tensor) {
    return e.narrow(word(5 * int64_t(tensor) + 3));
  }
  /// How many tokens of the sequence came before.
  Num position(unsigned tensor) {
    Value pointer = LLVM::IntToPtrOp::create(
        e.b, LLVM::LLVMPointerType::get(e.b.getContext(), 1),
        Value(word(5 * int64_t(tensor))));
    Num offset = e.widen(batch) * word(5 * int64_t(tensor) + 1) * 4;
    return e.load(e.at(pointer, offset), e.i32Type());
  }
  /// Of parts [B, T, HV L, V]: the rows of the first level, and how many bytes
  /// the next one's are away.
  Start partsOf(unsigned tensor, Num levels, Num &apart) {
    auto first = 5 * int64_t(tensor);
    Type element = tensors.types[tensor].getElementType();
    int64_t bytes = element.getIntOrFloatBitWidth() / 8;
    Num offset = e.widen(head * levels) * word(first + 3);
    offset = offset + (tensors.isPacked ? e.widen(firstToken) * word(first + 2)
                                        : e.widen(batch) * word(first + 1));
    Num start = word(first) + offset * bytes;
    apart = word(first + 3) * bytes;
    Value base = LLVM::IntToPtrOp::create(
        e.b, LLVM::LLVMPointerType::get(e.b.getContext(), 1), Value(start));
    return {base, word(first + 2) * bytes, element, /*aligned=*/true};
  }

  Num lane, begin;
};

/// The numbers of qdelta.fenwick: a thread for each token.
class FenwickProgram {
public:
  FenwickProgram(Emitter &e, FenwickOp op, LevelRows &rows)
      : e(e), op(op), rows(rows) {}
  void emit();

private:
  Emitter &e;
  FenwickOp op;
  LevelRows &rows;
};

/// Sums over levels: threads share the channels of a token.
class SumProgram {
public:
  SumProgram(Emitter &e, AddLevelsOp op, LevelRows &rows)
      : e(e), op(op), rows(rows) {}
  void emit();

private:
  SmallVector<Piece> findPieces();

  Emitter &e;
  AddLevelsOp op;
  LevelRows &rows;
};
} // namespace

/// `mask` is 2^l - 1 for level l: what is left of a token's number is its place
/// in the block, and the mask's highest bit says in which half.
void FenwickProgram::emit() {
  unsigned first = op->getNumOperands();
  Num token = rows.begin + rows.lane;
  auto store = [&] {
    Num number = rows.position(1) + token, levels = rows.countLevels(0);
    SmallVector<Value> masks;
    for (unsigned i = 0; i < op->getNumResults(); ++i)
      masks.push_back(rows.row(rows.startOf(first + i), token));
    e.loop(e.i32(0), levels, 1, {e.i32(0)},
           [&](Num level, ArrayRef<Num> carried) -> Fragment {
             constexpr double infinity =
                 std::numeric_limits<double>::infinity();
             Num mask = carried[0];
             Num isFirst = equals(number & mask, 0);
             Num isEarly = equals(number & (mask ^ (mask >> 1)), 0);
             Num one = e.f32(1), zero = e.f32(0);
             Num reads = e.select(isEarly, zero, one);
             Num made[] = {e.select(isFirst, e.f32(-infinity), zero),
                           e.select(isEarly, one, zero),
                           e.select(equals(mask, 0), one, reads)};
             for (auto [value, row] : llvm::zip(made, masks))
               e.store(value, e.at(row, e.widen(level * 4)));
             return {mask * 2 + 1};
           });
  };
  e.when(token < rows.length(), store);
}

/// The channels of this thread: the largest pieces that V consists of.
SmallVector<Piece> SumProgram::findPieces() {
  int64_t values =
      cast<RankedTensorType>(op.getParts().getType()).getDimSize(3);
  constexpr int64_t kMost = 4;
  int64_t length = kMost;
  while (values % length)
    length /= 2;
  SmallVector<Piece> pieces;
  for (int64_t at = 0; at < values; at += kWarp * length) {
    Num first = (rows.lane + at / length) * length;
    bool isWhole = at + kWarp * length <= values;
    pieces.push_back({first, isWhole ? Num() : first < values, length});
  }
  return pieces;
}

void SumProgram::emit() {
  Num levels = rows.countLevels(1), apart;
  Rows::Start parts = rows.partsOf(0, levels, apart);
  Rows::Start sums = rows.startOf(op->getNumOperands());
  SmallVector<Piece> pieces = findPieces();
  size_t size = 0;
  for (const Piece &piece : pieces)
    size += static_cast<size_t>(piece.length);
  Num end = rows.begin + kWarp;
  end = e.select(end < rows.length(), end, rows.length());
  e.loop(rows.begin, end, 1, {}, [&](Num token, ArrayRef<Num>) -> Fragment {
    Value row = rows.row(parts, token);
    Fragment sum =
        e.loop(e.i32(0), levels, 1, Fragment(size, e.f32(0)),
               [&](Num level, ArrayRef<Num> others) -> Fragment {
                 Fragment words = rows.load(e.at(row, e.widen(level) * apart),
                                            parts, pieces);
                 Fragment part = rows.unpack(words, parts.element, pieces);
                 Fragment next;
                 for (auto [number, other] : llvm::zip_equal(part, others))
                   next.push_back(other + number);
                 return next;
               });
    rows.store(sum, rows.row(sums, token), sums, pieces, Num());
    return {};
  });
}

template <typename Program, typename Op>
static LogicalResult convert(func::FuncOp func, Op op, unsigned tokens) {
  Block &body = func.getBody().front();
  if (!llvm::hasNItems(body, 2) ||
      !llvm::equal(op->getOperands(), body.getArguments()) ||
      !llvm::equal(op->getResults(), body.getTerminator()->getOperands()))
    return op.emitError("expected a function that is nothing but this, over "
                        "its own arguments in order");
  for (Type type : op->getResultTypes())
    if (getElementTypeOrSelf(type).isF64())
      return op.emitError("kernels for GPUs compute in f32, but got ") << type;
  KernelLaunch launch;
  launch.threads = launch.columns = launch.tokens = kWarp;
  func->setAttr("qdelta.schedule",
                ScheduleAttr::get(func.getContext(), "", 1, kWarp, kWarp, 1,
                                  false, false, false, false, true, "", 1));
  LLVM::LLVMFuncOp kernel = createKernelFunction(func, launch);
  Emitter e(op.getLoc(), func.getContext());
  e.b.setInsertionPointToStart(kernel.addEntryBlock(e.b));
  Value params = kernel.getArgument(0);
  KernelTensors tensors =
      tensorsOf(op, tokens, static_cast<bool>(op.getCuSeqlens()));
  LevelRows rows(e, tensors, params,
                 runsOf(Rows::lengthOf(e, tensors, params)));
  Program(e, op, rows).emit();
  LLVM::ReturnOp::create(e.b, ValueRange());
  func.erase();
  return success();
}

namespace {
struct LevelsToGpuPass : qdelta::impl::LevelsToGpuBase<LevelsToGpuPass> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<FenwickOp, AddLevelsOp>(op) &&
          op->getParentOfType<func::FuncOp>().isPrivate())
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      auto func = op->getParentOfType<func::FuncOp>();
      LogicalResult converted = failure();
      if (auto fenwick = dyn_cast<FenwickOp>(op))
        converted = convert<FenwickProgram>(func, fenwick, /*tokens=*/1);
      else
        converted =
            convert<SumProgram>(func, cast<AddLevelsOp>(op), /*tokens=*/2);
      if (failed(converted))
        return signalPassFailure();
    }
  }
};
} // namespace

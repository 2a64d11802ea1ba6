//===- PairUpdates.cpp - updates of the state by products of pairs --------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/IR/Matchers.h"

namespace qdelta {
#define GEN_PASS_DEF_PAIRUPDATES
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

/// Columns of a register of sums; one of pairs holds as many pairs.
constexpr int64_t kLanes = 16;

/// One update: two rows of the state at a time.
class PairUpdate {
public:
  explicit PairUpdate(ChunkUpdateOp op) : op(op), b(op), loc(op.getLoc()) {}

  LogicalResult lower();

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  VectorType vectorOf(int64_t size, Type element) {
    return VectorType::get({size}, element);
  }
  Value read(Value tensor, ValueRange at, int64_t size);
  Value write(Value row, Value tensor, ValueRange at) {
    return vector::TransferWriteOp::create(b, loc, row, tensor, at,
                                           ArrayRef<bool>{true})
        .getResult();
  }
  /// a0 b0 a1 b1 ... of two registers of sums, rounded.
  Value pack(Value first, Value second);
  /// Elements `column` and `column + 1` of a row, in every lane of pairs.
  Value broadcastPair(Value tensor, Value row, Value column);
  Value multiply(Value sum, Value pairs, Value by) {
    return x86vector::DotBF16Op::create(b, loc, sum.getType(), sum, pairs, by);
  }
  /// [C, K] as [C / 2, 2 K]: the keys of two tokens alternate.
  Value interleaveTokens(Value keys);
  SmallVector<Value> pass(Value decay);

  ChunkUpdateOp op;
  OpBuilder b;
  Location loc;
  int64_t keys = 0, width = 0, chunk = 0;
  /// Per write: its keys, then per pair of tokens and register its values.
  SmallVector<Value> writeKeys;
  SmallVector<SmallVector<Value>> writeValues;
};

Value PairUpdate::read(Value tensor, ValueRange at, int64_t size) {
  Type element = cast<RankedTensorType>(tensor.getType()).getElementType();
  Value padding = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  return vector::TransferReadOp::create(b, loc, vectorOf(size, element), tensor,
                                        at, padding, ArrayRef<bool>{true});
}

Value PairUpdate::pack(Value first, Value second) {
  auto rounded = [&](Value row) {
    return x86vector::CvtPackedF32ToBF16Op::create(
        b, loc, vectorOf(kLanes, b.getBF16Type()), row);
  };
  return vector::InterleaveOp::create(b, loc, rounded(first), rounded(second));
}

Value PairUpdate::broadcastPair(Value tensor, Value row, Value column) {
  Value pair = read(tensor, {row, column}, 2);
  Value word =
      vector::BitCastOp::create(b, loc, vectorOf(1, b.getI32Type()), pair);
  word = vector::ExtractOp::create(b, loc, word, 0);
  word = vector::BroadcastOp::create(b, loc, vectorOf(kLanes, b.getI32Type()),
                                     word);
  return vector::BitCastOp::create(b, loc,
                                   vectorOf(2 * kLanes, b.getBF16Type()), word);
}

Value PairUpdate::interleaveTokens(Value tile) {
  Value result = tensor::EmptyOp::create(
      b, loc, ArrayRef<int64_t>{chunk / 2, 2 * keys}, b.getBF16Type());
  for (int64_t t = 0; t < chunk; t += 2)
    for (int64_t k = 0; k < keys; k += 2 * kLanes) {
      int64_t size = std::min(2 * kLanes, keys - k);
      Value first = read(tile, {index(t), index(k)}, size);
      Value second = read(tile, {index(t + 1), index(k)}, size);
      result = write(vector::InterleaveOp::create(b, loc, first, second),
                     result, {index(t / 2), index(2 * k)});
    }
  return result;
}

/// s <- [decay] s + sum a e over all rows, and reads of the new s. Returns the
/// state, then per read, token and register its sums.
SmallVector<Value> PairUpdate::pass(Value decay) {
  auto sumType = vectorOf(kLanes, b.getF32Type());
  int64_t registers = width / kLanes;
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(sumType));
  SmallVector<Value> inits{op.getState()};
  inits.append(op.getReads().size() * chunk * registers, zero);
  auto body = [&](OpBuilder &, Location, Value k, ValueRange args) {
    Value state = args[0], after = arith::AddIOp::create(b, loc, k, index(1));
    SmallVector<Value> first, second, sums(args.drop_front());
    for (int64_t p = 0; p < registers; ++p) {
      first.push_back(read(state, {k, index(p * kLanes)}, kLanes));
      second.push_back(read(state, {after, index(p * kLanes)}, kLanes));
    }
    if (decay) {
      Value lanes = vector::BroadcastOp::create(b, loc, sumType, decay);
      for (auto *rows : {&first, &second})
        for (Value &row : *rows)
          row = arith::MulFOp::create(b, loc, lanes, row);
    }
    Value pair = arith::MulIOp::create(b, loc, k, index(2));
    Value pairAfter = arith::AddIOp::create(b, loc, pair, index(2));
    for (auto [tile, values] : llvm::zip(writeKeys, writeValues))
      for (int64_t t = 0; t < chunk / 2; ++t) {
        Value by = broadcastPair(tile, index(t), pair);
        Value byAfter = broadcastPair(tile, index(t), pairAfter);
        for (int64_t p = 0; p < registers; ++p) {
          Value written = values[t * registers + p];
          first[p] = multiply(first[p], written, by);
          second[p] = multiply(second[p], written, byAfter);
        }
      }
    SmallVector<Value> packed;
    for (int64_t p = 0; p < registers; ++p) {
      state = write(first[p], state, {k, index(p * kLanes)});
      state = write(second[p], state, {after, index(p * kLanes)});
      packed.push_back(pack(first[p], second[p]));
    }
    SmallVector<Value> next{state};
    for (auto [r, tile] : llvm::enumerate(op.getReads()))
      for (int64_t t = 0; t < chunk; ++t) {
        Value by = broadcastPair(tile, index(t), k);
        for (int64_t p = 0; p < registers; ++p)
          next.push_back(multiply(sums[next.size() - 1], packed[p], by));
      }
    scf::YieldOp::create(b, loc, next);
  };
  auto loop =
      scf::ForOp::create(b, loc, index(0), index(keys), index(2), inits, body);
  return SmallVector<Value>(loop.getResults());
}

LogicalResult PairUpdate::lower() {
  auto type = cast<RankedTensorType>(op.getState().getType());
  keys = type.getDimSize(0);
  width = type.getDimSize(1);
  for (ValueRange tiles : {op.getKeys(), op.getReads()})
    for (Value tile : tiles) {
      chunk = cast<RankedTensorType>(tile.getType()).getDimSize(0);
      if (!cast<RankedTensorType>(tile.getType()).getElementType().isBF16())
        return op.emitError("expected all keys to be bf16, but got ")
               << tile.getType();
    }
  if (op.getChannels())
    return op.emitError("products of pairs need rows that decay alike, but got "
                        "a decay per key channel");
  if (keys % 2 || chunk % 2 || width % kLanes)
    return op.emitError("products of pairs need an even number of keys and "
                        "tokens, and columns that fill registers of 16, but "
                        "got ")
           << keys << ", " << chunk << " and " << width;
  for (auto [tile, values] : llvm::zip(op.getKeys(), op.getValues())) {
    writeKeys.push_back(interleaveTokens(tile));
    SmallVector<Value> &packed = writeValues.emplace_back();
    for (int64_t t = 0; t < chunk; t += 2)
      for (int64_t p = 0; p < width; p += kLanes)
        packed.push_back(pack(read(values, {index(t), index(p)}, kLanes),
                              read(values, {index(t + 1), index(p)}, kLanes)));
  }
  SmallVector<Value> results;
  if (matchPattern(op.getDecay(), m_OneFloat())) {
    results = pass(Value());
  } else {
    Value one = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(1.0f));
    Value decays = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE,
                                         op.getDecay(), one);
    auto branch = scf::IfOp::create(
        b, loc, decays,
        [&](OpBuilder &, Location) {
          scf::YieldOp::create(b, loc, pass(op.getDecay()));
        },
        [&](OpBuilder &, Location) {
          scf::YieldOp::create(b, loc, pass(Value()));
        });
    results.assign(branch.getResults().begin(), branch.getResults().end());
  }
  op.getResult().replaceAllUsesWith(results[0]);
  auto sums = llvm::drop_begin(results);
  auto sum = sums.begin();
  for (Value readout : op.getReadouts()) {
    Value tile = tensor::EmptyOp::create(
        b, loc, ArrayRef<int64_t>{chunk, width}, b.getF32Type());
    for (int64_t t = 0; t < chunk; ++t)
      for (int64_t p = 0; p < width; p += kLanes)
        tile = write(*sum++, tile, {index(t), index(p)});
    readout.replaceAllUsesWith(tile);
  }
  op.erase();
  return success();
}

struct PairUpdatesPass : qdelta::impl::PairUpdatesBase<PairUpdatesPass> {
  void runOnOperation() override {
    SmallVector<ChunkUpdateOp> updates;
    getOperation().walk([&](ChunkUpdateOp op) { updates.push_back(op); });
    for (ChunkUpdateOp op : updates)
      if (failed(PairUpdate(op).lower()))
        return signalPassFailure();
  }
};
} // namespace

//===- UnrollChunks.cpp - expand chunk tiles into rows --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "JoinPasses.h"
#include "PlainTiles.h"
#include "RowOps.h"
#include "TileParts.h"
#include "TransposeRows.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

namespace qdelta {
#define GEN_PASS_DEF_UNROLLCHUNKS
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

/// A scalar or row in another element type: wider, or rounded.
Value convert(OpBuilder &b, Location loc, Value value, Type element) {
  Type from = getElementTypeOrSelf(value.getType()), to = element;
  if (from == element)
    return value;
  if (auto row = dyn_cast<VectorType>(value.getType()))
    to = row.clone(element);
  if (from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(b, loc, to, value);
  return arith::TruncFOp::create(b, loc, to, value);
}

/// Expands the tiles of one function, op by op in program order.
class Unroller {
public:
  explicit Unroller(func::FuncOp func) : func(func), b(func), parts(b) {}

  LogicalResult run();

private:
  LogicalResult visitBlock(Block &block);
  LogicalResult visit(Operation *op);

  void unroll(LoadTileOp op);
  void unroll(StoreTileOp op);
  void unroll(ChunkValidOp op);
  void unroll(MaskRowsOp op);
  void unroll(ScaleChannelsOp op);
  void unroll(AnyOutsideOp op);
  void unroll(ChunkDecayOp op);
  void unroll(ChunkTransferOp op);
  void unroll(ChunkGramOp op);
  void unroll(ChunkReadOp op);
  void unroll(ChunkApplyOp op);
  void unroll(ChunkSolveOp op);
  void unroll(ChunkUpdateOp op);
  void unroll(ScaleOp op);
  void unroll(tensor::InsertSliceOp op);
  void unrollElementwise(Operation *op);

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value add(Value lhs, int64_t rhs) {
    if (rhs == 0)
      return lhs;
    return arith::AddIOp::create(b, loc, lhs, index(rhs));
  }
  Value timesRow(Value scalar, Value row) {
    return arith::MulFOp::create(b, loc, parts.broadcast(loc, scalar, row),
                                 row);
  }
  Value fma(Value scalar, Value row, Value sum) {
    return vector::FMAOp::create(b, loc, parts.broadcast(loc, scalar, row), row,
                                 sum);
  }
  Value readTerm(Value keys, int64_t token, Value k) {
    return tensor::ExtractOp::create(b, loc, keys, ValueRange{index(token), k});
  }
  void prefetchAhead(ChunkUpdateOp op, Value k);
  /// One pass over the rows of the state: s <- [decay] s + sum a e, reads of
  /// the new s, and those behind the update of the old one. Returns the state,
  /// then the accumulated readouts. `decayOf` gives the decay of row k, null
  /// for none.
  SmallVector<Value> statePass(ChunkUpdateOp op,
                               function_ref<Value(Value)> decayOf);

  func::FuncOp func;
  OpBuilder b;
  TileParts parts;
  Location loc = UnknownLoc::get(b.getContext());
  SmallVector<Operation *> expanded;
};

void Unroller::unroll(LoadTileOp op) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  SmallVector<Value> indices(op.getIndices()), rows;
  bool isSequence = indices.size() == 3;
  Value first, last;
  if (isSequence) {
    first = indices[1];
    last = arith::SubIOp::create(
        b, loc, tensor::DimOp::create(b, loc, op.getSource(), 1), index(1));
  }
  if (type.getRank() == 2)
    indices.push_back(op.getColumn() ? op.getColumn() : index(0));
  for (int64_t t = 0; t < type.getDimSize(0); ++t) {
    if (isSequence)
      indices[1] = arith::MinUIOp::create(b, loc, add(first, t), last);
    Value row =
        type.getRank() == 2
            ? parts.readRow(loc, op.getSource(), indices, type.getDimSize(1))
            : tensor::ExtractOp::create(b, loc, op.getSource(), indices)
                  .getResult();
    rows.push_back(convert(b, loc, row, type.getElementType()));
  }
  parts.set(op.getResult(), std::move(rows));
}

void Unroller::unroll(StoreTileOp op) {
  SmallVector<Value> indices(op.getIndices());
  indices.push_back(op.getColumn());
  Value first = indices[1];
  Value length = tensor::DimOp::create(b, loc, op.getDest(), 1);
  Value dest = op.getDest();
  Type stored = op.getDest().getType().getElementType();
  for (auto [t, row] : llvm::enumerate(parts.rows(op.getTile()))) {
    indices[1] = add(first, t);
    Value exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                         indices[1], length);
    auto guarded = scf::IfOp::create(
        b, loc, exists,
        [&](OpBuilder &, Location) {
          Value elements = convert(b, loc, row, stored);
          scf::YieldOp::create(b, loc,
                               parts.writeRow(loc, elements, dest, indices));
        },
        [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, dest); });
    dest = guarded.getResult(0);
  }
  op.getResult().replaceAllUsesWith(dest);
}

void Unroller::unroll(ChunkValidOp op) {
  SmallVector<Value> valid;
  for (int64_t t = 0; t < op.getResult().getType().getShape()[0]; ++t)
    valid.push_back(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                          add(op.getFirst(), t),
                                          op.getLength()));
  parts.set(op.getResult(), std::move(valid));
}

void Unroller::unroll(MaskRowsOp op) {
  SmallVector<Value> masked;
  for (auto [row, valid] :
       llvm::zip(parts.rows(op.getTile()), parts.scalars(op.getValid()))) {
    Value zero =
        arith::ConstantOp::create(b, loc, b.getZeroAttr(row.getType()));
    masked.push_back(arith::SelectOp::create(b, loc, valid, row, zero));
  }
  parts.set(op.getResult(), std::move(masked));
}

void Unroller::unroll(ScaleChannelsOp op) {
  Value by = parts.rows(op.getBy())[0];
  SmallVector<Value> scaled;
  for (Value row : parts.rows(op.getTile()))
    scaled.push_back(parts.multiply(loc, row, by));
  parts.set(op.getResult(), std::move(scaled));
}

void Unroller::unroll(AnyOutsideOp op) {
  using Predicate = arith::CmpFPredicate;
  Value outside;
  for (Value row : parts.rows(op.getTile())) {
    auto isBeyond = [&](vector::CombiningKind kind, Predicate predicate,
                        APFloat limit) {
      Value extreme = vector::ReductionOp::create(b, loc, kind, row);
      Value bound = arith::ConstantOp::create(
          b, loc, b.getFloatAttr(extreme.getType(), limit.convertToDouble()));
      Value beyond = arith::CmpFOp::create(b, loc, predicate, extreme, bound);
      outside =
          outside ? arith::OrIOp::create(b, loc, outside, beyond) : beyond;
    };
    isBeyond(vector::CombiningKind::MINIMUMF, Predicate::ULT, op.getLow());
    isBeyond(vector::CombiningKind::MAXIMUMF, Predicate::UGT, op.getHigh());
  }
  op.getResult().replaceAllUsesWith(outside);
}

/// The decays of a chunk's list as factors. Places are numbered over the chunk:
/// place p of token t is t * decays + p.
class Factors {
public:
  Factors(OpBuilder &b, Location loc, TileParts &parts, ValueRange logs)
      : b(b), loc(loc) {
    for (Value log : logs) {
      bool perChannel = cast<RankedTensorType>(log.getType()).getRank() == 2;
      SmallVector<Value> &row = factors.emplace_back();
      for (Value part : perChannel ? parts.rows(log) : parts.scalars(log))
        row.push_back(math::ExpOp::create(b, loc, part));
    }
  }

  int64_t place(int64_t token, int64_t inToken) const {
    return token * static_cast<int64_t>(factors.size()) + inToken;
  }
  /// From one place to another, in `element`; null for 1.
  Value product(int64_t begin, int64_t end, Type element) {
    Value result;
    int64_t perToken = factors.size();
    for (int64_t at = begin; at < end; ++at) {
      Value factor = factors[at % perToken][at / perToken];
      factor = convert(b, loc, factor, element);
      result = result ? arith::MulFOp::create(b, loc, result, factor) : factor;
    }
    return result;
  }

private:
  OpBuilder &b;
  Location loc;
  SmallVector<SmallVector<Value>> factors; // [decay][token]
};

void Unroller::unroll(ChunkDecayOp op) {
  Factors factors(b, loc, parts, op.getLogs());
  auto type = dyn_cast<RankedTensorType>(op.getResult().getType());
  bool perChannel =
      !op.getLogs().empty() &&
      cast<RankedTensorType>(op.getLogs()[0].getType()).getRank() == 2;
  Type element = getElementTypeOrSelf(op.getResult().getType());
  auto product = [&](int64_t begin, int64_t end) -> Value {
    if (Value made = factors.product(begin, end, element))
      return made;
    if (!perChannel)
      return parts.one(loc, element);
    auto row = VectorType::get({type.getDimSize(1)}, element);
    return arith::ConstantOp::create(
        b, loc, SplatElementsAttr::get(row, b.getFloatAttr(element, 1.0)));
  };
  std::optional<uint64_t> from = op.getFrom(), to = op.getTo();
  int64_t chunk =
      op.getLogs().empty()
          ? (type ? type.getDimSize(0) : 1)
          : cast<RankedTensorType>(op.getLogs()[0].getType()).getDimSize(0);
  int64_t end = factors.place(chunk, 0);
  if (!from && !to) {
    if (type)
      parts.set(op.getResult(), product(0, end));
    else
      op.getResult().replaceAllUsesWith(product(0, end));
    return;
  }
  SmallVector<Value> entries;
  for (int64_t t = 0; t < chunk; ++t) {
    if (!from)
      entries.push_back(product(0, factors.place(t, *to)));
    else if (!to)
      entries.push_back(product(factors.place(t, *from), end));
    else
      for (int64_t s = 0; s < chunk; ++s)
        entries.push_back(
            s < t || (s == t && op.getInclusive())
                ? product(factors.place(s, *from), factors.place(t, *to))
                : Value());
  }
  parts.set(op.getResult(), std::move(entries));
}

/// The states' parts of what `of` was, step by step; null is 0.
void Unroller::unroll(ChunkTransferOp op) {
  Type element = getElementTypeOrSelf(op.getResult().getType());
  SmallVector<SmallVector<Value>> by;
  for (auto [step, target, source] :
       llvm::zip(op.getSteps(), op.getTargets(), op.getSources())) {
    SmallVector<Value> &factors = by.emplace_back(parts.scalars(step));
    for (Value &factor : factors) {
      if (target == source)
        factor = math::ExpOp::create(b, loc, factor);
      factor = convert(b, loc, factor, element);
    }
  }
  auto between = [&](size_t begin, size_t end) {
    llvm::DenseMap<int64_t, Value> states{
        {op.getOf(), parts.one(loc, element)}};
    for (size_t at = begin; at < end; ++at) {
      size_t step = at % by.size();
      Value source = states.lookup(op.getSources()[step]);
      if (!source)
        continue;
      Value &target = states[op.getTargets()[step]];
      Value part = parts.multiply(loc, by[step][at / by.size()], source);
      if (target && op.getSources()[step] != op.getTargets()[step])
        part = arith::AddFOp::create(b, loc, target, part);
      target = part;
    }
    Value into = states.lookup(op.getInto());
    return into ? into
                : arith::ConstantOp::create(b, loc, b.getZeroAttr(element))
                      .getResult();
  };
  size_t chunk = by[0].size(), all = by.size();
  std::optional<uint64_t> from = op.getFrom(), to = op.getTo();
  if (!from && !to) {
    op.getResult().replaceAllUsesWith(between(0, chunk * all));
    return;
  }
  SmallVector<Value> entries;
  for (size_t t = 0; t < chunk; ++t) {
    size_t end = to ? t * all + *to : chunk * all;
    if (!from || !to)
      entries.push_back(between(from ? t * all + *from : 0, end));
    else
      for (size_t s = 0; s < chunk; ++s)
        entries.push_back(s < t + op.getInclusive()
                              ? between(s * all + *from, end)
                              : Value());
  }
  parts.set(op.getResult(), std::move(entries));
}

void Unroller::unroll(ChunkGramOp op) {
  SmallVector<Value> reads = parts.rows(op.getReads()),
                     writes = parts.rows(op.getWrites()), entries;
  Factors factors(b, loc, parts, op.getLogs());
  bool decays = !op.getLogs().empty();
  for (size_t t = 0; t < reads.size(); ++t)
    for (size_t s = 0; s < writes.size(); ++s) {
      if (decays && s >= t + op.getInclusive()) {
        entries.push_back({});
        continue;
      }
      Value write = writes[s];
      if (decays)
        if (Value decay = factors.product(
                factors.place(s, *op.getFrom()), factors.place(t, *op.getTo()),
                getElementTypeOrSelf(write.getType())))
          write = arith::MulFOp::create(b, loc, write, decay);
      entries.push_back(vector::ReductionOp::create(
          b, loc, vector::CombiningKind::ADD,
          arith::MulFOp::create(b, loc, reads[t], write)));
    }
  parts.setMatrix(op.getResult(), std::move(entries));
}

/// Reads of one state that follow one another share a pass over its rows.
void Unroller::unroll(ChunkReadOp op) {
  if (parts.isExpanded(op.getResult()))
    return; // by the one before it, or by the update
  SmallVector<ChunkReadOp> reads;
  for (auto read = op; read && read.getState() == op.getState();
       read = dyn_cast<ChunkReadOp>(read->getNextNode()))
    reads.push_back(read);
  auto type = cast<RankedTensorType>(op.getResult().getType());
  int64_t chunk = type.getDimSize(0), width = type.getDimSize(1);
  int64_t rows = cast<RankedTensorType>(op.getState().getType()).getDimSize(0);
  SmallVector<Value> keys;
  for (ChunkReadOp read : reads)
    keys.push_back(parts.memory(read.getKeys()));
  SmallVector<Value> zeros(chunk * reads.size(), parts.zeroRow(loc, type));
  auto loop = scf::ForOp::create(
      b, loc, index(0), index(rows), index(1), zeros,
      [&](OpBuilder &, Location, Value k, ValueRange sums) {
        Value row = parts.readRow(loc, op.getState(), {k, index(0)}, width);
        SmallVector<Value> next;
        for (auto [i, sum] : llvm::enumerate(sums))
          next.push_back(
              fma(readTerm(keys[i / chunk], i % chunk, k), row, sum));
        scf::YieldOp::create(b, loc, next);
      });
  for (auto [i, read] : llvm::enumerate(reads))
    parts.set(read.getResult(), loop.getResults().slice(i * chunk, chunk));
}

void Unroller::unroll(ChunkApplyOp op) {
  SmallVector<Value> values = parts.rows(op.getValues());
  SmallVector<Value> matrix = parts.matrix(op.getMatrix());
  SmallVector<Value> sums(parts.rows(op.getInit()));
  Factors factors(b, loc, parts, op.getLogs());
  auto left = [&](size_t s, size_t t) {
    Value decay = op.getLogs().empty()
                      ? Value()
                      : factors.product(factors.place(s, *op.getFrom()),
                                        factors.place(t, *op.getTo()),
                                        getElementTypeOrSelf(values[s]));
    return decay ? arith::MulFOp::create(b, loc, values[s], decay).getResult()
                 : values[s];
  };
  size_t chunk = sums.size();
  for (size_t t = 0; t < chunk; ++t)
    for (size_t s = 0; s < t + op.getInclusive(); ++s)
      if (Value entry = matrix[t * chunk + s])
        sums[t] = fma(entry, left(s, t), sums[t]);
  parts.set(op.getResult(), std::move(sums));
}

void Unroller::unroll(ChunkSolveOp op) {
  size_t unknowns = op.getRhs().size();
  SmallVector<SmallVector<Value>> solved(unknowns), matrices;
  size_t chunk = parts.rows(op.getRhs()[0]).size();
  for (Value block : op.getBlocks())
    if (matchPattern(block, m_AnyZeroFloat()))
      matrices.emplace_back(chunk * chunk);
    else
      matrices.emplace_back(parts.matrix(block));
  for (size_t t = 0; t < chunk; ++t)
    for (size_t j = 0; j < unknowns; ++j) {
      Value row = parts.rows(op.getRhs()[j])[t];
      for (size_t s = 0; s <= t; ++s)
        for (size_t w = 0; w < (s < t ? unknowns : j); ++w)
          if (Value entry = matrices[j * unknowns + w][t * chunk + s])
            row = fma(entry, solved[w][s], row);
      solved[j].push_back(row);
    }
  for (auto [result, rows] : llvm::zip(op.getResults(), solved))
    parts.set(result, std::move(rows));
}

/// Hints for row k of the state that is next. Processors fetch the other line
/// of a pair by themselves, and a hint for each line would take up all that may
/// be under way at once.
void Unroller::prefetchAhead(ChunkUpdateOp op, Value k) {
  if (!op.getAhead())
    return;
  constexpr int64_t kPairOfLines = 128;
  ValueRange at = op.getAheadAt();
  auto type = cast<RankedTensorType>(op.getState().getType());
  int64_t step = kPairOfLines * 8 / type.getElementTypeBitWidth();
  for (int64_t column = 0; column < type.getDimSize(1); column += step)
    PrefetchOp::create(b, loc, op.getAhead(), ValueRange{at[0], at[1], k},
                       add(at[2], column), /*rows=*/1, /*width=*/1,
                       /*for_write=*/false);
}

SmallVector<Value> Unroller::statePass(ChunkUpdateOp op,
                                       function_ref<Value(Value)> decayOf) {
  auto type = cast<RankedTensorType>(op.getState().getType());
  int64_t keys = type.getDimSize(0), width = type.getDimSize(1);
  SmallVector<Value> writeKeys, readKeys, inits{op.getState()};
  for (Value key : op.getKeys())
    writeKeys.push_back(parts.memory(key));
  size_t chunk = 0, ofNew = op.getReads().size();
  auto addRead = [&](Value key) {
    readKeys.push_back(parts.memory(key));
    chunk = cast<RankedTensorType>(key.getType()).getDimSize(0);
  };
  llvm::for_each(op.getReads(), addRead);
  for (ChunkReadOp read : readsBehind(op))
    addRead(read.getKeys());
  inits.append(readKeys.size() * chunk, parts.zeroRow(loc, type));
  auto loop = scf::ForOp::create(
      b, loc, index(0), index(keys), index(1), inits,
      [&](OpBuilder &, Location, Value k, ValueRange args) {
        SmallVector<Value> at{k, index(0)};
        prefetchAhead(op, k);
        Value row = parts.readRow(loc, args[0], at, width), old = row;
        if (Value decay = decayOf(k))
          row = timesRow(decay, row);
        if (op.getColumns())
          row = arith::MulFOp::create(b, loc, row,
                                      parts.rows(op.getColumns())[0]);
        for (auto [other, factor] : llvm::zip(op.getOthers(), op.getFactors()))
          row = fma(factor, parts.readRow(loc, other, at, width), row);
        for (auto [key, value] : llvm::zip(writeKeys, op.getValues()))
          for (auto [t, written] : llvm::enumerate(parts.rows(value)))
            row = fma(readTerm(key, t, k), written, row);
        SmallVector<Value> next{parts.writeRow(loc, row, args[0], at)};
        for (auto [i, sum] : llvm::enumerate(args.drop_front()))
          next.push_back(fma(readTerm(readKeys[i / chunk], i % chunk, k),
                             i / chunk < ofNew ? row : old, sum));
        scf::YieldOp::create(b, loc, next);
      });
  return SmallVector<Value>(loop.getResults());
}

void Unroller::unroll(ChunkUpdateOp op) {
  // Rows are made once, outside both branches.
  for (Value value : op.getValues())
    parts.rows(value);
  if (op.getColumns())
    parts.rows(op.getColumns());
  bool common = !matchPattern(op.getDecay(), m_OneFloat());
  Value channels = op.getChannels() ? parts.memory(op.getChannels()) : Value();
  Value when = op.getWhen();
  auto plain = [](Value) { return Value(); };
  auto decaying = [&](Value k) {
    if (!channels)
      return op.getDecay();
    Value own = readTerm(channels, 0, k);
    if (!common)
      return own;
    if (when)
      own = arith::SelectOp::create(b, loc, when, own,
                                    parts.one(loc, own.getType()));
    return parts.multiply(loc, op.getDecay(), own);
  };
  SmallVector<Value> results;
  if (!common && !channels) {
    results = statePass(op, plain);
  } else if (channels && !when) {
    results = statePass(op, decaying);
  } else {
    Value decays = when;
    if (common) {
      decays = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE,
                                     op.getDecay(),
                                     parts.one(loc, op.getDecay().getType()));
      if (when)
        decays = arith::OrIOp::create(b, loc, decays, when);
    }
    auto branch = scf::IfOp::create(
        b, loc, decays,
        [&](OpBuilder &, Location) {
          scf::YieldOp::create(b, loc, statePass(op, decaying));
        },
        [&](OpBuilder &, Location) {
          scf::YieldOp::create(b, loc, statePass(op, plain));
        });
    results.assign(branch.getResults().begin(), branch.getResults().end());
  }
  op.getResult().replaceAllUsesWith(results[0]);
  ArrayRef<Value> rows = ArrayRef(results).drop_front();
  auto take = [&](Value readout) {
    int64_t chunk = cast<RankedTensorType>(readout.getType()).getDimSize(0);
    parts.set(readout, rows.take_front(chunk));
    rows = rows.drop_front(chunk);
  };
  llvm::for_each(op.getReadouts(), take);
  for (ChunkReadOp read : readsBehind(op))
    take(read.getResult());
}

void Unroller::unroll(ScaleOp op) {
  auto type = cast<RankedTensorType>(op.getVector().getType());
  SmallVector<Value> scaled;
  if (type.getRank() == 1) {
    for (Value part : parts.scalars(op.getVector()))
      scaled.push_back(parts.multiply(loc, part, op.getBy()));
  } else if (parts.isMatrix(op.getVector())) {
    SmallVector<Value> matrix = parts.matrix(op.getVector());
    SmallVector<Value> by = parts.scalars(op.getBy());
    for (auto [i, entry] : llvm::enumerate(matrix))
      scaled.push_back(entry ? parts.multiply(loc, entry, by[i / by.size()])
                             : Value());
    parts.setMatrix(op.getResult(), std::move(scaled));
    return;
  } else {
    for (auto [row, by] :
         llvm::zip(parts.rows(op.getVector()), parts.scalars(op.getBy())))
      scaled.push_back(timesRow(by, row));
  }
  parts.set(op.getResult(), std::move(scaled));
}

void Unroller::unroll(tensor::InsertSliceOp op) {
  SmallVector<Value> at;
  for (OpFoldResult offset : op.getMixedOffsets())
    at.push_back(getValueOrCreateConstantIndexOp(b, loc, offset));
  op.getResult().replaceAllUsesWith(
      parts.store(loc, op.getSource(), op.getDest(), at));
}

void Unroller::unrollElementwise(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  DenseElementsAttr constant;
  if (matchPattern(op, m_Constant(&constant))) {
    parts.setConstant(loc, op->getResult(0), constant);
    return;
  }
  bool matrix = llvm::any_of(op->getOperands(),
                             [&](Value v) { return parts.isMatrix(v); });
  SmallVector<SmallVector<Value>> operands;
  for (Value operand : op->getOperands()) {
    // The condition of a select may be one for all parts.
    if (!isa<RankedTensorType>(operand.getType()))
      operands.emplace_back(matrix ? type.getNumElements() : type.getDimSize(0),
                            operand);
    else
      operands.push_back(matrix                ? parts.matrix(operand)
                         : type.getRank() == 1 ? parts.scalars(operand)
                                               : parts.rows(operand));
  }
  SmallVector<Value> results;
  for (size_t i = 0; i < operands[0].size(); ++i) {
    SmallVector<Value> at;
    for (SmallVector<Value> &operand : operands)
      at.push_back(operand[i]);
    results.push_back(parts.applyToParts(loc, op, at, type));
  }
  if (matrix)
    parts.setMatrix(op->getResult(0), std::move(results));
  else
    parts.set(op->getResult(0), std::move(results));
}

/// A constant tile. Constants that are no splat are memory that tiles load
/// from.
bool isSplatConstant(Operation *op) {
  DenseElementsAttr constant;
  return matchPattern(op, m_Constant(&constant)) && constant.isSplat();
}

LogicalResult Unroller::visit(Operation *op) {
  b.setInsertionPoint(op);
  loc = op->getLoc();
  bool handled =
      TypeSwitch<Operation *, bool>(op)
          .Case<LoadTileOp, StoreTileOp, ChunkValidOp, MaskRowsOp,
                ScaleChannelsOp, AnyOutsideOp, ChunkDecayOp, ChunkTransferOp,
                ChunkGramOp, ChunkReadOp, ChunkApplyOp, ChunkSolveOp, ScaleOp>(
              [&](auto tileOp) {
                unroll(tileOp);
                return true;
              })
          .Case([&](ChunkUpdateOp update) {
            if (multipliesPairs(update))
              return false;
            unroll(update);
            return true;
          })
          .Case([&](tensor::InsertSliceOp insert) {
            if (!parts.isExpanded(insert.getSource()))
              return false;
            unroll(insert);
            return true;
          })
          .Case([&](tensor::FromElementsOp elements) {
            parts.set(elements, SmallVector<Value>(elements.getElements()));
            return true;
          })
          .Default([&](Operation *other) {
            if (expandRowOp(b, parts, other))
              return true;
            // A tensor with dynamic sizes is no tile.
            if (other->getNumResults() != 1 ||
                !isa<RankedTensorType>(other->getResult(0).getType()) ||
                !cast<RankedTensorType>(other->getResult(0).getType())
                     .hasStaticShape() ||
                !(other->hasTrait<OpTrait::Elementwise>() ||
                  isSplatConstant(other)))
              return false;
            unrollElementwise(other);
            return true;
          });
  if (handled) {
    expanded.push_back(op);
    return success();
  }
  // Anything else works on memory.
  for (OpOperand &operand : op->getOpOperands())
    if (parts.isExpanded(operand.get()))
      operand.set(parts.memory(operand.get()));
  // What it reads crosses to the next chunk as rows.
  if (auto update = dyn_cast<ChunkUpdateOp>(op))
    for (Value readout : update.getReadouts())
      parts.rows(readout);
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (failed(visitBlock(block)))
        return failure();
  return success();
}

LogicalResult Unroller::visitBlock(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block))
    if (failed(visit(&op)))
      return failure();
  return success();
}

LogicalResult Unroller::run() {
  moveReadsBehindUpdates(
      func, [](ChunkUpdateOp update) { return !multipliesPairs(update); });
  if (failed(visitBlock(func.getBody().front())))
    return failure();
  for (Operation *op : llvm::reverse(expanded))
    op->erase();
  return success();
}

struct UnrollChunksPass : qdelta::impl::UnrollChunksBase<UnrollChunksPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      auto schedule = func->getAttrOfType<ScheduleAttr>("qdelta.schedule");
      if (!schedule || !schedule.getUnroll())
        continue;
      lowerTransposes(func, schedule.getLanes());
      if (failed(verifyPlainTiles(func)) || failed(Unroller(func).run()))
        return signalPassFailure();
    }
  }
};
} // namespace

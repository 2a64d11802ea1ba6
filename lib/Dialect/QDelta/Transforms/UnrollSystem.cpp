//===- UnrollSystem.cpp - decays, and a chunk's own system ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "Unroller.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

namespace {
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
      factor = convertRow(b, loc, factor, element);
      result = result ? arith::MulFOp::create(b, loc, result, factor) : factor;
    }
    return result;
  }

private:
  OpBuilder &b;
  Location loc;
  SmallVector<SmallVector<Value>> factors; // [decay][token]
};
} // namespace

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
      factor = convertRow(b, loc, factor, element);
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

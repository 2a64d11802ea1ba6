//===- MatrixValues.cpp - [C x C] values, 16 rows a warp ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Element 4 j + 2 h + i of a fragment is row 16 w + g + 8 h, column 8 j + 2 q + i
// for warp w, group g and quad q: the accumulator of mma.sync.
//
//===----------------------------------------------------------------------===//

#include "Gram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

FailureOr<Fragment> MatrixValues::get(Value value) {
  auto known = values.find(value);
  if (known != values.end())
    return known->second;
  FailureOr<Fragment> made = make(value.getDefiningOp());
  if (succeeded(made))
    values[value] = *made;
  return made;
}

Fragment MatrixValues::rowValues(Num vector) {
  Num at = vector + (x.warp * 16 + x.group) * 4;
  return {e.loadShared(at), e.loadShared(at + 32)};
}

void MatrixValues::gram(ChunkGramOp op, Fragment &sum) {
  Num reads = stage + plan.tileOf(op.getReads()).offset;
  Num writes = stage + plan.tileOf(op.getWrites()).offset;
  int64_t rows = plan.chunk;
  if (plan.format == Format::TF32) {
    // The k index of both operands is renamed so that a thread's two are
    // adjacent.
    for (int64_t k = 0; k < plan.keys; k += 8) {
      Num column = x.quad * 2 + k;
      auto load = [&](Num tile, Num row) {
        Fragment pair = e.loadSharedMany(
            kernel.elementAddress(tile, rows, row, column), 2);
        return Fragment{e.roundTf32(pair[0]), e.roundTf32(pair[1])};
      };
      Fragment low = load(reads, x.warp * 16 + x.group);
      Fragment high = load(reads, x.warp * 16 + x.group + 8);
      Fragment a{low[0], high[0], low[1], high[1]};
      for (int64_t j = 0; j < rows / 8; ++j) {
        Fragment b = load(writes, x.group + 8 * j);
        e.product(plan.format, MutableArrayRef(sum).slice(4 * j, 4), a, b[0],
                  b[1]);
      }
    }
    return;
  }
  Num rowOfA = x.warp * 16 + (x.matrix & 1) * 8 + x.row;
  Num rowOfB = (x.matrix >> 1) * 8 + x.row;
  for (int64_t k = 0; k < plan.keys / 16; ++k) {
    Fragment a = e.loadMatrices(kernel.tileAddress(reads, rows, rowOfA, x.row,
                                                   x.matrix >> 1, 2 * k),
                                /*transposed=*/false);
    for (int64_t n = 0; n < rows / 16; ++n) {
      Fragment b = e.loadMatrices(
          kernel.tileAddress(writes, rows, rowOfB + 16 * n, x.row,
                             x.matrix & 1, 2 * k),
          /*transposed=*/false);
      auto at = MutableArrayRef(sum).slice(8 * n, 8);
      e.product(plan.format, at.take_front(4), a, b[0], b[1]);
      e.product(plan.format, at.drop_front(4), a, b[2], b[3]);
    }
  }
}

Fragment MatrixValues::decay(ChunkDecayOp op) {
  Num one = e.f32(1), zero = e.f32(0);
  Num shared = kernel.shared;
  auto vector = [&](int64_t place) {
    return shared + (plan.cumulativesAt +
                     4 * plan.chunk * plan.cumulativeIndex(op.getLogs(), place));
  };
  bool decays = !op.getLogs().empty();
  Fragment rows, result;
  if (decays)
    rows = rowValues(vector(*op.getTo()));
  for (int64_t j = 0; j < plan.chunk / 8; ++j) {
    Fragment columns;
    Num column = x.quad * 2 + 8 * j;
    if (decays)
      columns = e.loadSharedMany(vector(*op.getFrom()) + column * 4, 2);
    for (int64_t h = 0; h < 2; ++h)
      for (int64_t i = 0; i < 2; ++i) {
        Num row = x.warp * 16 + x.group + 8 * h;
        Num stands = op.getInclusive() ? column + i <= row : column + i < row;
        Num value = decays ? e.exp2(rows[h] - columns[i]) : one;
        result.push_back(e.select(stands, value, zero));
      }
  }
  return result;
}

FailureOr<Fragment> MatrixValues::make(Operation *op) {
  auto size = static_cast<size_t>(plan.chunk / 2);
  DenseElementsAttr splat;
  if (matchPattern(op, m_Constant(&splat)) && splat.isSplat())
    return Fragment(size,
                    e.f32(splat.getSplatValue<APFloat>().convertToDouble()));
  if (auto gramOp = dyn_cast<ChunkGramOp>(op)) {
    Fragment sum(size, e.f32(0));
    gram(gramOp, sum);
    return sum;
  }
  if (auto decayOp = dyn_cast<ChunkDecayOp>(op))
    return decay(decayOp);
  if (auto scale = dyn_cast<ScaleOp>(op)) {
    FailureOr<Fragment> values = get(op->getOperand(0));
    if (failed(values))
      return failure();
    Fragment by = rowValues(
        kernel.shared +
        (plan.scratchAt + plan.rowVectors.lookup(op->getOperand(1))));
    Fragment result;
    for (auto [i, value] : llvm::enumerate(*values))
      result.push_back(value * by[(i >> 1) & 1]);
    return result;
  }
  // A product that is only added goes straight onto the other term.
  if (isa<arith::AddFOp>(op))
    for (unsigned side = 0; side < 2; ++side) {
      auto gramOp = op->getOperand(side).getDefiningOp<ChunkGramOp>();
      if (!gramOp || !gramOp->hasOneUse())
        continue;
      FailureOr<Fragment> sum = get(op->getOperand(1 - side));
      if (succeeded(sum))
        gram(gramOp, *sum);
      return sum;
    }
  if (!isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::NegFOp>(op)) {
    op->emitError("is not lowered for GPUs yet as a matrix of the chunk");
    return failure();
  }
  SmallVector<Fragment> operands;
  for (Value operand : op->getOperands()) {
    FailureOr<Fragment> values = get(operand);
    if (failed(values))
      return failure();
    operands.push_back(*values);
  }
  Fragment result;
  for (size_t i = 0; i < size; ++i) {
    SmallVector<Value> parts;
    for (Fragment &operand : operands)
      parts.push_back(operand[i]);
    Operation *made = e.b.create(op->getLoc(), op->getName().getIdentifier(),
                                 parts, e.f32Type(), op->getAttrs());
    result.push_back(e.num(made->getResult(0)));
  }
  return result;
}

void MatrixValues::storeOperand(const Fragment &values, Num tile) {
  int64_t rows = plan.chunk;
  for (int64_t j = 0; j < rows / 8; ++j)
    for (int64_t h = 0; h < 2; ++h) {
      Num row = x.warp * 16 + x.group + 8 * h;
      Num first = values[4 * j + 2 * h], second = values[4 * j + 2 * h + 1];
      if (plan.format == Format::TF32) {
        Num at = kernel.elementAddress(tile, rows, row, x.quad * 2 + 8 * j);
        e.storeSharedPair(at, first, second);
        continue;
      }
      Num at = kernel.tileAddress(tile, rows, row, x.group, e.i32(j & 1),
                                  j & ~1) +
               x.quad * 4;
      e.store(e.pack(plan.format, first, second), e.sharedPointer(at));
    }
}

void MatrixValues::storeSystem(const Fragment &values, Num system,
                               int64_t block, int64_t unknown) {
  int64_t pitch = plan.systemPitch() * 4;
  for (int64_t j = 0; j < plan.chunk / 8; ++j)
    for (int64_t h = 0; h < 2; ++h) {
      Num row = x.warp * 16 + x.group + 8 * h;
      Num column = x.quad * 2 + 8 * j;
      Num at = system + (row * unknown + block / unknown) * pitch +
               (column * unknown + block % unknown) * 4;
      Num first = values[4 * j + 2 * h], second = values[4 * j + 2 * h + 1];
      if (unknown == 1) {
        e.storeSharedPair(at, first, second);
        continue;
      }
      e.storeShared(first, at);
      e.storeShared(second, at + 4 * unknown);
    }
}

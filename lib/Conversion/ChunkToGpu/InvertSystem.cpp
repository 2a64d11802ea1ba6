//===- InvertSystem.cpp - the inverse of a chunk's triangular system ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// X = (I - L)^-1 for L strictly lower triangular, N x N f32 in shared memory,
// in blocks of 16. The diagonal blocks D_i are made by substitution, a column a
// lane. Below them X_ij = D_i sum_k L_ik X_kj; block column j belongs to one
// warp and is kept transposed, X_ij^T = (sum_k X_kj^T L_ik^T) D_i^T, because
// then the accumulator of a product is the first operand of the next.
//
//===----------------------------------------------------------------------===//

#include "Gram.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

namespace {

class Inverter {
public:
  Inverter(Kernel &kernel, Num slot)
      : kernel(kernel), e(kernel.e), plan(kernel.plan),
        x(kernel.lane(/*gramRole=*/true)), slot(slot),
        system(kernel.shared + plan.systemAt), pitch(plan.systemPitch() * 4),
        unknown(plan.order / plan.chunk) {}

  void run() {
    // As many diagonal blocks as columns of blocks, dealt out to the warps.
    for (int64_t turn = 0; turn < unknown; ++turn)
      invertDiagonal(x.warp + turn * plan.gramWarps);
    e.syncGroup(kGramBarrier, 32 * plan.gramWarps);
    for (int64_t turn = 0; turn < unknown; ++turn)
      createColumn(x.warp + turn * plan.gramWarps);
  }

private:
  /// An operand in TF32: its leading part and, unless one is enough, the rest.
  struct Split {
    Fragment high, low;
  };
  Split split(ArrayRef<Num> values);
  Num at(Num row, Num column) { return system + row * pitch + column * 4; }
  void invertDiagonal(Num block);
  void createColumn(Num block);
  void addBelow(Num block, int64_t below, SmallVector<Split> &column);
  /// sum += a M^T for the block M at (row, column).
  void multiply(Fragment &sum, const Split &a, Num row, Num column);
  void storeBlock(const Fragment &values, Num rowBlock, Num columnBlock);

  Kernel &kernel;
  Emitter &e;
  Plan &plan;
  Lane x;
  Num slot;
  Num system;
  int64_t pitch, unknown;
};

void Inverter::invertDiagonal(Num block) {
  Num origin = at(block * 16, block * 16);
  Num column = x.lane & 15;
  Fragment v;
  for (int64_t i = 0; i < 16; ++i)
    v.push_back(e.select(equals(column, i), e.f32(1), e.f32(0)));
  // Four columns of L at a time: what is solved goes into all rows below, whose
  // sums do not wait for each other.
  for (int64_t j = 0; j < 16; j += 4) {
    for (int64_t i = j + 1; i < 16; ++i) {
      Fragment row = e.loadSharedMany(origin + (i * pitch + j * 4), 4);
      for (int64_t k = j; k < std::min(i, j + 4); ++k)
        v[i] = e.fma(row[k - j], v[k], v[i]);
    }
    // Keeps later loads where they are: registers are scarce.
    e.syncWarp();
  }
  // Both halves of the warp have the column: each stores half of it.
  Num upper = x.lane >> 4, isLower = equals(upper, 0);
  Num to = origin + column * 4 + upper * (8 * pitch);
  for (int64_t i = 0; i < 8; ++i)
    e.storeShared(e.select(isLower, v[i], v[i + 8]), to + i * pitch);
}

Inverter::Split Inverter::split(ArrayRef<Num> values) {
  Split result;
  for (Num value : values) {
    Num high = e.roundTf32(value);
    result.high.push_back(high);
    if (!plan.bounded)
      result.low.push_back(e.roundTf32(value - e.bitcast(high, e.f32Type())));
  }
  return result;
}

void Inverter::multiply(Fragment &sum, const Split &a, Num row, Num column) {
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t k = 0; k < 2; ++k) {
      Split b = split(e.loadSharedMany(
          at(row * 16 + x.group + 8 * n, column * 16 + x.quad * 2 + 8 * k), 2));
      auto operand = [&](const Fragment &part) {
        return Fragment{part[4 * k], part[4 * k + 2], part[4 * k + 1],
                        part[4 * k + 3]};
      };
      auto d = MutableArrayRef(sum).slice(4 * n, 4);
      if (!plan.bounded) {
        e.product(Format::TF32, d, operand(a.low), b.high[0], b.high[1]);
        e.product(Format::TF32, d, operand(a.high), b.low[0], b.low[1]);
      }
      e.product(Format::TF32, d, operand(a.high), b.high[0], b.high[1]);
    }
}

/// `values` is the block transposed: element 4 n + 2 h + i is row 8 n + 2 q +
/// i, column g + 8 h.
void Inverter::storeBlock(const Fragment &values, Num rowBlock,
                          Num columnBlock) {
  auto offsetOf = [&](int64_t result) {
    return plan.handedOver.lookup(plan.inverse->getResult(result));
  };
  Num tile = slot + offsetOf(0);
  int64_t rows = plan.chunk;
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t h = 0; h < 2; ++h) {
      if (plan.format != Format::TF32 && unknown == 1) {
        Num packed = e.transposeMatrix(e.pack(
            plan.format, values[4 * n + 2 * h], values[4 * n + 2 * h + 1]));
        Num row = rowBlock * 16 + x.group + 8 * n;
        e.store(packed,
                e.sharedPointer(
                    kernel.tileAddress(tile, rows, row, columnBlock * 2 + h) +
                    x.quad * 4));
        continue;
      }
      for (int64_t i = 0; i < 2; ++i) {
        Num u = rowBlock * 16 + x.quad * 2 + (8 * n + i);
        Num v = columnBlock * 16 + x.group + 8 * h;
        Num value = values[4 * n + 2 * h + i], to = tile;
        if (unknown > 1) {
          // Unknowns alternate; the blocks T_jw follow one another in the slot.
          int64_t size = offsetOf(1) - offsetOf(0);
          to = to + ((u % unknown) * unknown + v % unknown) * size;
          u = u / unknown;
          v = v / unknown;
        }
        if (plan.format == Format::TF32) {
          e.storeShared(value, kernel.elementAddress(to, rows, u, v));
          continue;
        }
        Num address = kernel.tileAddress(to, rows, u, v >> 3) + ((v & 7) << 1);
        Num packed = e.pack(plan.format, value, e.f32(0));
        e.store(e.narrowTo16(packed), e.sharedPointer(address));
      }
    }
}

void Inverter::createColumn(Num block) {
  Fragment diagonal;
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t h = 0; h < 2; ++h)
      for (int64_t i = 0; i < 2; ++i)
        diagonal.push_back(
            e.loadShared(at(block * 16 + x.quad * 2 + (8 * n + i),
                            block * 16 + x.group + 8 * h)));
  storeBlock(diagonal, block, block);
  SmallVector<Split> column{split(diagonal)};
  addBelow(block, 1, column);
}

void Inverter::addBelow(Num block, int64_t below, SmallVector<Split> &column) {
  int64_t blocks = plan.order / 16;
  if (below == blocks)
    return;
  e.when(block + below < blocks, [&] {
    Num row = block + below;
    Fragment sum(8, e.f32(0)), values(8, e.f32(0));
    for (int64_t k = 0; k < below; ++k)
      multiply(sum, column[k], row, block + k);
    multiply(values, split(sum), row, row);
    storeBlock(values, row, block);
    column.push_back(split(values));
    addBelow(block, below + 1, column);
    column.pop_back();
  });
}
} // namespace

void qdelta::gpu::invertSystem(Kernel &kernel, Num slot) {
  Inverter(kernel, slot).run();
}

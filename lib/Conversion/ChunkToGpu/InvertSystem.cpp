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
// then the accumulator of a product is the first operand of the next. A block
// is added to all sums below it as soon as it is there: they do not wait for
// each other.
//
// Products have 16-bit operands and f32 sums. Where entries are known to be at
// most 1, one product of f16 is good to 1e-3, half of what rounding X to bf16
// costs. Where they are not, f16 could overflow: three products of bf16 on a
// split into a leading part and the rest, good to 5e-4 at worst.
//
//===----------------------------------------------------------------------===//

#include "Gram.h"
#include "NonFinite.h"

#include <limits>

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

SystemInverse::SystemInverse(Kernel &kernel)
    : kernel(kernel), e(kernel.e), plan(kernel.plan),
      x(kernel.lane(/*gramRole=*/true)), system(kernel.shared + plan.systemAt),
      pitch(plan.systemPitch() * 4), unknown(plan.order / plan.chunk),
      format(plan.bounded ? Format::F16 : Format::BF16) {}

// As many diagonal blocks as columns of blocks, dealt out to the warps.
void SystemInverse::invertDiagonal() {
  for (int64_t turn = 0; turn < unknown; ++turn)
    invertBlock(x.warp + turn * plan.gramWarps);
}

void SystemInverse::createBlocks(Num ofChunk) {
  x = kernel.lane(/*gramRole=*/true);
  slot = ofChunk;
  for (int64_t turn = 0; turn < unknown; ++turn)
    createColumn(x.warp + turn * plan.gramWarps);
}

void SystemInverse::invertBlock(Num block) {
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

SystemInverse::Operand SystemInverse::pack(ArrayRef<Num> values) {
  Operand result;
  for (size_t i = 0; i < values.size(); i += 2) {
    Num high = e.pack(format, values[i], values[i + 1]);
    result.high.push_back(high);
    if (!plan.bounded)
      result.low.push_back(e.pack(format, values[i] - e.unpackLow(format, high),
                                  values[i + 1] - e.unpackHigh(format, high)));
  }
  return result;
}

void SystemInverse::multiply(Fragment &sum, const Operand &a, Num row,
                             Num column) {
  for (int64_t n = 0; n < 2; ++n) {
    Fragment values;
    for (int64_t k = 0; k < 2; ++k)
      values.append(e.loadSharedMany(
          at(row * 16 + x.group + 8 * n, column * 16 + x.quad * 2 + 8 * k), 2));
    Operand b = pack(values);
    auto d = MutableArrayRef(sum).slice(4 * n, 4);
    if (!plan.bounded) {
      e.product(format, d, a.low, b.high[0], b.high[1]);
      e.product(format, d, a.high, b.low[0], b.low[1]);
    }
    e.product(format, d, a.high, b.high[0], b.high[1]);
  }
}

/// Zeros of D times NaN would be NaN in the rows before, too: the product is of
/// what is finite, and onto NaN elsewhere.
Fragment SystemInverse::solve(const Fragment &sum, Num block) {
  Num zero = e.f32(0), nan = e.f32(std::numeric_limits<double>::quiet_NaN());
  Fragment finite, values;
  for (Num value : sum) {
    Num isFine = isOperand(e, format, value);
    finite.push_back(e.select(isFine, value, zero));
    values.push_back(e.select(isFine, zero, nan));
  }
  multiply(values, pack(finite), block, block);
  return values;
}

/// `values` is the block transposed: element 4 n + 2 h + i is row 8 n + 2 q +
/// i, column g + 8 h.
void SystemInverse::storeBlock(const Fragment &values, Num rowBlock,
                               Num columnBlock) {
  if (plan.format == Format::TF32 || unknown > 1)
    return storeElements(values, rowBlock, columnBlock);
  Num tile = slot + offsetOf(0);
  Fragment packed;
  for (size_t i = 0; i < values.size(); i += 2)
    packed.push_back(e.pack(plan.format, values[i], values[i + 1]));
  auto address = [&](Num row, Num piece) {
    return kernel.tileAddress(tile, plan.chunk, rowBlock * 16 + row,
                              columnBlock * 2 + piece);
  };
  if (plan.storesMatrices())
    return e.storeTransposed(address((x.matrix >> 1) * 8 + x.row, x.matrix & 1),
                             packed);
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t h = 0; h < 2; ++h)
      e.store(e.transposeMatrix(packed[2 * n + h]),
              e.sharedPointer(address(x.group + 8 * n, e.i32(h)) + x.quad * 4));
}

void SystemInverse::storeElements(const Fragment &values, Num rowBlock,
                                  Num columnBlock) {
  for (int64_t index = 0; index < 8; ++index) {
    int64_t n = index / 4, h = index / 2 % 2, i = index % 2;
    Num u = rowBlock * 16 + x.quad * 2 + (8 * n + i);
    Num v = columnBlock * 16 + x.group + 8 * h;
    Num value = values[index], to = slot + offsetOf(0);
    if (unknown > 1) {
      // Unknowns alternate; the blocks T_jw follow one another in the slot.
      int64_t size = offsetOf(1) - offsetOf(0);
      to = to + ((u % unknown) * unknown + v % unknown) * size;
      u = u / unknown;
      v = v / unknown;
    }
    if (plan.format == Format::TF32) {
      e.storeShared(value, kernel.elementAddress(to, plan.chunk, u, v));
      continue;
    }
    Num address =
        kernel.tileAddress(to, plan.chunk, u, v >> 3) + ((v & 7) << 1);
    Num packed = e.pack(plan.format, value, e.f32(0));
    e.store(e.narrowTo16(packed), e.sharedPointer(address));
  }
}

void SystemInverse::createColumn(Num block) {
  Fragment diagonal;
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t h = 0; h < 2; ++h)
      for (int64_t i = 0; i < 2; ++i)
        diagonal.push_back(
            e.loadShared(at(block * 16 + x.quad * 2 + (8 * n + i),
                            block * 16 + x.group + 8 * h)));
  storeBlock(diagonal, block, block);
  addBelow(block, 1, pack(diagonal),
           SmallVector<Fragment>(plan.order / 16, Fragment(8, e.f32(0))));
}

void SystemInverse::addBelow(Num block, int64_t below, const Operand &last,
                             SmallVector<Fragment> sums) {
  int64_t blocks = plan.order / 16;
  if (below == blocks)
    return;
  e.when(block + below < blocks, [&] {
    // What is past the last row is made from the next one, and not used.
    auto row = [&](int64_t i) {
      return i == below
                 ? block + i
                 : e.select(block + i < blocks, block + i, block + below);
    };
    for (int64_t i = below; i < blocks; ++i)
      multiply(sums[i], last, row(i), block + (below - 1));
    Fragment values = solve(sums[below], block + below);
    storeBlock(values, block + below, block);
    addBelow(block, below + 1, pack(values), sums);
  });
}

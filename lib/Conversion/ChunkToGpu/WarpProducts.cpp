//===- WarpProducts.cpp - products by mma.sync ----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Products.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

namespace {

/// bf16 and f16: m16n8k16, the second operand by ldmatrix. Every product takes
/// fresh lane arithmetic, which costs fewer registers than keeping it.
class HalfProducts : public Products {
public:
  using Products::Products;

  SmallVector<Fragment> read(ArrayRef<Num> state,
                             ArrayRef<Num> tiles) override {
    Lane x = kernel.lane(/*gramRole=*/false);
    Num row = (x.matrix >> 1) * 8 + x.row, bit = x.matrix & 1;
    SmallVector<Fragment> sums(tiles.size(), zeros());
    // All tiles in one pass over H: it is packed 16 columns at a time.
    for (int64_t k = 0; k < plan.keys / 16; ++k) {
      Fragment a = pack(state.slice(8 * k, 8));
      for (int64_t n = 0; n < plan.chunk / 16; ++n)
        for (auto [sum, tile] : llvm::zip(sums, tiles))
          multiply(sum, n, a,
                   matrices(tile, row + 16 * n, x.row, bit, 2 * k, false));
    }
    return sums;
  }

  void apply(Fragment &sum, ArrayRef<Num> packed, Num matrix) override {
    Lane x = kernel.lane(/*gramRole=*/false);
    Num row = (x.matrix >> 1) * 8 + x.row, bit = x.matrix & 1;
    // Blocks above the diagonal are zero.
    for (int64_t n = 0; n < plan.chunk / 16; ++n)
      for (int64_t k = 0; k <= n; ++k)
        multiply(sum, n, packed.slice(4 * k, 4),
                 matrices(matrix, row + 16 * n, x.row, bit, 2 * k, false));
  }

  void update(Fragment &state, ArrayRef<Num> packed, Num tile) override {
    Lane x = kernel.lane(/*gramRole=*/false);
    Num row = (x.matrix & 1) * 8 + x.row, bit = x.matrix >> 1;
    for (int64_t k = 0; k < plan.chunk / 16; ++k)
      for (int64_t n = 0; n < plan.keys / 16; ++n)
        multiply(state, n, packed.slice(4 * k, 4),
                 matrices(tile, row + 16 * k, x.row, bit, 2 * n, true));
  }

private:
  Fragment zeros() {
    return Fragment(static_cast<size_t>(plan.chunk / 2), e.f32(0));
  }
  Fragment matrices(Num tile, Num row, Num rowInEight, Num bit, int64_t piece,
                    bool transposed) {
    return e.loadMatrices(
        kernel.tileAddress(tile, plan.chunk, row, rowInEight, bit, piece),
        transposed);
  }
  /// 16 columns of `sum` from `16 n` on.
  void multiply(Fragment &sum, int64_t n, ArrayRef<Num> a, const Fragment &b) {
    auto at = MutableArrayRef(sum).slice(8 * n, 8);
    e.product(plan.format, at.take_front(4), a, b[0], b[1]);
    e.product(plan.format, at.drop_front(4), a, b[2], b[3]);
  }
};

/// f32 rounded to TF32: m16n8k8. A thread's two k are renamed to be adjacent in
/// both operands, so that an accumulator is an operand as it stands.
class SingleProducts : public Products {
public:
  using Products::Products;

  SmallVector<Fragment> read(ArrayRef<Num> state,
                             ArrayRef<Num> tiles) override {
    Lane x = kernel.lane(/*gramRole=*/false);
    SmallVector<Fragment> sums(
        tiles.size(), Fragment(static_cast<size_t>(plan.chunk / 2), e.f32(0)));
    for (int64_t k = 0; k < plan.keys / 8; ++k) {
      Fragment a = operand(pack(state.slice(4 * k, 4)), 0);
      for (int64_t n = 0; n < plan.chunk / 8; ++n)
        for (auto [sum, tile] : llvm::zip(sums, tiles))
          multiply(sum, n, a, alongRow(x, tile, 8 * n, 8 * k));
    }
    return sums;
  }

  void apply(Fragment &sum, ArrayRef<Num> packed, Num matrix) override {
    Lane x = kernel.lane(/*gramRole=*/false);
    for (int64_t n = 0; n < plan.chunk / 8; ++n)
      for (int64_t k = 0; k <= n; ++k)
        multiply(sum, n, operand(packed, k), alongRow(x, matrix, 8 * n, 8 * k));
  }

  void update(Fragment &state, ArrayRef<Num> packed, Num tile) override {
    Lane x = kernel.lane(/*gramRole=*/false);
    for (int64_t k = 0; k < plan.chunk / 8; ++k)
      for (int64_t n = 0; n < plan.keys / 8; ++n) {
        Fragment b;
        for (int64_t i = 0; i < 2; ++i)
          b.push_back(e.roundTf32(e.loadShared(kernel.elementAddress(
              tile, plan.chunk, x.quad * 2 + (8 * k + i), x.group + 8 * n))));
        multiply(state, n, operand(packed, k), b);
      }
  }

private:
  static Fragment operand(ArrayRef<Num> packed, int64_t k) {
    return {packed[4 * k], packed[4 * k + 2], packed[4 * k + 1],
            packed[4 * k + 3]};
  }
  Fragment alongRow(const Lane &x, Num tile, int64_t row, int64_t column) {
    Fragment pair =
        e.loadSharedMany(kernel.elementAddress(tile, plan.chunk, x.group + row,
                                               x.quad * 2 + column),
                         2);
    return {e.roundTf32(pair[0]), e.roundTf32(pair[1])};
  }
  void multiply(Fragment &sum, int64_t n, ArrayRef<Num> a, const Fragment &b) {
    e.product(plan.format, MutableArrayRef(sum).slice(4 * n, 4), a, b[0], b[1]);
  }
};
} // namespace

Fragment Products::pack(ArrayRef<Num> values) {
  Fragment packed;
  if (plan.format == Format::TF32)
    for (Num value : values)
      packed.push_back(e.roundTf32(value));
  else
    for (size_t i = 0; i < values.size(); i += 2)
      packed.push_back(e.pack(plan.format, values[i], values[i + 1]));
  return packed;
}

std::unique_ptr<Products> Products::create(Kernel &kernel) {
  if (kernel.plan.byGroups)
    return createGroupProducts(kernel);
  if (kernel.plan.format == Format::TF32)
    return std::make_unique<SingleProducts>(kernel);
  return std::make_unique<HalfProducts>(kernel);
}

//===- GroupProducts.cpp - products by wgmma ------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Four warps multiply together: the first operand from their registers, the
// second from shared memory through a descriptor.
//
//===----------------------------------------------------------------------===//

#include "GroupMatrix.h"
#include "Products.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

namespace {

class GroupProducts : public Products {
public:
  explicit GroupProducts(Kernel &kernel)
      : Products(kernel), matrix(kernel.e, kernel.plan.format) {}

  SmallVector<Fragment> read(ArrayRef<Num> state,
                             ArrayRef<Num> tiles) override {
    Fragment a = pack(state);
    SmallVector<Fragment> sums;
    for (Num tile : tiles) {
      Num start = matrix.descriptor(tile, 16);
      auto at = [&](int64_t k) {
        return start + ((k >> 2) * (plan.chunk * 128) + (k & 3) * 32) / 16;
      };
      Fragment sum;
      multiply(sum, plan.chunk, a, at, /*across=*/false);
      sums.push_back(sum);
    }
    return sums;
  }

  void apply(Fragment &sum, ArrayRef<Num> packed, Num tile) override {
    Fragment a(packed);
    Num start = matrix.descriptor(tile, 16);
    matrix.begin(sum);
    multiply(
        sum, plan.chunk, a, [&](int64_t k) { return start + 2 * k; },
        /*across=*/false);
  }

  void update(Fragment &state, ArrayRef<Num> packed, Num tile) override {
    Fragment a(packed);
    Num start = matrix.descriptor(tile, plan.chunk * 128);
    matrix.begin(state);
    multiply(
        state, plan.keys, a, [&](int64_t k) { return start + 128 * k; },
        /*across=*/true);
  }

  void finish(Fragment &values) override { matrix.finish(values); }

private:
  /// sum += A B. A few products at a time are a chain of their own, so that the
  /// operands of those behind are made while it runs.
  void multiply(Fragment &sum, int64_t n, Fragment &a,
                llvm::function_ref<Num(int64_t)> descriptorAt, bool across) {
    auto steps = static_cast<int64_t>(a.size()) / 4;
    for (int64_t k = 0; k < steps; ++k) {
      if (k % kSteps == 0)
        matrix.ready(
            MutableArrayRef(a).slice(4 * k, 4 * std::min(kSteps, steps - k)));
      matrix.multiply(sum, n, ArrayRef(a).slice(4 * k, 4), descriptorAt(k),
                      across);
      // What a chain before the last one makes goes on, and has no user.
      if (k + 1 == steps)
        matrix.commit(sum);
      else if (k % kSteps == kSteps - 1)
        matrix.commit({});
    }
  }

  /// Products of 16 k in a chain.
  static constexpr int64_t kSteps = 2;
  GroupMatrix matrix;
};
} // namespace

std::unique_ptr<Products> qdelta::gpu::createGroupProducts(Kernel &kernel) {
  return std::make_unique<GroupProducts>(kernel);
}

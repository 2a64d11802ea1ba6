//===- GroupProducts.cpp - products by wgmma ------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Four warps multiply together: the first operand from their registers, the
// second from shared memory through a descriptor. Results are in flight until a
// wait for their group; `finish` waits, and gives them new names, because the
// wait itself carries no data.
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
    matrix.pin(a);
    matrix.fence();
    SmallVector<Fragment> sums;
    for (Num tile : tiles) {
      Num start = matrix.descriptor(tile, 16);
      Fragment sum;
      for (int64_t k = 0; k < plan.keys / 16; ++k)
        matrix.multiply(sum, plan.chunk, ArrayRef(a).slice(4 * k, 4),
                        start +
                            ((k >> 2) * (plan.chunk * 128) + (k & 3) * 32) / 16,
                        /*across=*/false);
      commit(sum);
      sums.push_back(sum);
    }
    return sums;
  }

  void apply(Fragment &sum, ArrayRef<Num> packed, Num tile) override {
    Fragment a(packed);
    begin(sum, a);
    Num start = matrix.descriptor(tile, 16);
    for (int64_t k = 0; k < plan.chunk / 16; ++k)
      matrix.multiply(sum, plan.chunk, ArrayRef(a).slice(4 * k, 4),
                      start + 2 * k,
                      /*across=*/false);
    commit(sum);
  }

  void update(Fragment &state, ArrayRef<Num> packed, Num tile) override {
    Fragment a(packed);
    begin(state, a);
    Num start = matrix.descriptor(tile, plan.chunk * 128);
    for (int64_t k = 0; k < plan.chunk / 16; ++k)
      matrix.multiply(state, plan.keys, ArrayRef(a).slice(4 * k, 4),
                      start + 128 * k,
                      /*across=*/true);
    commit(state);
  }

  void finish(Fragment &values) override {
    if (values.empty())
      return;
    for (size_t i = 0; i < inFlight.size(); ++i) {
      if (!llvm::is_contained(inFlight[i], Value(values[0])))
        continue;
      // Groups complete in order.
      matrix.wait(static_cast<int64_t>(inFlight.size() - 1 - i));
      for (size_t done = 0; done <= i; ++done)
        settle(inFlight[done]);
      inFlight.erase(inFlight.begin(), inFlight.begin() + i + 1);
      break;
    }
    for (Num &value : values)
      if (Value known = settled.lookup(value))
        value = e.num(known);
  }

private:
  /// All registers of the next product are written.
  void begin(Fragment &sum, Fragment &a) {
    finish(sum);
    matrix.pin(a);
    matrix.begin(sum);
  }
  void commit(const Fragment &sum) {
    matrix.commit();
    inFlight.push_back(SmallVector<Value>(sum.begin(), sum.end()));
  }
  void settle(ArrayRef<Value> group) {
    Fragment values;
    for (Value value : group)
      values.push_back(e.num(value));
    matrix.pin(values);
    for (auto [before, after] : llvm::zip(group, values))
      settled[before] = after;
  }

  GroupMatrix matrix;
  SmallVector<SmallVector<Value>> inFlight;
  llvm::DenseMap<Value, Value> settled;
};
} // namespace

std::unique_ptr<Products> qdelta::gpu::createGroupProducts(Kernel &kernel) {
  return std::make_unique<GroupProducts>(kernel);
}

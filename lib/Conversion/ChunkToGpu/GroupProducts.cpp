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

#include "Products.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

namespace {

class GroupProducts : public Products {
public:
  using Products::Products;

  Fragment pack(ArrayRef<Num> values) override {
    Fragment packed;
    for (size_t i = 0; i < values.size(); i += 2)
      packed.push_back(e.pack(plan.format, values[i], values[i + 1]));
    return packed;
  }

  SmallVector<Fragment> read(ArrayRef<Num> state,
                             ArrayRef<Num> tiles) override {
    Fragment a = pack(state);
    pin(a);
    fence();
    SmallVector<Fragment> sums;
    for (Num tile : tiles) {
      Num start = descriptor(tile, 16);
      Fragment sum;
      for (int64_t k = 0; k < plan.keys / 16; ++k)
        multiply(sum, plan.chunk, ArrayRef(a).slice(4 * k, 4),
                 start + ((k >> 2) * (plan.chunk * 128) + (k & 3) * 32) / 16,
                 /*transposed=*/false);
      commit(sum);
      sums.push_back(sum);
    }
    return sums;
  }

  void apply(Fragment &sum, ArrayRef<Num> packed, Num matrix) override {
    Fragment a(packed);
    begin(sum, a);
    Num start = descriptor(matrix, 16);
    for (int64_t k = 0; k < plan.chunk / 16; ++k)
      multiply(sum, plan.chunk, ArrayRef(a).slice(4 * k, 4), start + 2 * k,
               /*transposed=*/false);
    commit(sum);
  }

  void update(Fragment &state, ArrayRef<Num> packed, Num tile) override {
    Fragment a(packed);
    begin(state, a);
    Num start = descriptor(tile, plan.chunk * 128);
    for (int64_t k = 0; k < plan.chunk / 16; ++k)
      multiply(state, plan.keys, ArrayRef(a).slice(4 * k, 4), start + 128 * k,
               /*transposed=*/true);
    commit(state);
  }

  void finish(Fragment &values) override {
    if (values.empty())
      return;
    for (size_t i = 0; i < inFlight.size(); ++i) {
      if (!llvm::is_contained(inFlight[i], Value(values[0])))
        continue;
      // Groups complete in order.
      e.intrinsic("llvm.nvvm.wgmma.wait_group.sync.aligned",
                  {e.i64(static_cast<int64_t>(inFlight.size() - 1 - i))}, {});
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
  /// Orders the values against the fences and waits around, which carry no data.
  void pin(Fragment &values) {
    SmallVector<Value> operands(values.begin(), values.end());
    SmallVector<Type> types;
    std::string outputs, inputs;
    for (auto [i, value] : llvm::enumerate(values)) {
      types.push_back(value.type());
      outputs += value.type().isF32() ? "=f," : "=r,";
      inputs += std::to_string(i) + ",";
    }
    inputs.pop_back();
    values = e.assembly("", outputs + inputs, operands, types);
  }
  void fence() { e.intrinsic("llvm.nvvm.wgmma.fence.sync.aligned", {}, {}); }
  /// All registers of the next product are written.
  void begin(Fragment &sum, Fragment &a) {
    finish(sum);
    if (llvm::all_of(sum, [](Num value) {
          return matchPattern(Value(value), m_AnyZeroFloat());
        }))
      sum.clear();
    else
      pin(sum);
    pin(a);
    fence();
  }
  void commit(const Fragment &sum) {
    e.intrinsic("llvm.nvvm.wgmma.commit_group.sync.aligned", {}, {});
    inFlight.push_back(SmallVector<Value>(sum.begin(), sum.end()));
  }
  void settle(ArrayRef<Value> group) {
    Fragment values;
    for (Value value : group)
      values.push_back(e.num(value));
    pin(values);
    for (auto [before, after] : llvm::zip(group, values))
      settled[before] = after;
  }

  /// A tile with the 128-byte swizzle. `leading` is the distance of groups of
  /// 64 columns if columns are the other matrix dimension, else unused.
  Num descriptor(Num address, int64_t leading) {
    constexpr int64_t kRowsOfEight = 1024;
    Num low = e.num(e.b.createOrFold<arith::ExtUIOp>(
        e.b.getI64Type(), (address & 0x3ffff) >> 4));
    int64_t rest = leading / 16 << 16 | kRowsOfEight / 16 << 32 |
                   int64_t(1) << 62;
    return low + rest;
  }

  /// sum [64 x n] += a B; an empty sum starts at zero.
  void multiply(Fragment &sum, int64_t n, ArrayRef<Num> a, Num b,
                bool transposed) {
    int64_t registers = n / 2, at = registers;
    bool adds = !sum.empty();
    std::string text, outputs, list;
    llvm::raw_string_ostream out(text);
    for (int64_t i = 0; i < registers; ++i) {
      list += (i ? ", $" : "$") + std::to_string(i);
      outputs += "=f,";
    }
    StringRef type = plan.format == Format::BF16 ? "bf16" : "f16";
    out << "{\n.reg .pred p;\nsetp.ne.b32 p, " << int(adds)
        << ", 0;\nwgmma.mma_async.sync.aligned.m64n" << n << "k16.f32." << type
        << "." << type << " {" << list << "}, {";
    for (int64_t i = 0; i < 4; ++i)
      out << (i ? ", $" : "$") << at + i;
    out << "}, $" << at + 4 << ", p, 1, 1, " << int(transposed) << ";\n}\n";
    std::string inputs = "r,r,r,r,l";
    SmallVector<Value> operands(a.begin(), a.end());
    operands.push_back(b);
    if (adds)
      for (int64_t i = 0; i < registers; ++i) {
        inputs += "," + std::to_string(i);
        operands.push_back(sum[i]);
      }
    sum = e.assembly(text, outputs + inputs, operands,
                     SmallVector<Type>(registers, e.f32Type()));
  }

  SmallVector<SmallVector<Value>> inFlight;
  llvm::DenseMap<Value, Value> settled;
};
} // namespace

std::unique_ptr<Products> qdelta::gpu::createGroupProducts(Kernel &kernel) {
  return std::make_unique<GroupProducts>(kernel);
}

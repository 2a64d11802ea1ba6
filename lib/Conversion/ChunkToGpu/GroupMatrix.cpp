//===- GroupMatrix.cpp - wgmma, an instruction at a time ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "GroupMatrix.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qdelta::gpu;

// Fences and waits carry no data: what they order is pinned, which seems to
// rewrite it.
void GroupMatrix::fence() {
  e.intrinsic("llvm.nvvm.wgmma.fence.sync.aligned", {}, {});
}

void GroupMatrix::begin(Fragment &sum) {
  finish(sum);
  if (llvm::all_of(sum, [](Num value) {
        return matchPattern(Value(value), m_AnyZeroFloat());
      }))
    sum.clear();
  e.pin(sum);
  fence();
}

void GroupMatrix::ready(MutableArrayRef<Num> a) {
  e.pin(a);
  fence();
}

void GroupMatrix::commit(const Fragment &sum) {
  e.intrinsic("llvm.nvvm.wgmma.commit_group.sync.aligned", {}, {});
  inFlight.push_back(SmallVector<Value>(sum.begin(), sum.end()));
}

void GroupMatrix::finish(Fragment &values) {
  if (values.empty())
    return;
  for (size_t i = 0; i < inFlight.size(); ++i) {
    if (!llvm::is_contained(inFlight[i], Value(values[0])))
      continue;
    // Chains complete in order.
    auto pending = static_cast<int64_t>(inFlight.size() - 1 - i);
    e.intrinsic("llvm.nvvm.wgmma.wait_group.sync.aligned", {e.i64(pending)},
                {});
    for (size_t done = 0; done <= i; ++done)
      settle(inFlight[done]);
    inFlight.erase(inFlight.begin(), inFlight.begin() + i + 1);
    break;
  }
  for (Num &value : values)
    if (Value known = settled.lookup(value))
      value = e.num(known);
}

void GroupMatrix::settle(ArrayRef<Value> chain) {
  Fragment values;
  for (Value value : chain)
    values.push_back(e.num(value));
  e.pin(values);
  for (auto [before, after] : llvm::zip(chain, values))
    settled[before] = after;
}

Num GroupMatrix::descriptor(Num address, int64_t leading) {
  constexpr int64_t kEightRows = 1024;
  Num low = e.num(e.b.createOrFold<arith::ExtUIOp>(e.b.getI64Type(),
                                                   (address & 0x3ffff) >> 4));
  int64_t rest = leading / 16 << 16 | kEightRows / 16 << 32 | int64_t(1) << 62;
  return low + rest;
}

void GroupMatrix::multiply(Fragment &sum, int64_t n, ArrayRef<Num> a, Num b,
                           bool across) {
  int64_t registers = n / 2;
  bool adds = !sum.empty(), inRegisters = a.size() > 1;
  auto list = [](int64_t first, int64_t count) {
    std::string text;
    for (int64_t i = first; i < first + count; ++i)
      text += (i == first ? "$" : ", $") + std::to_string(i);
    return text;
  };
  auto count = static_cast<int64_t>(a.size());
  std::string first = list(registers, count);
  std::string type = format == Format::BF16 ? "bf16" : "f16";
  // Scale of D, signs of A and B, and which of those in shared memory lie
  // across.
  std::string text =
      "{\n.reg .pred p;\nsetp.ne.b32 p, " + std::to_string(int(adds)) +
      ", 0;\nwgmma.mma_async.sync.aligned.m64n" + std::to_string(n) +
      "k16.f32." + type + "." + type + " {" + list(0, registers) + "}, " +
      (inRegisters ? "{" + first + "}" : first) + ", " +
      list(registers + count, 1) + ", p, 1, 1, " + (inRegisters ? "" : "0, ") +
      std::to_string(int(across)) + ";\n}\n";
  std::string constraints;
  for (int64_t i = 0; i < registers; ++i)
    constraints += "=f,";
  SmallVector<Value> operands(a.begin(), a.end());
  operands.push_back(b);
  constraints += inRegisters ? "r,r,r,r,l" : "l,l";
  if (adds)
    for (int64_t i = 0; i < registers; ++i) {
      constraints += "," + std::to_string(i);
      operands.push_back(sum[i]);
    }
  sum = e.assembly(text, constraints, operands,
                   SmallVector<Type>(registers, e.f32Type()));
}

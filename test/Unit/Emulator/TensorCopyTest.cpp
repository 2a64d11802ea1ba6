//===- TensorCopyTest.cpp - TMA and bulk copies ---------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include <algorithm>

using namespace harness;

namespace {
const char *kShared =
    "@bar = internal addrspace(3) global i64 undef, align 8\n"
    "@sm = external addrspace(3) global [0 x i8], align 1024\n";

/// Thread 0 loads a box at the coordinates; all copy it to %out, 16 bytes each.
std::string loadText(uint32_t rank, uint32_t bytes, bool viaAsm = false) {
  std::string r = std::to_string(rank), coordinates, operands, types;
  for (uint32_t i = 0; i < rank; ++i) {
    coordinates += ", i32 %c" + std::to_string(i);
    operands += (i ? ", $" : "$") + std::to_string(2 + i);
    types += ",r";
  }
  std::string copy =
      viaAsm ? "call void asm sideeffect \"@$" + std::to_string(3 + rank) +
                   " cp.async.bulk.tensor." + r +
                   "d.shared::cluster.global.mbarrier::complete_tx::bytes "
                   "[$0], [$1, {" +
                   operands + "} ], [$" + std::to_string(2 + rank) +
                   "];\", \"r,l" + types +
                   ",r,b\"(ptr addrspace(3) @sm, ptr %map" + coordinates +
                   ", ptr addrspace(3) @bar, i1 %first)\n"
             : "call void @llvm.nvvm.cp.async.bulk.tensor.g2s.tile." + r +
                   "d(ptr addrspace(7) %dst, ptr addrspace(3) @bar, ptr %map" +
                   coordinates + ", i16 0, i64 0, i1 0, i1 0, i32 0)\n";
  return R"(%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%dst = addrspacecast ptr addrspace(3) @sm to ptr addrspace(7)
%first = icmp eq i32 %t, 0
br i1 %first, label %load, label %wait
load:
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) @bar, i32 1)
call void @llvm.nvvm.fence.mbarrier_init.release.cluster()
%s = call i64 @llvm.nvvm.mbarrier.arrive.expect.tx.scope.cta.space.cta(ptr addrspace(3) @bar, i32 )" +
         std::to_string(bytes) + ")\n" + copy + R"(br label %wait
wait:
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
call void asm sideeffect "{\0A\09.reg .pred       P1; \0A\09LAB_WAIT: \0A\09mbarrier.try_wait.parity.shared.b64 P1, [$0], $1, $2; \0A\09@P1 bra.uni DONE; \0A\09bra.uni     LAB_WAIT; \0A\09DONE: \0A\09}", "r,r,n"(ptr addrspace(3) @bar, i32 0, i32 10000000)
%o = shl i32 %t, 4
%in = icmp ult i32 %o, )" +
         std::to_string(bytes) + R"(
br i1 %in, label %copy, label %done
copy:
%p = getelementptr i8, ptr addrspace(3) @sm, i32 %o
%v = load <4 x i32>, ptr addrspace(3) %p, align 16
%q = getelementptr i8, ptr addrspace(1) %out, i32 %o
store <4 x i32> %v, ptr addrspace(1) %q, align 16
br label %done
done:
ret void
)";
}

std::string parameters(uint32_t rank) {
  std::string text =
      "ptr byval([128 x i8]) align 64 %map, ptr addrspace(1) %out";
  for (uint32_t i = 0; i < rank; ++i)
    text += ", i32 %c" + std::to_string(i);
  return text;
}

/// A tensor of 16-bit numbers: element = its place.
struct Tensor {
  std::vector<uint64_t> dims;
  std::vector<uint64_t> strides;
  Array<uint16_t> data;

  /// Rows padded to a multiple of 16 bytes.
  explicit Tensor(std::vector<uint64_t> sizes) : dims(sizes), data(0) {
    uint64_t stride = (dims[0] * 2 + 15) / 16 * 16;
    for (size_t d = 1; d < dims.size(); ++d) {
      strides.push_back(stride);
      stride *= dims[d];
    }
    data = Array<uint16_t>(stride / 2);
    for (size_t i = 0; i < stride / 2; ++i)
      data[i] = i + 1;
    data.pointer = data.values.data();
  }

  TensorMap encode(std::vector<uint32_t> box, Swizzle swizzle,
                   std::vector<uint32_t> steps = {}) {
    TensorMap map;
    EXPECT_EQ(encodeTiled(map, TensorType::BFloat16, dims.size(), data.pointer,
                          dims.data(), strides.data(), box.data(),
                          steps.empty() ? nullptr : steps.data(), 0, swizzle, 0,
                          0),
              "");
    return map;
  }

  /// 0 outside.
  uint16_t at(std::vector<int64_t> index) {
    uint64_t offset = 0;
    for (size_t d = 0; d < dims.size(); ++d) {
      if (index[d] < 0 || index[d] >= static_cast<int64_t>(dims[d]))
        return 0;
      offset += index[d] * (d ? strides[d - 1] : 2);
    }
    return data[offset / 2];
  }
};

/// The box that the hardware leaves in shared memory, unswizzled rows of
/// 16-byte units exchanged as documented: by the row of 128 bytes they are in.
std::vector<uint16_t> expectedBox(Tensor &tensor, std::vector<uint32_t> box,
                                  std::vector<int32_t> at, Swizzle swizzle,
                                  std::vector<uint32_t> steps = {}) {
  size_t count = 1;
  for (uint32_t size : box)
    count *= size;
  std::vector<uint16_t> result(count);
  steps.resize(box.size(), 1);
  for (size_t i = 0; i < count; ++i) {
    std::vector<int64_t> index;
    size_t rest = i;
    for (size_t d = 0; d < box.size(); ++d) {
      index.push_back(at[d] + int64_t(rest % box[d]) * steps[d]);
      rest /= box[d];
    }
    size_t byte = 2 * i, row = byte / 128, unit = byte / 16 % 8;
    if (swizzle == Swizzle::B128)
      unit ^= row % 8;
    if (swizzle == Swizzle::B64)
      unit ^= row % 4;
    if (swizzle == Swizzle::B32)
      unit ^= row % 2;
    result[(row * 128 + unit * 16 + byte % 16) / 2] = tensor.at(index);
  }
  return result;
}

void checkLoad(std::vector<uint64_t> dims, std::vector<uint32_t> box,
               std::vector<int32_t> at, Swizzle swizzle,
               std::vector<uint32_t> steps = {}, bool viaAsm = false) {
  Tensor tensor(dims);
  TensorMap map = tensor.encode(box, swizzle, steps);
  std::vector<uint16_t> wanted = expectedBox(tensor, box, at, swizzle, steps);
  uint32_t bytes = wanted.size() * 2, rank = dims.size();
  TestKernel kernel = TestKernel::make(parameters(rank),
                                       loadText(rank, bytes, viaAsm), kShared);
  ASSERT_EQ(kernel.error(), "");
  for (LaunchConfig config : allModes(std::max<uint32_t>(32, bytes / 16))) {
    Array<uint16_t> out(wanted.size(), 0xaaaa);
    config.dynamicSharedBytes = bytes;
    std::vector<void *> arguments = {&map, out.argument()};
    for (int32_t &c : at)
      arguments.push_back(&c);
    Outcome outcome = kernel.launch(
        config, {tensor.data.buffer("tensor"), out.buffer("out")}, arguments);
    expectClean(outcome);
    ASSERT_EQ(out.values, wanted);
    uint64_t inside = 0;
    for (uint16_t value : wanted)
      inside += value != 0;
    EXPECT_EQ(outcome.counts.bytesRead, 2 * inside);
    EXPECT_EQ(outcome.counts.bulkCopies, 1u);
  }
}
} // namespace

TEST(TensorCopy, LoadSwizzles) {
  checkLoad({128, 64}, {64, 16}, {64, 8}, Swizzle::B128);
  checkLoad({128, 64}, {32, 16}, {32, 8}, Swizzle::B64);
  checkLoad({128, 64}, {16, 16}, {16, 8}, Swizzle::B32);
  checkLoad({128, 64}, {64, 16}, {0, 8}, Swizzle::None);
}

// Rows shorter than the swizzle are packed; the pattern goes by address.
TEST(TensorCopy, LoadRowsShorterThanTheSwizzle) {
  checkLoad({128, 64}, {32, 16}, {0, 8}, Swizzle::B128);
}

TEST(TensorCopy, LoadFillsWithZeros) {
  checkLoad({100, 20}, {64, 16}, {64, 10}, Swizzle::B128);
  checkLoad({100, 20}, {64, 16}, {-3, -5}, Swizzle::B128);
  checkLoad({100, 20}, {32, 8}, {90, 0}, Swizzle::None);
  checkLoad({100, 20}, {32, 8}, {96, 18}, Swizzle::B64);
}

TEST(TensorCopy, LoadOutsideAltogether) {
  checkLoad({64, 8}, {64, 8}, {0, 8}, Swizzle::B128);
  checkLoad({64, 8}, {64, 8}, {-64, 0}, Swizzle::B128);
}

TEST(TensorCopy, LoadRanks) {
  checkLoad({40}, {32}, {4}, Swizzle::None);
  checkLoad({64, 3, 10}, {64, 1, 8}, {0, 1, 4}, Swizzle::B128);
  checkLoad({128, 2, 70, 2}, {64, 1, 16, 1}, {64, 1, 64, 1}, Swizzle::B128);
  checkLoad({16, 3, 2, 2, 3}, {16, 2, 2, 1, 2}, {0, 1, 0, 1, 2}, Swizzle::B32);
}

TEST(TensorCopy, LoadWithElementStrides) {
  checkLoad({128, 64}, {32, 8}, {0, 3}, Swizzle::None, {1, 3});
}

TEST(TensorCopy, LoadByPredicatedAssembly) {
  checkLoad({128, 64}, {64, 16}, {64, 8}, Swizzle::B128, {}, true);
}

TEST(TensorCopy, StoreClips) {
  std::string text = R"(%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%o = shl i32 %t, 4
%g = getelementptr i8, ptr addrspace(1) %in, i32 %o
%v = load <4 x i32>, ptr addrspace(1) %g, align 16
%p = getelementptr i8, ptr addrspace(3) @sm, i32 %o
store <4 x i32> %v, ptr addrspace(3) %p, align 16
call void @llvm.nvvm.fence.proxy.async.shared_cta()
call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
%first = icmp eq i32 %t, 0
br i1 %first, label %store, label %done
store:
call void @llvm.nvvm.cp.async.bulk.tensor.s2g.tile.2d(ptr addrspace(3) @sm, ptr %map, i32 %c0, i32 %c1, i64 0, i1 0)
call void @llvm.nvvm.cp.async.bulk.commit.group()
call void @llvm.nvvm.cp.async.bulk.wait.group.read(i32 0)
br label %done
done:
ret void
)";
  TestKernel kernel = TestKernel::make("ptr byval([128 x i8]) align 64 %map, "
                                       "ptr addrspace(1) %in, i32 %c0, i32 %c1",
                                       text, kShared);
  ASSERT_EQ(kernel.error(), "");
  std::vector<uint32_t> box = {64, 8};
  for (auto [c0, c1] : {std::pair(0, 0), std::pair(64, 16), std::pair(-8, -2)})
    for (LaunchConfig config : allModes(64)) {
      Tensor tensor({100, 20}), before({100, 20});
      TensorMap map = tensor.encode(box, Swizzle::B128);
      // What a load would leave in shared memory, and other numbers.
      Tensor source({100, 20});
      for (uint16_t &value : source.data.values)
        value += 5000;
      Array<uint16_t> in(512);
      in.values = expectedBox(source, box, {c0, c1}, Swizzle::B128);
      in.pointer = in.values.data();
      config.dynamicSharedBytes = 1024;
      int32_t x = c0, y = c1;
      Outcome outcome =
          kernel.launch(config, {tensor.data.buffer("tensor"), in.buffer("in")},
                        {&map, in.argument(), &x, &y});
      expectClean(outcome);
      uint64_t written = 0;
      for (int64_t row = 0; row < 20; ++row)
        for (int64_t column = 0; column < 100; ++column) {
          bool inBox =
              column >= c0 && column < c0 + 64 && row >= c1 && row < c1 + 8;
          written += inBox;
          ASSERT_EQ(tensor.at({column, row}),
                    (inBox ? source : before).at({column, row}));
        }
      EXPECT_EQ(outcome.counts.bytesWritten, 2 * written);
    }
}

TEST(TensorCopy, BulkLoadAndStore) {
  std::string text = R"(%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
%first = icmp eq i32 %t, 0
%dst = addrspacecast ptr addrspace(3) @sm to ptr addrspace(7)
br i1 %first, label %load, label %done
load:
call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) @bar, i32 1)
%s = call i64 @llvm.nvvm.mbarrier.arrive.expect.tx.scope.cta.space.cta(ptr addrspace(3) @bar, i32 256)
call void @llvm.nvvm.cp.async.bulk.global.to.shared.cluster(ptr addrspace(7) %dst, ptr addrspace(3) @bar, ptr addrspace(1) %in, i32 256, i16 0, i64 0, i1 0, i1 0)
br label %wait
wait:
%ok = call i1 @llvm.nvvm.mbarrier.try.wait.parity.scope.cta.space.cta(ptr addrspace(3) @bar, i32 0)
br i1 %ok, label %store, label %wait
store:
call void @llvm.nvvm.cp.async.bulk.shared.cta.to.global(ptr addrspace(1) %out, ptr addrspace(3) @sm, i32 256, i64 0, i1 0)
call void @llvm.nvvm.cp.async.bulk.commit.group()
call void @llvm.nvvm.cp.async.bulk.wait.group(i32 0)
br label %done
done:
ret void
)";
  TestKernel kernel = TestKernel::make(
      "ptr addrspace(1) %in, ptr addrspace(1) %out", text, kShared);
  ASSERT_EQ(kernel.error(), "");
  for (LaunchConfig config : allModes(32)) {
    Array<uint32_t> in(64), out(64);
    for (uint32_t i = 0; i < 64; ++i)
      in[i] = i * i;
    config.dynamicSharedBytes = 256;
    expectClean(kernel.launch(config, {in.buffer("in"), out.buffer("out")},
                              {in.argument(), out.argument()}));
    EXPECT_EQ(out.values, in.values);
  }
}

TEST(TensorCopy, MapsThatTheHardwareRefuses) {
  TensorMap map;
  alignas(16) static uint16_t data[64 * 64];
  auto encode = [&](void *base, uint64_t dim, uint64_t stride, uint32_t box,
                    Swizzle swizzle) {
    uint64_t dims[] = {dim, 64};
    uint32_t boxes[] = {box, 8};
    return encodeTiled(map, TensorType::BFloat16, 2, base, dims, &stride, boxes,
                       nullptr, 0, swizzle, 0, 0);
  };
  EXPECT_EQ(encode(data, 64, 128, 64, Swizzle::B128), "");
  EXPECT_EQ(encode(data + 1, 64, 128, 64, Swizzle::B128),
            "expected a global address that is a multiple of 16");
  EXPECT_EQ(
      encode(data, 64, 130, 64, Swizzle::B128),
      "expected strides that are multiples of 16 below 2^40, but got 130 in "
      "dimension 1");
  EXPECT_EQ(
      encode(data, 64, 128, 64, Swizzle::B64),
      "expected rows of the box that fit a swizzle of 64 bytes, but got 128");
  EXPECT_EQ(
      encode(data, 64, 128, 4, Swizzle::None),
      "expected rows of the box that are a multiple of 16 bytes, but got 8");
  EXPECT_EQ(
      encode(data, 64, 128, 512, Swizzle::None),
      "expected the box to have 1 to 256 elements in dimension 0, but got "
      "512");
  EXPECT_EQ(encode(data, 0, 128, 64, Swizzle::None),
            "expected dimension 0 to have 1 to 2^32 elements, but got 0");
}

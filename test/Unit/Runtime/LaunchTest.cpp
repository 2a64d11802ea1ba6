//===- LaunchTest.cpp - launches that are fine ---------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ToyKernel.h"

#include "gtest/gtest.h"

#include <cmath>
#include <thread>

using toy::Array;
using toy::Call;

/// Whether the outputs are those of the toy kernel's formula.
static void expectRight(const Call &call) {
  const Array &v = call.arrays[toy::v], &o = call.arrays[toy::o];
  const Array &scale = call.arrays[toy::scale];
  int64_t H = v.shape[2], HV = o.shape[2];
  for (size_t i = 0; i < o.data.size(); ++i) {
    size_t c = i % 3, hv = i / 3 % HV, bt = i / 3 / HV;
    size_t h = hv / (HV / H);
    ASSERT_EQ(o.data[i], scale.data[hv] * v.data[(bt * H + h) * 3 + c]) << i;
  }
  for (size_t i = 0; i < call.arrays[toy::S].data.size(); ++i)
    ASSERT_EQ(call.arrays[toy::SFinal].data[i],
              2 * call.arrays[toy::S].data[i]);
}

static void poison(Call &call) {
  for (toy::Index i : {toy::o, toy::SFinal})
    for (float &x : call.arrays[i].data)
      x = NAN;
}

TEST(Launch, EveryNumberOfThreads) {
  Call call(3, 5, 2, 6);
  for (int32_t threads : {0, 1, 2, 3, 5, 17, 18, 19, 1024}) {
    poison(call);
    ASSERT_EQ(call.launch(threads), "") << threads;
    expectRight(call);
  }
}

TEST(Launch, NoTokens) {
  // The states pass through and the entry is not called.
  Call call(2, 0, 2, 4);
  poison(call);
  EXPECT_EQ(call.launch(), "");
  EXPECT_EQ(call.arrays[toy::SFinal].data, call.arrays[toy::S].data);
}

TEST(Launch, NoTokensAndStrides) {
  // A final state [B, HV, 4, 3] stored [HV, B, 4, 3].
  Call call(2, 0, 2, 4);
  call.arrays[toy::SFinal].strides = {12, 24, 3, 1};
  EXPECT_EQ(call.launch(), "");
  for (size_t i = 0; i < 96; ++i)
    EXPECT_EQ(
        call.arrays[toy::SFinal].data[i],
        call.arrays[toy::S].data[(i / 12 % 2 * 4 + i / 24) * 12 + i % 12]);
}

TEST(Launch, NoTokensAndNoData) {
  Call call(2, 0, 2, 4);
  for (toy::Index i : {toy::q, toy::v, toy::g, toy::o})
    call.arrays[i].dl.data = nullptr;
  EXPECT_EQ(call.launch(), "");
}

TEST(Launch, NoItems) {
  EXPECT_EQ(Call(0, 3, 2, 4).launch(), "");
  EXPECT_EQ(Call(2, 3, 0, 0).launch(), "");
  EXPECT_EQ(Call(2, 3, 2, 0).launch(), "");
}

TEST(Launch, NullOptions) {
  qdeltaModule *module = nullptr;
  ASSERT_EQ(qdeltaModuleLoad(&toy::image(), &module), nullptr);
  const qdeltaKernel *kernel = nullptr;
  ASSERT_EQ(qdeltaModuleGetKernel(module, 0, &kernel), nullptr);
  Call call;
  std::vector<DLTensor *> tensors;
  for (Array &array : call.arrays)
    tensors.push_back(array.tensor());
  EXPECT_EQ(qdeltaLaunch(kernel, tensors.data(), toy::numArguments, nullptr),
            nullptr);
  expectRight(call);
  qdeltaModuleDestroy(module);
}

TEST(Launch, ByteOffset) {
  Call call;
  Array &v = call.arrays[toy::v];
  v.data.insert(v.data.begin(), 5, -1.0f);
  v.dl.data = v.data.data();
  v.dl.byte_offset = 5 * sizeof(float);
  EXPECT_EQ(call.launch(), "");
  v.data.erase(v.data.begin(), v.data.begin() + 5);
  expectRight(call);
}

TEST(Launch, TransposedAndReversed) {
  // v is stored [T, B, H, 3] with time running backwards.
  Call call;
  Array &v = call.arrays[toy::v];
  std::vector<float> stored(v.data.size());
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t t = 0; t < 3; ++t)
      for (int64_t i = 0; i < 6; ++i)
        stored[static_cast<size_t>(((2 - t) * 2 + b) * 6 + i)] =
            v.data[static_cast<size_t>((b * 3 + t) * 6 + i)];
  v.strides = {6, -12, 3, 1};
  v.dl.data = stored.data() + 24;
  EXPECT_EQ(call.launch(), "");
  expectRight(call);
}

TEST(Launch, StridesOfSizeOneMeanNothing) {
  Call call(1, 1, 1, 1);
  call.arrays[toy::v].strides = {99, -7, 0, 1};
  EXPECT_EQ(call.launch(), "");
  expectRight(call);
}

TEST(Launch, BroadcastInput) {
  // One vector for all tokens: fine to read, not to write.
  Call call;
  call.arrays[toy::q].strides = {0, 0, 0, 1};
  EXPECT_EQ(call.launch(), "");
}

TEST(Launch, InputsMayShareMemory) {
  Call call(1, 3, 1, 1);
  call.arrays[toy::scale].dl.data = call.arrays[toy::w].data.data();
  EXPECT_EQ(call.launch(), "");
}

TEST(Launch, FromSeveralThreads) {
  qdeltaModule *module = nullptr;
  ASSERT_EQ(qdeltaModuleLoad(&toy::image(), &module), nullptr);
  const qdeltaKernel *kernel = nullptr;
  ASSERT_EQ(qdeltaModuleGetKernel(module, 0, &kernel), nullptr);
  auto work = [&](int32_t threads) {
    Call call(2, 7, 2, 4);
    std::vector<DLTensor *> tensors;
    for (Array &array : call.arrays)
      tensors.push_back(array.tensor());
    qdeltaLaunchOptions options = {};
    options.struct_size = sizeof(options);
    options.threads = threads;
    for (int i = 0; i < 50; ++i) {
      poison(call);
      ASSERT_EQ(
          qdeltaLaunch(kernel, tensors.data(), toy::numArguments, &options),
          nullptr);
      expectRight(call);
    }
  };
  std::thread a(work, 2), b(work, 3), c(work, 1);
  a.join();
  b.join();
  c.join();
  qdeltaModuleDestroy(module);
}

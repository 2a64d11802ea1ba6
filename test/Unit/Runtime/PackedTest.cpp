//===- PackedTest.cpp - launches of kernels on packed sequences -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "FakeCuda.h"
#include "ToyKernel.h"
#include "qdelta-c/Runtime.h"

#include "gtest/gtest.h"

#include <dlfcn.h>
#include <string>
#include <vector>

namespace {
int64_t itemsRun = 0;

void countItems(void *const *, int64_t begin, int64_t end) {
  itemsRun += end - begin;
}

constexpr int64_t B = QDELTA_DIM_BATCH, T = QDELTA_DIM_TIME,
                  HV = QDELTA_DIM_VALUE_HEADS, Bounds = QDELTA_DIM_BOUNDS;

using toy::describe;

std::vector<qdeltaArgument> packedArguments(uint8_t bits = 32) {
  return {describe("v", QDELTA_ROLE_TOKEN, {1, T, HV}),
          describe("S", QDELTA_ROLE_INITIAL_STATE, {B, HV}),
          describe("cu_seqlens", QDELTA_ROLE_CU_SEQLENS, {Bounds},
                   {kDLInt, bits, 1}),
          describe("o", QDELTA_ROLE_OUTPUT, {1, T, HV}),
          describe("S_final", QDELTA_ROLE_FINAL_STATE, {B, HV})};
}

/// Loads a kernel with such arguments; returns the error.
std::string load(const std::vector<qdeltaArgument> &arguments,
                 qdeltaModule **module,
                 const qdeltaDeviceKernelImage *device = nullptr) {
  qdeltaKernelImage kernel =
      toy::describeKernel("packed", arguments, countItems);
  qdeltaImage image = {sizeof(image), &kernel, 1, device, device ? 1 : 0};
  qdeltaStatus *status = qdeltaModuleLoad(&image, module);
  std::string message = qdeltaStatusGetMessage(status);
  qdeltaStatusDestroy(status);
  return message;
}

/// Launches on `tokens` tokens and `sequences` states of two heads.
struct Launch {
  int64_t tokens = 9, sequences = 3, stride = 1;
  qdeltaErrorCode code = QDELTA_OK;
  /// Runs on its device 0.
  FakeCuda *fake = nullptr;

  template <typename Integer>
  std::string run(std::vector<Integer> bounds) {
    qdeltaModule *module = nullptr;
    qdeltaDeviceKernelImage device = {};
    device.struct_size = sizeof(device);
    device.kernel = "packed";
    device.target = "sm_80";
    device.format = QDELTA_FORMAT_PTX;
    device.threads = 32;
    device.code = "PTX";
    device.code_size = 3;
    device.entry = "packed";
    device.columns = 1;
    EXPECT_EQ(load(packedArguments(8 * sizeof(Integer)), &module, &device), "");
    std::vector<float> memory(4 * 2 * 100, 1.0f);
    std::vector<std::vector<int64_t>> shapes = {
        {1, tokens, 2},
        {sequences, 2},
        {static_cast<int64_t>(bounds.size()) / stride},
        {1, tokens, 2},
        {sequences, 2}};
    std::vector<DLTensor> tensors(5);
    std::vector<DLTensor *> pointers;
    for (size_t i = 0; i < tensors.size(); ++i) {
      DLTensor &tensor = tensors[i] = {};
      bool isBounds = i == 2;
      tensor.data = isBounds ? static_cast<void *>(bounds.data())
                             : memory.data() + 160 * i;
      tensor.device = {fake ? kDLCUDA : kDLCPU, 0};
      tensor.ndim = static_cast<int32_t>(shapes[i].size());
      tensor.dtype = {kDLFloat, 32, 1};
      if (isBounds)
        tensor.dtype = {kDLInt, 8 * sizeof(Integer), 1};
      tensor.shape = shapes[i].data();
      tensor.strides = isBounds ? &stride : nullptr;
      pointers.push_back(&tensor);
    }
    const qdeltaKernel *kernel = nullptr;
    qdeltaStatusDestroy(qdeltaModuleGetKernel(module, 0, &kernel));
    itemsRun = 0;
    qdeltaLaunchOptions options = {};
    options.struct_size = sizeof(options);
    if (fake) {
      options.engine = QDELTA_ENGINE_CUDA;
      auto add = [&](const void *data, size_t bytes) {
        auto begin = reinterpret_cast<uintptr_t>(data);
        fake->memory.push_back({begin, begin + bytes, 0});
      };
      add(memory.data(), memory.size() * sizeof(float));
      add(bounds.data(), bounds.size() * sizeof(Integer));
    }
    qdeltaStatus *status = qdeltaLaunch(kernel, pointers.data(), 5, &options);
    code = qdeltaStatusGetCode(status);
    std::string message = qdeltaStatusGetMessage(status);
    qdeltaStatusDestroy(status);
    qdeltaModuleDestroy(module);
    if (code != QDELTA_OK) {
      EXPECT_EQ(itemsRun, 0);
      EXPECT_EQ(memory, std::vector<float>(memory.size(), 1.0f));
    }
    return message;
  }
};
} // namespace

TEST(Packed, Runs) {
  Launch launch;
  EXPECT_EQ(launch.run<int32_t>({0, 2, 2, 9}), "");
  EXPECT_EQ(itemsRun, 6);
  EXPECT_EQ(launch.run<int64_t>({0, 0, 9, 9}), "");
  EXPECT_EQ(itemsRun, 6);
}

TEST(Packed, Strides) {
  Launch launch;
  launch.stride = 2;
  EXPECT_EQ(launch.run<int32_t>({0, -1, 2, -1, 2, -1, 9, -1}), "");
  EXPECT_EQ(launch.run<int64_t>({0, 9, 2, 9, 1, 9, 9, 9}),
            "expected cu_seqlens not to decrease, but got 2 and then 1 at "
            "index 2");
}

TEST(Packed, NoTokens) {
  Launch launch;
  launch.tokens = 0;
  EXPECT_EQ(launch.run<int32_t>({0, 0, 0, 0}), "");
  EXPECT_EQ(itemsRun, 0);
  launch.sequences = 0;
  EXPECT_EQ(launch.run<int32_t>({0}), "");
  EXPECT_EQ(launch.run<int32_t>({1}),
            "expected cu_seqlens to begin with 0, but got 1");
}

TEST(Packed, Bounds) {
  Launch launch;
  EXPECT_EQ(launch.run<int32_t>({1, 2, 2, 9}),
            "expected cu_seqlens to begin with 0, but got 1");
  EXPECT_EQ(launch.code, QDELTA_ERROR_CU_SEQLENS);
  EXPECT_EQ(launch.run<int64_t>({0, -1, 2, 9}),
            "expected cu_seqlens not to decrease, but got 0 and then -1 at "
            "index 1");
  EXPECT_EQ(launch.run<int32_t>({0, 4, 2, 9}),
            "expected cu_seqlens not to decrease, but got 4 and then 2 at "
            "index 2");
  EXPECT_EQ(launch.run<int32_t>({0, 4, 5, 10}),
            "expected cu_seqlens to end with T = 9 of v, but got 10");
  EXPECT_EQ(launch.run<int64_t>({0, 4, 5, 8}),
            "expected cu_seqlens to end with T = 9 of v, but got 8");
  EXPECT_EQ(launch.run<int64_t>({0, 4, 5, int64_t(9) + (int64_t(1) << 32)}),
            "expected cu_seqlens to end with T = 9 of v, but got 4294967305");
  EXPECT_EQ(launch.code, QDELTA_ERROR_CU_SEQLENS);
}

TEST(Packed, Count) {
  Launch launch;
  EXPECT_EQ(launch.run<int32_t>({0, 2, 9}),
            "expected cu_seqlens to have B + 1 = 4 elements for the B = 3 of "
            "initial state S, but got 3");
  EXPECT_EQ(launch.code, QDELTA_ERROR_SIZE);
  EXPECT_EQ(launch.run<int32_t>({}),
            "expected cu_seqlens to have B + 1 = 4 elements for the B = 3 of "
            "initial state S, but got 0");
}

/// cu_seqlens is in the device's memory: it is read once the stream is done,
/// and nothing is launched if it is wrong.
TEST(Packed, Cuda) {
  setenv("QDELTA_LIBCUDA", QDELTA_FAKE_CUDA, 1);
  void *library = dlopen(QDELTA_FAKE_CUDA, RTLD_NOW);
  ASSERT_NE(library, nullptr) << dlerror();
  auto find = reinterpret_cast<FakeCuda *(*)()>(dlsym(library, kFakeCudaState));
  Launch launch;
  launch.fake = find();
  *launch.fake = FakeCuda();
  launch.fake->words = 5 * 5 + 3;
  EXPECT_EQ(launch.run<int64_t>({0, 2, 2, 9}), "");
  std::vector<std::string> calls = launch.fake->calls,
                           last(calls.end() - 3, calls.end());
  EXPECT_EQ(last, (std::vector<std::string>{"cuStreamSynchronize",
                                            "cuMemcpyDtoH", "cuLaunchKernel"}));
  // Three sequences of two heads; heads of cu_seqlens mean nothing.
  EXPECT_EQ(launch.fake->grid[0], 6u);
  EXPECT_EQ(launch.fake->parameter[5 * 2 + 4], 1);
  EXPECT_EQ(std::vector<int64_t>(launch.fake->parameter.end() - 3,
                                 launch.fake->parameter.end()),
            (std::vector<int64_t>{9, 2, 3}));
  launch.fake->calls.clear();
  EXPECT_EQ(launch.run<int32_t>({0, 2, 1, 9}),
            "expected cu_seqlens not to decrease, but got 2 and then 1 at "
            "index 2");
  EXPECT_EQ(launch.fake->calls.back(), "cuMemcpyDtoH");
  launch.tokens = 0;
  EXPECT_EQ(launch.run<int32_t>({0, 0, 0, 1}),
            "expected cu_seqlens to end with T = 0 of v, but got 1");
  dlclose(library);
  unsetenv("QDELTA_LIBCUDA");
}

TEST(Packed, Images) {
  qdeltaModule *module = nullptr;
  std::vector<qdeltaArgument> arguments = packedArguments();
  arguments[0].shape[0] = B;
  EXPECT_EQ(load(arguments, &module),
            "expected v of packed kernel packed to begin with size 1");
  arguments = packedArguments();
  arguments[2].dtype = {kDLFloat, 32, 1};
  EXPECT_EQ(load(arguments, &module),
            "expected argument cu_seqlens of kernel packed to be int32 or "
            "int64 with shape [B + 1]");
  arguments = packedArguments();
  arguments.insert(arguments.begin() + 3, arguments[2]);
  EXPECT_EQ(load(arguments, &module),
            "kernel packed has more than one argument that says where "
            "sequences end");
  arguments = packedArguments();
  arguments[1].shape[0] = Bounds;
  EXPECT_EQ(load(arguments, &module),
            "argument S of kernel packed has unknown size -5");
}

//===- DeviceBenchTest.cpp - times of a kernel on a fake driver -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "arrays/DeviceBench.h"
#include "FakeCuda.h"
#include "ToyKernel.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <dlfcn.h>

using namespace qdelta::tools;

namespace {
/// The toy kernel for GPUs, with work, on a new state of the fake driver.
class Bench : public testing::Test {
protected:
  void SetUp() override {
    setenv("QDELTA_LIBCUDA", QDELTA_FAKE_CUDA, 1);
    library = dlopen(QDELTA_FAKE_CUDA, RTLD_NOW);
    ASSERT_NE(library, nullptr) << dlerror();
    auto find =
        reinterpret_cast<FakeCuda *(*)()>(dlsym(library, kFakeCudaState));
    fake = find();
    *fake = FakeCuda();
    fake->words = 5 * toy::numArguments + 3;
    fake->kernel = [this](const std::vector<int64_t> &words) {
      ++launches;
      for (auto [index, count] :
           {std::pair(toy::o, B * T * HV * 3), {toy::SFinal, B * HV * 4 * 3}})
        std::fill_n(reinterpret_cast<float *>(words[5 * index]), count,
                    written);
    };
    qdeltaDeviceKernelImage device{};
    device.struct_size = sizeof(device);
    device.kernel = "toy";
    device.target = "sm_90a";
    device.format = QDELTA_FORMAT_PTX;
    device.threads = 256;
    device.code = "PTX";
    device.code_size = 3;
    device.entry = "toy_sm_90a";
    device.columns = 2;
    device.shared_bytes = 1000;
    qdeltaKernelImage described = toy::image().kernels[0];
    described.struct_size = sizeof(described);
    described.work = work;
    qdeltaImage image = toy::image();
    image.kernels = &described;
    image.device_kernels = &device;
    image.num_device_kernels = 1;
    qdeltaStatus *status = qdeltaModuleLoad(&image, &module);
    ASSERT_STREQ(qdeltaStatusGetMessage(status), "");
    qdeltaStatusDestroy(qdeltaModuleGetKernel(module, 0, &kernel));
  }
  void TearDown() override {
    qdeltaModuleDestroy(module);
    EXPECT_EQ(fake->pushed, 0);
    EXPECT_EQ(fake->retained, 0);
    EXPECT_EQ(fake->events, 0);
    EXPECT_EQ(fake->allocations, 0);
    dlclose(library);
    unsetenv("QDELTA_LIBCUDA");
  }

  std::string time(int repeat = 5) {
    times = {};
    return timeOnDevice(kernel, {{"B", B}, {"T", T}, {"H", 4}}, "", repeat,
                        times);
  }

  static constexpr int64_t B = 2, T = 3, HV = 4, work = 72;
  /// Tensors of the toy kernel's arguments, each once.
  static constexpr double bytes =
      4.0 * (B * T * HV * (4 + 3 + 1 + 3) + HV * 5 + 2 * B * HV * 12);
  void *library = nullptr;
  FakeCuda *fake = nullptr;
  qdeltaModule *module = nullptr;
  const qdeltaKernel *kernel = nullptr;
  DeviceTimes times;
  int launches = 0;
  float written = 1;
};
} // namespace

TEST_F(Bench, Times) {
  EXPECT_EQ(qdeltaKernelGetWork(kernel), work);
  fake->byteMs = 1e-6f;
  ASSERT_EQ(time(), "");
  EXPECT_EQ(launches, 8); // three to warm up
  EXPECT_NEAR(times.medianMs, fake->launchMs, 1e-6);
  EXPECT_NEAR(times.bestMs, fake->launchMs, 1e-6);
  EXPECT_EQ(times.work, B * T * HV);
  EXPECT_NEAR(times.bytesPerSecond, 2e9, 1e5);
  // Memory is slow here, so it is the floor.
  EXPECT_NEAR(times.floorMs, bytes / 2e9 * 1e3, 1e-7);
  EXPECT_NEAR(times.nsPerTokenHead(), 0.25e6 / 24, 1);
  // 4096 flop a clock and processor.
  EXPECT_DOUBLE_EQ(times.flopPerSecond, 4096.0 * 100 * 1.5e9);
  std::string json = toJson(times);
  EXPECT_EQ(json.find("{\"device\": \"Fake device\", "), 0u);
  EXPECT_NE(json.find("\"compute_capability\": \"9.0\""), std::string::npos);
  EXPECT_NE(json.find("\"driver\": \"13.0\""), std::string::npos);
  EXPECT_NE(json.find("\"ms\": 0.25, "), std::string::npos);
  EXPECT_NE(formatTimes(times).find("0.2500 ms (best 0.2500"),
            std::string::npos);
}

TEST_F(Bench, FloorOfArithmetic) {
  // Copies of no time to speak of.
  fake->byteMs = 1e-17f;
  ASSERT_EQ(time(), "");
  // f32 sequences: half the rate.
  double flop = work * B * T * HV;
  EXPECT_NEAR(times.floorMs, 2e3 * flop / times.flopPerSecond, 1e-12);
  fake->minor = 9;
  ASSERT_EQ(time(), "");
  EXPECT_EQ(times.flopPerSecond, 0);
  EXPECT_NE(formatTimes(times).find("tensor peak unknown"), std::string::npos);
}

TEST_F(Bench, WhatIsNotWritten) {
  fake->kernel = nullptr;
  EXPECT_EQ(time(), "outputs are not finite: o");
  fake->kernel = [](const std::vector<int64_t> &words) {
    std::fill_n(reinterpret_cast<float *>(words[5 * toy::o]), B * T * HV * 3,
                1.0f);
  };
  EXPECT_EQ(time(), "outputs are not finite: S");
}

TEST_F(Bench, Errors) {
  EXPECT_EQ(timeOnDevice(kernel, {{"B", 1}, {"T", 1}}, "", 1, times),
            "expected --shape to give H");
  EXPECT_EQ(timeOnDevice(kernel, {{"B", 1}, {"T", 0}, {"H", 1}}, "", 1, times),
            "expected at least one token to time");
  EXPECT_NE(
      timeOnDevice(kernel, {{"B", 1}, {"T", 1}, {"H", 1}}, "sm_80", 1, times)
          .find("kernel toy has no code for device 0"),
      std::string::npos);
  fake->failures = {{"cuEventRecord", 700}};
  EXPECT_EQ(time(), "cuEventRecord reports CUDA_ERROR_ILLEGAL_ADDRESS");
}

//===- DeviceTimerTest.cpp - times of a fake driver -----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Runtime/DeviceTimer.h"
#include "FakeCuda.h"

#include "gtest/gtest.h"

#include <dlfcn.h>

using qdelta::runtime::DeviceTimer;

namespace {
class Timer : public testing::Test {
protected:
  void SetUp() override {
    setenv("QDELTA_LIBCUDA", QDELTA_FAKE_CUDA, 1);
    library = dlopen(QDELTA_FAKE_CUDA, RTLD_NOW);
    ASSERT_NE(library, nullptr) << dlerror();
    auto find =
        reinterpret_cast<FakeCuda *(*)()>(dlsym(library, kFakeCudaState));
    fake = find();
    *fake = FakeCuda();
  }
  void TearDown() override {
    timer.reset();
    EXPECT_EQ(fake->pushed, 0);
    EXPECT_EQ(fake->retained, 0);
    EXPECT_EQ(fake->events, 0);
    EXPECT_EQ(fake->allocations, 0);
    dlclose(library);
    unsetenv("QDELTA_LIBCUDA");
  }

  static std::string take(qdeltaStatus *status) {
    std::string message = qdeltaStatusGetMessage(status);
    qdeltaStatusDestroy(status);
    return message;
  }

  void *library = nullptr;
  FakeCuda *fake = nullptr;
  std::unique_ptr<DeviceTimer> timer;
};
} // namespace

TEST_F(Timer, Facts) {
  fake->major = 8;
  fake->minor = 6;
  ASSERT_EQ(take(DeviceTimer::open(1, timer)), "");
  EXPECT_EQ(timer->facts().name, "Fake device");
  EXPECT_EQ(timer->facts().major, 8);
  EXPECT_EQ(timer->facts().minor, 6);
  EXPECT_EQ(timer->facts().processors, 100);
  EXPECT_EQ(timer->facts().kilohertz, 1500000);
  EXPECT_EQ(timer->facts().cacheBytes, 8 << 20);
  EXPECT_EQ(timer->facts().driver, 13000);
}

TEST_F(Timer, TimesTheWorkAlone) {
  ASSERT_EQ(take(DeviceTimer::open(0, timer)), "");
  int runs = 0;
  std::vector<double> ms;
  auto work = [&]() -> qdeltaStatus * {
    fake->clock += ++runs;
    return nullptr;
  };
  EXPECT_EQ(take(timer->time(work, 4, ms)), "");
  // Three runs are not timed, and what overwrites the cache is not either.
  ASSERT_EQ(ms.size(), 4u);
  for (size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(ms[i], 4.0 + static_cast<double>(i), 1e-6);
  double overwritten = 7 * double(16 << 20) * double(fake->byteMs);
  EXPECT_NEAR(fake->clock, 28 + overwritten, 1e-3);
}

TEST_F(Timer, Bandwidth) {
  fake->byteMs = 1e-6f;
  ASSERT_EQ(take(DeviceTimer::open(0, timer)), "");
  double bytesPerSecond = 0;
  EXPECT_EQ(take(timer->measureBandwidth(5, bytesPerSecond)), "");
  // A byte copied is one read and one written.
  EXPECT_NEAR(bytesPerSecond, 2e9, 1e5);
}

TEST_F(Timer, SmallCache) {
  fake->cacheBytes = 0;
  ASSERT_EQ(take(DeviceTimer::open(0, timer)), "");
  std::vector<double> ms;
  auto nothing = []() -> qdeltaStatus * { return nullptr; };
  EXPECT_EQ(take(timer->time(nothing, 1, ms)), "");
  EXPECT_NEAR(fake->clock, 4 * double(8 << 20) * double(fake->byteMs), 1e-3);
}

TEST_F(Timer, FailingCalls) {
  for (const char *name : {"cuDeviceGetName", "cuEventCreate", "cuMemAlloc"}) {
    fake->failures = {{name, 700}};
    EXPECT_EQ(take(DeviceTimer::open(0, timer)),
              std::string(name) + " reports CUDA_ERROR_ILLEGAL_ADDRESS");
  }
  fake->failures.clear();
  ASSERT_EQ(take(DeviceTimer::open(0, timer)), "");
  std::vector<double> ms;
  auto work = []() -> qdeltaStatus * { return nullptr; };
  for (const char *name : {"cuMemsetD8Async", "cuEventRecord",
                           "cuEventSynchronize", "cuEventElapsedTime"}) {
    fake->failures = {{name, 700}};
    EXPECT_EQ(take(timer->time(work, 1, ms)),
              std::string(name) + " reports CUDA_ERROR_ILLEGAL_ADDRESS");
  }
  EXPECT_TRUE(ms.empty());
}

TEST_F(Timer, FailingWork) {
  ASSERT_EQ(take(DeviceTimer::open(0, timer)), "");
  std::vector<double> ms;
  auto work = [] { return qdeltaModuleLoad(nullptr, nullptr); };
  EXPECT_NE(take(timer->time(work, 1, ms)), "");
  EXPECT_TRUE(ms.empty());
}

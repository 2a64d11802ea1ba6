//===- DeviceTimer.cpp - times on a CUDA device, for tools ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Runtime/DeviceTimer.h"
#include "CudaContext.h"

#include <algorithm>

using namespace qdelta::runtime;

DeviceTimer::~DeviceTimer() = default;

static constexpr int warmUp = 3;
/// Some drivers do not know the cache's size.
static constexpr size_t leastCacheBytes = 4 << 20;

namespace {
class CudaTimer : public DeviceTimer {
public:
  ~CudaTimer() override;
  qdeltaStatus *start(int32_t ordinal);
  const DeviceFacts &facts() const override { return known; }
  qdeltaStatus *time(const std::function<qdeltaStatus *()> &work, int repeat,
                     std::vector<double> &ms) override;
  qdeltaStatus *measureBandwidth(int repeat, double &bytesPerSecond) override;

private:
  qdeltaStatus *query();
  qdeltaStatus *timeOnce(const std::function<qdeltaStatus *()> &work,
                         double &ms);
  qdeltaStatus *record(cuda::Event event) {
    return context.run("cuEventRecord", [&](const cuda::Api &api) {
      return api.cuEventRecord(event, nullptr);
    });
  }

  CudaContext context;
  DeviceFacts known;
  cuda::Event begin = nullptr, end = nullptr;
  /// Two halves, each twice the cache's size: the copy is from one to the
  /// other, and the first is what is overwritten.
  cuda::DevicePtr scratch = 0;
  size_t half = 0;
};
} // namespace

CudaTimer::~CudaTimer() {
  for (cuda::Event event : {begin, end})
    if (event)
      qdeltaStatusDestroy(
          context.run("cuEventDestroy", [&](const cuda::Api &api) {
            return api.cuEventDestroy_v2(event);
          }));
  if (scratch)
    qdeltaStatusDestroy(context.run("cuMemFree", [&](const cuda::Api &api) {
      return api.cuMemFree_v2(scratch);
    }));
}

qdeltaStatus *CudaTimer::query() {
  const cuda::Api &api = context.driver->api;
  const std::pair<int, int *> attributes[] = {
      {cuda::kComputeCapabilityMajor, &known.major},
      {cuda::kComputeCapabilityMinor, &known.minor},
      {cuda::kMultiprocessorCount, &known.processors},
      {cuda::kClockRate, &known.kilohertz},
      {cuda::kL2CacheSize, &known.cacheBytes}};
  for (auto [attribute, value] : attributes)
    if (qdeltaStatus *error = context.driver->check(
            api.cuDeviceGetAttribute(value, attribute, context.device),
            "cuDeviceGetAttribute"))
      return error;
  char name[256] = {};
  if (qdeltaStatus *error = context.driver->check(
          api.cuDeviceGetName(name, sizeof(name) - 1, context.device),
          "cuDeviceGetName"))
    return error;
  known.name = name;
  return context.driver->check(api.cuDriverGetVersion(&known.driver),
                               "cuDriverGetVersion");
}

qdeltaStatus *CudaTimer::start(int32_t ordinal) {
  if (qdeltaStatus *error = context.start(ordinal))
    return error;
  if (qdeltaStatus *error = query())
    return error;
  for (cuda::Event *event : {&begin, &end})
    if (qdeltaStatus *error =
            context.run("cuEventCreate", [&](const cuda::Api &api) {
              return api.cuEventCreate(event, 0);
            }))
      return error;
  half = 2 * std::max(static_cast<size_t>(known.cacheBytes), leastCacheBytes);
  return context.run("cuMemAlloc", [&](const cuda::Api &api) {
    return api.cuMemAlloc_v2(&scratch, 2 * half);
  });
}

qdeltaStatus *CudaTimer::timeOnce(const std::function<qdeltaStatus *()> &work,
                                  double &ms) {
  if (qdeltaStatus *error =
          context.run("cuMemsetD8Async", [&](const cuda::Api &api) {
            return api.cuMemsetD8Async(scratch, 0, half, nullptr);
          }))
    return error;
  if (qdeltaStatus *error = record(begin))
    return error;
  if (qdeltaStatus *error = work())
    return error;
  if (qdeltaStatus *error = record(end))
    return error;
  if (qdeltaStatus *error =
          context.run("cuEventSynchronize", [&](const cuda::Api &api) {
            return api.cuEventSynchronize(end);
          }))
    return error;
  float passed = 0;
  qdeltaStatus *error =
      context.run("cuEventElapsedTime", [&](const cuda::Api &api) {
        return api.cuEventElapsedTime(&passed, begin, end);
      });
  ms = passed;
  return error;
}

qdeltaStatus *CudaTimer::time(const std::function<qdeltaStatus *()> &work,
                              int repeat, std::vector<double> &ms) {
  for (int i = 0; i < warmUp + repeat; ++i) {
    double once = 0;
    if (qdeltaStatus *error = timeOnce(work, once))
      return error;
    if (i >= warmUp)
      ms.push_back(once);
  }
  return nullptr;
}

qdeltaStatus *CudaTimer::measureBandwidth(int repeat, double &bytesPerSecond) {
  std::vector<double> ms;
  auto copy = [&] {
    return context.run("cuMemcpyDtoDAsync", [&](const cuda::Api &api) {
      return api.cuMemcpyDtoDAsync_v2(scratch, scratch + half, half, nullptr);
    });
  };
  if (qdeltaStatus *error = time(copy, repeat, ms))
    return error;
  std::ranges::sort(ms);
  bytesPerSecond = 2 * static_cast<double>(half) / ms[ms.size() / 2] * 1e3;
  return nullptr;
}

qdeltaStatus *DeviceTimer::open(int32_t device,
                                std::unique_ptr<DeviceTimer> &timer) {
  auto opened = std::make_unique<CudaTimer>();
  if (qdeltaStatus *error = opened->start(device))
    return error;
  timer = std::move(opened);
  return nullptr;
}

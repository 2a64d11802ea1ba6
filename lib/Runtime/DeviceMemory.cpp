//===- DeviceMemory.cpp - memory of a CUDA device, for tools --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Runtime/DeviceMemory.h"
#include "CudaDriver.h"

#include <algorithm>
#include <vector>

using namespace qdelta::runtime;

DeviceMemory::~DeviceMemory() = default;

namespace {
cuda::DevicePtr asDevicePtr(const void *pointer) {
  return static_cast<cuda::DevicePtr>(reinterpret_cast<uintptr_t>(pointer));
}

class CudaMemory : public DeviceMemory {
public:
  ~CudaMemory() override;
  qdeltaStatus *start(int32_t ordinal);
  qdeltaStatus *allocate(size_t bytes, void *&pointer) override;
  qdeltaStatus *upload(void *to, const void *from, size_t bytes) override;
  qdeltaStatus *download(void *to, const void *from, size_t bytes) override;

private:
  /// Does `call` with the device's context current.
  template <typename Call>
  qdeltaStatus *inContext(const char *name, Call call);

  std::unique_ptr<CudaDriver> driver;
  cuda::Device device = 0;
  cuda::Context context = nullptr;
  std::vector<cuda::DevicePtr> allocations;
};
} // namespace

template <typename Call>
qdeltaStatus *CudaMemory::inContext(const char *name, Call call) {
  if (qdeltaStatus *error = driver->check(
          driver->api.cuCtxPushCurrent_v2(context), "cuCtxPushCurrent"))
    return error;
  cuda::Result result = call();
  cuda::Context popped;
  driver->api.cuCtxPopCurrent_v2(&popped);
  return driver->check(result, name);
}

CudaMemory::~CudaMemory() {
  if (!context)
    return;
  for (cuda::DevicePtr pointer : allocations)
    qdeltaStatusDestroy(inContext(
        "cuMemFree", [&] { return driver->api.cuMemFree_v2(pointer); }));
  driver->api.cuDevicePrimaryCtxRelease_v2(device);
}

qdeltaStatus *CudaMemory::start(int32_t ordinal) {
  if (qdeltaStatus *error = CudaDriver::open(driver))
    return error;
  if (qdeltaStatus *error = driver->check(
          driver->api.cuDeviceGet(&device, ordinal), "cuDeviceGet"))
    return error;
  return driver->check(driver->api.cuDevicePrimaryCtxRetain(&context, device),
                       "cuDevicePrimaryCtxRetain");
}

qdeltaStatus *CudaMemory::allocate(size_t bytes, void *&pointer) {
  cuda::DevicePtr allocated = 0;
  if (qdeltaStatus *error = inContext("cuMemAlloc", [&] {
        return driver->api.cuMemAlloc_v2(&allocated,
                                         std::max<size_t>(bytes, 1));
      }))
    return error;
  allocations.push_back(allocated);
  pointer = reinterpret_cast<void *>(static_cast<uintptr_t>(allocated));
  return nullptr;
}

qdeltaStatus *CudaMemory::upload(void *to, const void *from, size_t bytes) {
  if (bytes == 0)
    return nullptr;
  return inContext("cuMemcpyHtoD", [&] {
    return driver->api.cuMemcpyHtoD_v2(asDevicePtr(to), from, bytes);
  });
}

qdeltaStatus *CudaMemory::download(void *to, const void *from, size_t bytes) {
  if (bytes == 0)
    return nullptr;
  return inContext("cuMemcpyDtoH", [&] {
    return driver->api.cuMemcpyDtoH_v2(to, asDevicePtr(from), bytes);
  });
}

qdeltaStatus *DeviceMemory::open(int32_t device,
                                 std::unique_ptr<DeviceMemory> &memory) {
  auto opened = std::make_unique<CudaMemory>();
  if (qdeltaStatus *error = opened->start(device))
    return error;
  memory = std::move(opened);
  return nullptr;
}

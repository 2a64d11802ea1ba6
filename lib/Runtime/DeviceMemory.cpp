//===- DeviceMemory.cpp - memory of a CUDA device, for tools --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Runtime/DeviceMemory.h"
#include "CudaContext.h"

#include <algorithm>
#include <vector>

using namespace qdelta::runtime;

DeviceMemory::~DeviceMemory() = default;

CudaContext::~CudaContext() {
  if (context)
    driver->api.cuDevicePrimaryCtxRelease_v2(device);
}

qdeltaStatus *CudaContext::start(int32_t ordinal) {
  if (qdeltaStatus *error = CudaDriver::open(driver))
    return error;
  if (qdeltaStatus *error = driver->check(
          driver->api.cuDeviceGet(&device, ordinal), "cuDeviceGet"))
    return error;
  return driver->check(driver->api.cuDevicePrimaryCtxRetain(&context, device),
                       "cuDevicePrimaryCtxRetain");
}

namespace {
class CudaMemory : public DeviceMemory {
public:
  ~CudaMemory() override;
  qdeltaStatus *allocate(size_t bytes, void *&pointer) override;
  qdeltaStatus *upload(void *to, const void *from, size_t bytes) override;
  qdeltaStatus *download(void *to, const void *from, size_t bytes) override;

  CudaContext context;

private:
  std::vector<cuda::DevicePtr> allocations;
};
} // namespace

CudaMemory::~CudaMemory() {
  for (cuda::DevicePtr pointer : allocations)
    qdeltaStatusDestroy(context.run("cuMemFree", [&](const cuda::Api &api) {
      return api.cuMemFree_v2(pointer);
    }));
}

qdeltaStatus *CudaMemory::allocate(size_t bytes, void *&pointer) {
  cuda::DevicePtr allocated = 0;
  if (qdeltaStatus *error =
          context.run("cuMemAlloc", [&](const cuda::Api &api) {
            return api.cuMemAlloc_v2(&allocated, std::max<size_t>(bytes, 1));
          }))
    return error;
  allocations.push_back(allocated);
  pointer = reinterpret_cast<void *>(static_cast<uintptr_t>(allocated));
  return nullptr;
}

qdeltaStatus *CudaMemory::upload(void *to, const void *from, size_t bytes) {
  if (bytes == 0)
    return nullptr;
  return context.run("cuMemcpyHtoD", [&](const cuda::Api &api) {
    return api.cuMemcpyHtoD_v2(asDevicePtr(to), from, bytes);
  });
}

qdeltaStatus *CudaMemory::download(void *to, const void *from, size_t bytes) {
  if (bytes == 0)
    return nullptr;
  return context.run("cuMemcpyDtoH", [&](const cuda::Api &api) {
    return api.cuMemcpyDtoH_v2(to, asDevicePtr(from), bytes);
  });
}

qdeltaStatus *DeviceMemory::open(int32_t device,
                                 std::unique_ptr<DeviceMemory> &memory) {
  auto opened = std::make_unique<CudaMemory>();
  if (qdeltaStatus *error = opened->context.start(device))
    return error;
  memory = std::move(opened);
  return nullptr;
}

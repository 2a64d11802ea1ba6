//===- CudaContext.h - a device's primary context, for tools ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_CUDACONTEXT_H
#define QDELTA_LIB_RUNTIME_CUDACONTEXT_H

#include "CudaDriver.h"

namespace qdelta::runtime {

/// Holds a driver and the primary context of one of its devices, which it
/// shares with the kernels that run there.
class CudaContext {
public:
  CudaContext() = default;
  CudaContext(const CudaContext &) = delete;
  ~CudaContext();

  qdeltaStatus *start(int32_t ordinal);

  /// Does `call`, of the driver's function `name`, with the context current.
  template <typename Call>
  qdeltaStatus *run(const char *name, Call call) const {
    if (qdeltaStatus *error = driver->check(
            driver->api.cuCtxPushCurrent_v2(context), "cuCtxPushCurrent"))
      return error;
    cuda::Result result = call(driver->api);
    cuda::Context popped;
    driver->api.cuCtxPopCurrent_v2(&popped);
    return driver->check(result, name);
  }

  std::unique_ptr<CudaDriver> driver;
  cuda::Device device = 0;

private:
  cuda::Context context = nullptr;
};

/// Memory that was allocated through a context.
inline cuda::DevicePtr asDevicePtr(const void *pointer) {
  return static_cast<cuda::DevicePtr>(reinterpret_cast<uintptr_t>(pointer));
}

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_CUDACONTEXT_H

//===- CudaDriver.cpp - the CUDA driver, opened at run time ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "CudaDriver.h"
#include "Status.h"

#include <cstdlib>

using namespace qdelta::runtime;

static qdeltaStatus *noDriver(const std::string &problem) {
  return makeStatus(QDELTA_ERROR_DRIVER, "",
                    "engine cuda needs NVIDIA's driver: " + problem);
}

qdeltaStatus *CudaDriver::findFunctions(const std::string &path) {
  const char *missing = nullptr;
  auto find = [&](auto &function, const char *name) {
    void *address = library->find(name);
    if (!address && !missing)
      missing = name;
    function = reinterpret_cast<std::decay_t<decltype(function)>>(address);
  };
#define FIND(name) find(api.name, #name)
  FIND(cuInit);
  FIND(cuDriverGetVersion);
  FIND(cuDeviceGetCount);
  FIND(cuDeviceGet);
  FIND(cuDeviceGetAttribute);
  FIND(cuDevicePrimaryCtxRetain);
  FIND(cuDevicePrimaryCtxRelease_v2);
  FIND(cuCtxPushCurrent_v2);
  FIND(cuCtxPopCurrent_v2);
  FIND(cuModuleLoadDataEx);
  FIND(cuModuleUnload);
  FIND(cuModuleGetFunction);
  FIND(cuFuncSetAttribute);
  FIND(cuLaunchKernel);
  FIND(cuStreamSynchronize);
  FIND(cuMemcpyDtoDAsync_v2);
  FIND(cuPointerGetAttribute);
  FIND(cuGetErrorName);
  FIND(cuGetErrorString);
  FIND(cuMemAlloc_v2);
  FIND(cuMemFree_v2);
  FIND(cuMemcpyHtoD_v2);
  FIND(cuMemcpyDtoH_v2);
  FIND(cuDeviceGetName);
  FIND(cuMemsetD8Async);
  FIND(cuEventCreate);
  FIND(cuEventDestroy_v2);
  FIND(cuEventRecord);
  FIND(cuEventSynchronize);
  FIND(cuEventElapsedTime);
  if (missing)
    return noDriver(path + " has no function " + missing);
  // These may be missing.
  FIND(cuTensorMapEncodeTiled);
  FIND(cuMemPoolCreate);
  FIND(cuMemPoolSetAttribute);
  FIND(cuMemPoolDestroy);
  FIND(cuMemAllocFromPoolAsync);
  FIND(cuMemFreeAsync);
#undef FIND
  return nullptr;
}

qdeltaStatus *CudaDriver::open(std::unique_ptr<CudaDriver> &result) {
  const char *named = getenv("QDELTA_LIBCUDA");
  std::string path = named && *named ? named : "libcuda.so.1", problem;
  auto driver = std::make_unique<CudaDriver>();
  driver->library = SharedObject::open(path, problem);
  if (!driver->library)
    return noDriver("cannot open " + path + " (" + problem + ")");
  if (qdeltaStatus *error = driver->findFunctions(path))
    return error;
  if (qdeltaStatus *error = driver->check(driver->api.cuInit(0), "cuInit")) {
    qdeltaStatus *status = noDriver(qdeltaStatusGetMessage(error));
    qdeltaStatusDestroy(error);
    return status;
  }
  result = std::move(driver);
  return nullptr;
}

qdeltaStatus *CudaDriver::check(cuda::Result result, const char *call,
                                const std::string &details) const {
  if (result == cuda::kSuccess)
    return nullptr;
  const char *name = nullptr, *text = nullptr;
  api.cuGetErrorName(result, &name);
  api.cuGetErrorString(result, &text);
  std::string message = std::string(call) + " reports " +
                        (name ? name : "error " + std::to_string(result));
  if (text)
    message += std::string(" (") + text + ")";
  if (!details.empty())
    message += ": " + details;
  return makeStatus(QDELTA_ERROR_CUDA, "", message);
}

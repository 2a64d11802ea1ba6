//===- CudaApi.h - what is used of the CUDA driver --------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// The few types, numbers and functions of cuda.h that the runtime uses, written
// down here because neither a build nor a user needs a CUDA toolkit. All of
// them are part of the driver's stable binary interface. CudaApiTest.cpp
// compares them with cuda.h where there is one.
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_CUDAAPI_H
#define QDELTA_LIB_RUNTIME_CUDAAPI_H

#include <cstddef>
#include <cstdint>

namespace qdelta::runtime::cuda {

using Result = int;
using Device = int;
using DevicePtr = unsigned long long;
using Context = struct ContextHandle *;
using Module = struct ModuleHandle *;
using Function = struct FunctionHandle *;
using Stream = struct StreamHandle *;
using Event = struct EventHandle *;
using MemoryPool = struct MemoryPoolHandle *;

/// CUmemPoolProps.
struct MemoryPoolProperties {
  int allocationType, handleTypes;
  int locationType, locationId;
  void *securityAttributes;
  size_t maxSize;
  unsigned char reserved[56];
};

constexpr Result kSuccess = 0;
constexpr Result kErrorInvalidValue = 1;

/// CUdevice_attribute.
constexpr int kClockRate = 13;
constexpr int kMultiprocessorCount = 16;
constexpr int kL2CacheSize = 38;
constexpr int kComputeCapabilityMajor = 75;
constexpr int kComputeCapabilityMinor = 76;
constexpr int kMaxSharedMemoryPerBlockOptin = 97;
/// CUfunction_attribute.
constexpr int kMaxDynamicSharedSizeBytes = 8;
/// CUjit_option.
constexpr int kJitErrorLogBuffer = 5;
constexpr int kJitErrorLogBufferSizeBytes = 6;
/// CUpointer_attribute.
constexpr int kPointerDeviceOrdinal = 9;
/// CUmemAllocationType, CUmemLocationType and CUmemPool_attribute.
constexpr int kPinnedAllocation = 1;
constexpr int kDeviceLocation = 1;
constexpr int kReleaseThreshold = 4;
/// CUtensorMapL2promotion.
constexpr int kL2Promotion128B = 2;

/// The functions, under the names that the driver exports.
struct Api {
  Result (*cuInit)(unsigned flags);
  Result (*cuDriverGetVersion)(int *version);
  Result (*cuDeviceGetCount)(int *count);
  Result (*cuDeviceGet)(Device *device, int ordinal);
  Result (*cuDeviceGetAttribute)(int *value, int attribute, Device device);
  Result (*cuDevicePrimaryCtxRetain)(Context *context, Device device);
  Result (*cuDevicePrimaryCtxRelease_v2)(Device device);
  Result (*cuCtxPushCurrent_v2)(Context context);
  Result (*cuCtxPopCurrent_v2)(Context *context);
  Result (*cuModuleLoadDataEx)(Module *module, const void *image,
                               unsigned numOptions, int *options,
                               void **values);
  Result (*cuModuleUnload)(Module module);
  Result (*cuModuleGetFunction)(Function *function, Module module,
                                const char *name);
  Result (*cuFuncSetAttribute)(Function function, int attribute, int value);
  Result (*cuLaunchKernel)(Function function, unsigned gridX, unsigned gridY,
                           unsigned gridZ, unsigned blockX, unsigned blockY,
                           unsigned blockZ, unsigned sharedBytes, Stream stream,
                           void **parameters, void **extra);
  Result (*cuStreamSynchronize)(Stream stream);
  Result (*cuMemcpyDtoDAsync_v2)(DevicePtr to, DevicePtr from, size_t bytes,
                                 Stream stream);
  Result (*cuPointerGetAttribute)(void *value, int attribute,
                                  DevicePtr pointer);
  /// Null in drivers before CUDA 12, which launch kernels without tensor maps.
  Result (*cuTensorMapEncodeTiled)(void *map, int type, uint32_t rank,
                                   void *address, const uint64_t *sizes,
                                   const uint64_t *strides, const uint32_t *box,
                                   const uint32_t *elementStrides,
                                   int interleave, int swizzle, int l2Promotion,
                                   int fill);
  Result (*cuGetErrorName)(Result error, const char **name);
  Result (*cuGetErrorString)(Result error, const char **text);
  // Of workspaces; null in drivers before CUDA 11.2, which run single kernels.
  Result (*cuMemPoolCreate)(MemoryPool *pool,
                            const MemoryPoolProperties *properties);
  Result (*cuMemPoolSetAttribute)(MemoryPool pool, int attribute, void *value);
  Result (*cuMemPoolDestroy)(MemoryPool pool);
  Result (*cuMemAllocFromPoolAsync)(DevicePtr *pointer, size_t bytes,
                                    MemoryPool pool, Stream stream);
  Result (*cuMemFreeAsync)(DevicePtr pointer, Stream stream);
  // For tools that own memory of a device; a launch allocates workspaces alone.
  Result (*cuMemAlloc_v2)(DevicePtr *pointer, size_t bytes);
  Result (*cuMemFree_v2)(DevicePtr pointer);
  Result (*cuMemcpyHtoD_v2)(DevicePtr to, const void *from, size_t bytes);
  Result (*cuMemcpyDtoH_v2)(void *to, DevicePtr from, size_t bytes);
  // For tools that time.
  Result (*cuDeviceGetName)(char *name, int size, Device device);
  Result (*cuMemsetD8Async)(DevicePtr to, unsigned char value, size_t bytes,
                            Stream stream);
  Result (*cuEventCreate)(Event *event, unsigned flags);
  Result (*cuEventDestroy_v2)(Event event);
  Result (*cuEventRecord)(Event event, Stream stream);
  Result (*cuEventSynchronize)(Event event);
  Result (*cuEventElapsedTime)(float *ms, Event begin, Event end);
};

} // namespace qdelta::runtime::cuda

#endif // QDELTA_LIB_RUNTIME_CUDAAPI_H

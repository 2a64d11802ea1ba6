//===- FakeCuda.cpp - a driver without a GPU ------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Stands for libcuda.so.1 in tests. Declares everything anew, as cuda.h does,
// so that it does not share a mistake with the runtime's own declarations.
//
//===----------------------------------------------------------------------===//

#include "FakeCuda.h"

#include <algorithm>
#include <cstring>

static FakeCuda state;

/// Notes a call; returns the error that it is to report.
static int note(const char *name) {
  state.calls.push_back(name);
  auto failure = state.failures.find(name);
  return failure == state.failures.end() ? 0 : failure->second;
}

extern "C" {
FakeCuda *fakeCudaState() { return &state; }

int cuInit(unsigned) { return note("cuInit"); }
int cuDriverGetVersion(int *version) {
  *version = 13000;
  return 0;
}
int cuDeviceGetCount(int *count) {
  *count = state.deviceCount;
  return note("cuDeviceGetCount");
}
int cuDeviceGet(int *device, int ordinal) {
  *device = 100 + ordinal;
  return 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  if (device < 100)
    return 101;
  switch (attribute) {
  case 13:
    *value = 1500000;
    return 0;
  case 16:
    *value = 100;
    return 0;
  case 38:
    *value = state.cacheBytes;
    return 0;
  case 75:
    *value = state.major;
    return 0;
  case 76:
    *value = state.minor;
    return 0;
  case 97:
    *value = state.maxSharedBytes;
    return 0;
  }
  return 1;
}
int cuDevicePrimaryCtxRetain(void **context, int) {
  *context = &state;
  ++state.retained;
  return note("cuDevicePrimaryCtxRetain");
}
int cuDevicePrimaryCtxRelease_v2(int) {
  --state.retained;
  return 0;
}
int cuCtxPushCurrent_v2(void *context) {
  ++state.pushed;
  return context == &state ? 0 : 201;
}
int cuCtxPopCurrent_v2(void **context) {
  *context = &state;
  --state.pushed;
  return 0;
}
int cuModuleLoadDataEx(void **module, const void *image, unsigned numOptions,
                       int *options, void **values) {
  state.image = static_cast<const char *>(image);
  int result = note("cuModuleLoadDataEx");
  for (unsigned i = 0; i < numOptions; ++i)
    if (options[i] == 5 && result)
      std::strcpy(static_cast<char *>(values[i]), state.jitLog.c_str());
  if (!result)
    ++state.modules;
  *module = &state.image;
  return result;
}
int cuModuleUnload(void *) {
  --state.modules;
  return 0;
}
int cuModuleGetFunction(void **function, void *, const char *name) {
  state.entry = name;
  *function = &state.functions.emplace_back(name);
  return note("cuModuleGetFunction");
}
int cuFuncSetAttribute(void *, int attribute, int value) {
  if (attribute != 8)
    return 1;
  state.dynamicShared = value;
  return note("cuFuncSetAttribute");
}
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz,
                   unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   void *stream, void **parameters, void **extra) {
  auto isFound = [&](std::string &found) { return &found == function; };
  if (std::none_of(state.functions.begin(), state.functions.end(), isFound) ||
      extra)
    return 400;
  state.launched.push_back(*static_cast<std::string *>(function));
  unsigned sizes[] = {gx, gy, gz, bx, by, bz};
  std::copy(sizes, sizes + 3, state.grid);
  std::copy(sizes + 3, sizes + 6, state.block);
  state.shared = shared;
  state.stream = stream;
  auto *words = static_cast<int64_t *>(parameters[0]);
  state.parameter.assign(words, words + state.words);
  state.mapBytes.clear();
  for (size_t i = 0; i < state.maps; ++i) {
    if (reinterpret_cast<uintptr_t>(parameters[1 + i]) % 64)
      return 716;
    state.mapBytes.emplace_back(static_cast<char *>(parameters[1 + i]), 128);
  }
  int result = note("cuLaunchKernel");
  if (!result && state.kernel)
    state.kernel(state.parameter);
  state.clock += state.launchMs;
  return result;
}
int cuStreamSynchronize(void *stream) {
  state.stream = stream;
  return note("cuStreamSynchronize");
}
int cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from,
                         size_t bytes, void *) {
  std::memcpy(reinterpret_cast<void *>(to),
              reinterpret_cast<const void *>(from), bytes);
  state.clock += static_cast<double>(bytes) * state.byteMs;
  return note("cuMemcpyDtoDAsync");
}
int cuPointerGetAttribute(void *value, int attribute,
                          unsigned long long pointer) {
  if (int failure = state.failures.count("cuPointerGetAttribute")
                        ? state.failures["cuPointerGetAttribute"]
                        : 0)
    return failure;
  for (const FakeCuda::Range &range : state.memory)
    if (attribute == 9 && pointer >= range.begin && pointer < range.end) {
      *static_cast<int *>(value) = range.device;
      return 0;
    }
  return 1;
}
#ifndef FAKE_CUDA_IS_OLD
int cuTensorMapEncodeTiled(void *map, int type, uint32_t rank, void *address,
                           const uint64_t *sizes, const uint64_t *strides,
                           const uint32_t *box, const uint32_t *elementStrides,
                           int interleave, int swizzle, int l2Promotion,
                           int fill) {
  state.map.type = type;
  state.map.rank = rank;
  state.map.address = address;
  state.map.sizes.assign(sizes, sizes + rank);
  state.map.strides.assign(strides, strides + rank - 1);
  state.map.box.assign(box, box + rank);
  state.map.elementStrides.assign(elementStrides, elementStrides + rank);
  state.map.interleave = interleave;
  state.map.swizzle = swizzle;
  state.map.l2Promotion = l2Promotion;
  state.map.fill = fill;
  std::memset(map, 'm', 128);
  return note("cuTensorMapEncodeTiled");
}

struct PoolProperties {
  int allocType, handleTypes, locationType, locationId;
  void *attributes;
  size_t maxSize;
  unsigned short usage;
  unsigned char reserved[54];
};
static_assert(sizeof(PoolProperties) == 88);

int cuMemPoolCreate(void **pool, const PoolProperties *properties) {
  if (properties->allocType != 1 || properties->handleTypes != 0 ||
      properties->locationType != 1 || properties->locationId != 0)
    return 1;
  *pool = &state.pools;
  ++state.pools;
  return note("cuMemPoolCreate");
}
int cuMemPoolSetAttribute(void *pool, int attribute, void *value) {
  bool isFine = pool == &state.pools && attribute == 4 &&
                *static_cast<uint64_t *>(value) == UINT64_MAX;
  return isFine ? note("cuMemPoolSetAttribute") : 1;
}
int cuMemPoolDestroy(void *) {
  --state.pools;
  return 0;
}
int cuMemAllocFromPoolAsync(unsigned long long *pointer, size_t bytes,
                            void *pool, void *stream) {
  if (pool != &state.pools)
    return 1;
  if (int result = note("cuMemAllocFromPoolAsync"))
    return result;
  state.stream = stream;
  std::vector<char> memory(bytes);
  *pointer = reinterpret_cast<unsigned long long>(memory.data());
  state.pooled[*pointer] = std::move(memory);
  return 0;
}
int cuMemFreeAsync(unsigned long long pointer, void *stream) {
  state.pooled.erase(pointer);
  return stream == state.stream ? note("cuMemFreeAsync") : 1;
}
#endif
int cuGetErrorName(int error, const char **name) {
  *name = error == 1     ? "CUDA_ERROR_INVALID_VALUE"
          : error == 100 ? "CUDA_ERROR_NO_DEVICE"
          : error == 218 ? "CUDA_ERROR_INVALID_PTX"
          : error == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS"
                         : nullptr;
  return *name ? 0 : 1;
}
int cuGetErrorString(int error, const char **text) {
  *text = error == 100   ? "no CUDA-capable device is detected"
          : error == 218 ? "a PTX JIT compilation failed"
                         : nullptr;
  return *text ? 0 : 1;
}
int cuMemAlloc_v2(unsigned long long *pointer, size_t bytes) {
  if (int result = note("cuMemAlloc"))
    return result;
  auto *memory = new char[bytes];
  *pointer = reinterpret_cast<unsigned long long>(memory);
  ++state.allocations;
  state.memory.push_back({*pointer, *pointer + bytes, 0});
  return 0;
}
int cuMemFree_v2(unsigned long long pointer) {
  delete[] reinterpret_cast<char *>(pointer);
  --state.allocations;
  return note("cuMemFree");
}
int cuMemcpyHtoD_v2(unsigned long long to, const void *from, size_t bytes) {
  std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  return note("cuMemcpyHtoD");
}
int cuMemcpyDtoH_v2(void *to, unsigned long long from, size_t bytes) {
  std::memcpy(to, reinterpret_cast<const void *>(from), bytes);
  return note("cuMemcpyDtoH");
}
int cuDeviceGetName(char *name, int size, int device) {
  if (device < 100)
    return 101;
  std::strncpy(name, "Fake device", static_cast<size_t>(size));
  return note("cuDeviceGetName");
}
int cuMemsetD8Async(unsigned long long to, unsigned char value, size_t bytes,
                    void *) {
  std::memset(reinterpret_cast<void *>(to), value, bytes);
  state.clock += static_cast<double>(bytes) * state.byteMs;
  return note("cuMemsetD8Async");
}
int cuEventCreate(void **event, unsigned flags) {
  if (flags)
    return 1;
  if (int result = note("cuEventCreate"))
    return result;
  ++state.events;
  *event = new char;
  return 0;
}
int cuEventDestroy_v2(void *event) {
  --state.events;
  state.recorded.erase(event);
  delete static_cast<char *>(event);
  return 0;
}
int cuEventRecord(void *event, void *) {
  state.recorded[event] = state.clock;
  return note("cuEventRecord");
}
int cuEventSynchronize(void *event) {
  return state.recorded.count(event) ? note("cuEventSynchronize") : 400;
}
int cuEventElapsedTime(float *ms, void *begin, void *end) {
  if (!state.recorded.count(begin) || !state.recorded.count(end))
    return 400;
  *ms = static_cast<float>(state.recorded[end] - state.recorded[begin]);
  return note("cuEventElapsedTime");
}
}

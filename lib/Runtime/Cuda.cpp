//===- Cuda.cpp - device kernels on NVIDIA GPUs ---------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ChooseCode.h"
#include "CudaDriver.h"
#include "Module.h"
#include "Status.h"

#include <cstring>
#include <map>
#include <mutex>

using namespace qdelta::runtime;

namespace {
/// A device whose primary context this module uses.
struct CudaDevice {
  cuda::Device handle = 0;
  cuda::Context context = nullptr;
  /// Of workspaces; made when a launch needs some.
  cuda::MemoryPool pool = nullptr;
  int major = 0, minor = 0, maxSharedBytes = 0;
};

struct CudaFunction {
  cuda::Module module = nullptr;
  /// In the order of the steps.
  std::vector<cuda::Function> functions;
};

/// Makes a context current as long as it lives.
class CurrentContext {
public:
  explicit CurrentContext(const CudaDriver &driver) : driver(driver) {}
  CurrentContext(const CurrentContext &) = delete;
  ~CurrentContext() {
    cuda::Context popped;
    if (isPushed)
      driver.api.cuCtxPopCurrent_v2(&popped);
  }

  qdeltaStatus *push(const CudaDevice &device) {
    qdeltaStatus *error = driver.check(
        driver.api.cuCtxPushCurrent_v2(device.context), "cuCtxPushCurrent");
    isPushed = !error;
    return error;
  }

private:
  const CudaDriver &driver;
  bool isPushed = false;
};

class CudaRun : public DeviceRun {
public:
  CudaRun(const CudaDriver &driver, int32_t device,
          const LaunchOptions &options)
      : driver(driver), context(driver), device(device),
        stream(static_cast<cuda::Stream>(options.stream)) {}
  ~CudaRun() override;

  const DeviceCode &code() const override { return *chosen; }
  qdeltaStatus *check(const std::vector<TensorView> &views) override;
  qdeltaStatus *encode(const TensorMapShape &shape,
                       TensorMapBytes &map) override;
  qdeltaStatus *allocate(size_t bytes, char *&memory) override;
  qdeltaStatus *launch(const DeviceStep &step,
                       const PackedLaunch &launch) override;
  qdeltaStatus *copy(void *to, const void *from, size_t bytes) override;
  qdeltaStatus *read(void *to, const void *from, size_t bytes) override;

  const CudaDriver &driver;
  CurrentContext context;
  int32_t device;
  cuda::Stream stream;
  const DeviceCode *chosen = nullptr;
  const std::vector<cuda::Function> *functions = nullptr;
  cuda::MemoryPool pool = nullptr;
  cuda::DevicePtr workspaces = 0;
};

class CudaBackend : public Backend {
public:
  ~CudaBackend() override;
  qdeltaStatus *open(const std::string &kernel,
                     const std::vector<DeviceCode> &codes, int32_t device,
                     const LaunchOptions &options,
                     std::unique_ptr<DeviceRun> &run) override;
  qdeltaStatus *synchronize(int32_t device, void *stream) override;

private:
  qdeltaStatus *openDevice(int32_t ordinal, CudaDevice *&device);
  qdeltaStatus *queryDevice(int32_t ordinal, CudaDevice &device);
  qdeltaStatus *load(const std::string &kernel, const DeviceCode &code,
                     const CudaDevice &device, CudaFunction &loaded);
  qdeltaStatus *findFunctions(const DeviceCode &code, CudaFunction &loaded);
  qdeltaStatus *makePool(int32_t ordinal, CudaDevice &device);

  std::mutex mutex;
  std::unique_ptr<CudaDriver> driver;
  std::map<int32_t, CudaDevice> devices;
  std::map<std::pair<int32_t, const DeviceCode *>, CudaFunction> functions;
};

cuda::DevicePtr devicePointer(const void *pointer) {
  return static_cast<cuda::DevicePtr>(reinterpret_cast<uintptr_t>(pointer));
}
} // namespace

qdeltaStatus *CudaRun::check(const std::vector<TensorView> &views) {
  for (const TensorView &view : views) {
    if (view.isEmpty())
      continue;
    int found = -1;
    cuda::Result result = driver.api.cuPointerGetAttribute(
        &found, cuda::kPointerDeviceOrdinal, devicePointer(view.data));
    if (result != cuda::kSuccess && result != cuda::kErrorInvalidValue)
      return driver.check(result, "cuPointerGetAttribute");
    if (found == device)
      continue;
    return makeStatus(QDELTA_ERROR_DEVICE, view.argument->name,
                      "expected the data of " + describe(*view.argument) +
                          " to be in the memory of device " +
                          std::to_string(device) + ", but got " +
                          (found < 0
                               ? "an address that the driver does not know"
                               : "that of device " + std::to_string(found)));
  }
  return nullptr;
}

qdeltaStatus *CudaRun::encode(const TensorMapShape &shape,
                              TensorMapBytes &map) {
  if (!driver.api.cuTensorMapEncodeTiled)
    return makeStatus(QDELTA_ERROR_DRIVER, "",
                      "NVIDIA's driver is older than CUDA 12 and makes no "
                      "tensor maps");
  static constexpr uint32_t elementStrides[] = {1, 1, 1, 1};
  cuda::Result result = driver.api.cuTensorMapEncodeTiled(
      map.bytes, static_cast<int>(shape.type), 4, shape.view->data, shape.sizes,
      shape.strides, shape.box, elementStrides, 0,
      static_cast<int>(shape.swizzle), cuda::kL2Promotion128B, 0);
  if (result == cuda::kSuccess)
    return nullptr;
  return makeStatus(QDELTA_ERROR_TENSOR_MAP, shape.view->argument->name,
                    "no tensor map describes " +
                        describe(*shape.view->argument) +
                        ": the driver refuses its sizes, strides or box");
}

/// Freed in the stream: once what was launched is done.
CudaRun::~CudaRun() {
  if (workspaces)
    driver.api.cuMemFreeAsync(workspaces, stream);
}

qdeltaStatus *CudaRun::allocate(size_t bytes, char *&memory) {
  qdeltaStatus *error = driver.check(
      driver.api.cuMemAllocFromPoolAsync(&workspaces, bytes, pool, stream),
      "cuMemAllocFromPoolAsync",
      std::to_string(bytes) + " bytes of sequences between kernels");
  memory = reinterpret_cast<char *>(static_cast<uintptr_t>(workspaces));
  return error;
}

qdeltaStatus *CudaRun::launch(const DeviceStep &step,
                              const PackedLaunch &launch) {
  // The driver copies parameters before the call returns.
  std::vector<void *> parameters = {const_cast<int64_t *>(launch.words.data())};
  for (const TensorMapBytes &map : launch.maps)
    parameters.push_back(const_cast<TensorMapBytes *>(&map));
  auto index = static_cast<size_t>(&step - chosen->steps.data());
  return driver.check(
      driver.api.cuLaunchKernel((*functions)[index], launch.ctas, 1, 1,
                                static_cast<unsigned>(step.threads), 1, 1,
                                static_cast<unsigned>(step.sharedBytes), stream,
                                parameters.data(), nullptr),
      "cuLaunchKernel");
}

qdeltaStatus *CudaRun::copy(void *to, const void *from, size_t bytes) {
  return driver.check(driver.api.cuMemcpyDtoDAsync_v2(devicePointer(to),
                                                      devicePointer(from),
                                                      bytes, stream),
                      "cuMemcpyDtoDAsync");
}

qdeltaStatus *CudaRun::read(void *to, const void *from, size_t bytes) {
  if (qdeltaStatus *error = driver.check(driver.api.cuStreamSynchronize(stream),
                                         "cuStreamSynchronize"))
    return error;
  return driver.check(
      driver.api.cuMemcpyDtoH_v2(to, devicePointer(from), bytes),
      "cuMemcpyDtoH");
}

CudaBackend::~CudaBackend() {
  if (!driver)
    return;
  for (auto &[key, loaded] : functions) {
    CurrentContext current(*driver);
    qdeltaStatusDestroy(current.push(devices[key.first]));
    driver->api.cuModuleUnload(loaded.module);
  }
  for (auto &[ordinal, device] : devices) {
    if (device.pool)
      driver->api.cuMemPoolDestroy(device.pool);
    driver->api.cuDevicePrimaryCtxRelease_v2(device.handle);
  }
}

qdeltaStatus *CudaBackend::queryDevice(int32_t ordinal, CudaDevice &device) {
  const cuda::Api &api = driver->api;
  int count = 0;
  if (qdeltaStatus *error =
          driver->check(api.cuDeviceGetCount(&count), "cuDeviceGetCount"))
    return error;
  if (ordinal < 0 || ordinal >= count)
    return makeStatus(QDELTA_ERROR_DEVICE, "",
                      "expected a CUDA device less than " +
                          std::to_string(count) + ", but got device " +
                          std::to_string(ordinal));
  if (qdeltaStatus *error = driver->check(
          api.cuDeviceGet(&device.handle, ordinal), "cuDeviceGet"))
    return error;
  const std::pair<int, int *> attributes[] = {
      {cuda::kComputeCapabilityMajor, &device.major},
      {cuda::kComputeCapabilityMinor, &device.minor},
      {cuda::kMaxSharedMemoryPerBlockOptin, &device.maxSharedBytes}};
  for (auto [attribute, value] : attributes)
    if (qdeltaStatus *error = driver->check(
            api.cuDeviceGetAttribute(value, attribute, device.handle),
            "cuDeviceGetAttribute"))
      return error;
  return driver->check(
      api.cuDevicePrimaryCtxRetain(&device.context, device.handle),
      "cuDevicePrimaryCtxRetain");
}

qdeltaStatus *CudaBackend::openDevice(int32_t ordinal, CudaDevice *&device) {
  if (!driver)
    if (qdeltaStatus *error = CudaDriver::open(driver))
      return error;
  auto known = devices.find(ordinal);
  if (known == devices.end()) {
    CudaDevice opened;
    if (qdeltaStatus *error = queryDevice(ordinal, opened))
      return error;
    known = devices.emplace(ordinal, opened).first;
  }
  device = &known->second;
  return nullptr;
}

/// What the pool has had stays its own: launch after launch takes the same.
qdeltaStatus *CudaBackend::makePool(int32_t ordinal, CudaDevice &device) {
  const cuda::Api &api = driver->api;
  if (device.pool)
    return nullptr;
  if (!api.cuMemPoolCreate || !api.cuMemPoolSetAttribute ||
      !api.cuMemPoolDestroy || !api.cuMemAllocFromPoolAsync ||
      !api.cuMemFreeAsync)
    return makeStatus(QDELTA_ERROR_DRIVER, "",
                      "NVIDIA's driver is older than CUDA 11.2 and allocates "
                      "no memory in a stream");
  cuda::MemoryPoolProperties properties = {};
  properties.allocationType = cuda::kPinnedAllocation;
  properties.locationType = cuda::kDeviceLocation;
  properties.locationId = ordinal;
  if (qdeltaStatus *error = driver->check(
          api.cuMemPoolCreate(&device.pool, &properties), "cuMemPoolCreate"))
    return error;
  uint64_t threshold = UINT64_MAX;
  return driver->check(api.cuMemPoolSetAttribute(
                           device.pool, cuda::kReleaseThreshold, &threshold),
                       "cuMemPoolSetAttribute");
}

/// The functions of all steps, which may use as much shared memory as they do.
qdeltaStatus *CudaBackend::findFunctions(const DeviceCode &code,
                                         CudaFunction &loaded) {
  const cuda::Api &api = driver->api;
  for (const DeviceStep &step : code.steps) {
    cuda::Function &function = loaded.functions.emplace_back();
    if (qdeltaStatus *error =
            driver->check(api.cuModuleGetFunction(&function, loaded.module,
                                                  step.entry.c_str()),
                          "cuModuleGetFunction", step.entry))
      return error;
    if (qdeltaStatus *error = driver->check(
            api.cuFuncSetAttribute(function, cuda::kMaxDynamicSharedSizeBytes,
                                   static_cast<int>(step.sharedBytes)),
            "cuFuncSetAttribute",
            std::to_string(step.sharedBytes) +
                " bytes of dynamic shared memory"))
      return error;
  }
  return nullptr;
}

qdeltaStatus *CudaBackend::load(const std::string &kernel,
                                const DeviceCode &code,
                                const CudaDevice &device,
                                CudaFunction &loaded) {
  const cuda::Api &api = driver->api;
  if (code.sharedBytes() > device.maxSharedBytes)
    return makeStatus(QDELTA_ERROR_SHARED_MEMORY, "",
                      "kernel " + kernel + " for " + code.target + " needs " +
                          std::to_string(code.sharedBytes()) +
                          " bytes of shared memory, but the device allows " +
                          std::to_string(device.maxSharedBytes));
  char log[4096] = {};
  int options[] = {cuda::kJitErrorLogBuffer, cuda::kJitErrorLogBufferSizeBytes};
  void *values[] = {log, reinterpret_cast<void *>(sizeof(log) - 1)};
  // PTX must end with a zero byte, and std::string's bytes do.
  if (qdeltaStatus *error = driver->check(
          api.cuModuleLoadDataEx(&loaded.module, code.bytes.c_str(), 2, options,
                                 values),
          "cuModuleLoadDataEx", log))
    return error;
  qdeltaStatus *error = findFunctions(code, loaded);
  if (error)
    api.cuModuleUnload(loaded.module);
  return error;
}

qdeltaStatus *CudaBackend::open(const std::string &kernel,
                                const std::vector<DeviceCode> &codes,
                                int32_t ordinal, const LaunchOptions &options,
                                std::unique_ptr<DeviceRun> &run) {
  std::lock_guard<std::mutex> lock(mutex);
  CudaDevice *device;
  if (qdeltaStatus *error = openDevice(ordinal, device))
    return error;
  auto opened = std::make_unique<CudaRun>(*driver, ordinal, options);
  if (qdeltaStatus *error = opened->context.push(*device))
    return error;
  opened->chosen =
      chooseCode(codes, device->major, device->minor, options.target);
  if (!opened->chosen) {
    std::string wanted = "device " + std::to_string(ordinal) +
                         " (compute capability " +
                         std::to_string(device->major) + "." +
                         std::to_string(device->minor) + ")";
    if (!options.target.empty())
      wanted += " and target " + options.target;
    return noCode(kernel, wanted, codes);
  }
  auto known = functions.find({ordinal, opened->chosen});
  if (known == functions.end()) {
    CudaFunction loaded;
    if (qdeltaStatus *error = load(kernel, *opened->chosen, *device, loaded))
      return error;
    known = functions.emplace(std::pair(ordinal, opened->chosen), loaded).first;
  }
  opened->functions = &known->second.functions;
  if (!opened->chosen->workspaces.empty())
    if (qdeltaStatus *error = makePool(ordinal, *device))
      return error;
  opened->pool = device->pool;
  run = std::move(opened);
  return nullptr;
}

qdeltaStatus *CudaBackend::synchronize(int32_t ordinal, void *stream) {
  CudaDevice *device;
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (qdeltaStatus *error = openDevice(ordinal, device))
      return error;
  }
  CurrentContext current(*driver);
  if (qdeltaStatus *error = current.push(*device))
    return error;
  return driver->check(
      driver->api.cuStreamSynchronize(static_cast<cuda::Stream>(stream)),
      "cuStreamSynchronize");
}

std::unique_ptr<Backend> qdelta::runtime::makeCudaBackend() {
  return std::make_unique<CudaBackend>();
}

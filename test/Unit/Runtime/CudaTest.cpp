//===- CudaTest.cpp - engine cuda on a fake driver ------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "FakeCuda.h"
#include "ToyKernel.h"
#include "qdelta/Runtime/DeviceMemory.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>

using qdelta::runtime::DeviceMemory;
using toy::Array;

namespace {
/// The toy kernel for GPUs, on a new state of the fake driver.
class Cuda : public testing::Test {
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
    device.struct_size = sizeof(device);
    device.kernel = "toy";
    device.target = "sm_90a";
    device.format = QDELTA_FORMAT_PTX;
    device.threads = 256;
    device.code = "PTX and more";
    device.code_size = 3;
    device.entry = "toy_sm_90a";
    device.columns = 2;
    device.shared_bytes = 100000;
    options.struct_size = sizeof(options);
    options.engine = QDELTA_ENGINE_CUDA;
    options.stream = &options;
  }
  void TearDown() override {
    qdeltaModuleDestroy(module);
    if (fake) {
      EXPECT_EQ(fake->pushed, 0);
      EXPECT_EQ(fake->retained, 0);
      EXPECT_EQ(fake->modules, 0);
      EXPECT_EQ(fake->events, 0);
      EXPECT_EQ(fake->allocations, 0);
      EXPECT_EQ(fake->pools, 0);
      EXPECT_TRUE(fake->pooled.empty());
      dlclose(library);
    }
    unsetenv("QDELTA_LIBCUDA");
  }

  /// q with rows of 16 bytes, every other one of memory that starts on 16.
  Array &alignQueries() {
    call.arrays[toy::q] = Array({2, 3, 2, 8});
    Array &q = call.arrays[toy::q];
    q.data.resize(200);
    size_t start = 0;
    while (reinterpret_cast<uintptr_t>(q.data.data() + start) % 16)
      ++start;
    q.dl.data = q.data.data() + start;
    q.shape = {2, 3, 2, 4};
    q.strides = {48, 16, 8, 1};
    return q;
  }

  /// Moves the tensors to device `ordinal`.
  void place(int ordinal) {
    for (Array &array : call.arrays) {
      array.dl.device = {kDLCUDA, ordinal};
      auto begin = reinterpret_cast<uintptr_t>(array.data.data());
      fake->memory.push_back(
          {begin, begin + array.data.size() * sizeof(float), ordinal});
    }
  }

  /// Loads the image if that has not been done; launches; returns the message.
  std::string launch() {
    if (!module) {
      qdeltaImage image = toy::image();
      image.device_kernels = devices.empty() ? &device : devices.data();
      image.num_device_kernels =
          devices.empty() ? 1 : static_cast<int64_t>(devices.size());
      qdeltaStatus *status = qdeltaModuleLoad(&image, &module);
      EXPECT_STREQ(qdeltaStatusGetMessage(status), "");
      qdeltaStatusDestroy(status);
    }
    std::vector<DLTensor *> tensors;
    for (Array &array : call.arrays)
      tensors.push_back(array.tensor());
    const qdeltaKernel *kernel = nullptr;
    qdeltaStatusDestroy(qdeltaModuleGetKernel(module, 0, &kernel));
    return take(
        qdeltaLaunch(kernel, tensors.data(), toy::numArguments, &options));
  }

  std::string take(qdeltaStatus *status) {
    code = qdeltaStatusGetCode(status);
    std::string message = qdeltaStatusGetMessage(status);
    qdeltaStatusDestroy(status);
    return message;
  }

  void *library = nullptr;
  FakeCuda *fake = nullptr;
  toy::Call call;
  qdeltaDeviceKernelImage device = {};
  std::vector<qdeltaDeviceKernelImage> devices;
  qdeltaLaunchOptions options = {};
  qdeltaModule *module = nullptr;
  qdeltaErrorCode code = QDELTA_OK;
};

int64_t addressOf(const Array &array) {
  return static_cast<int64_t>(reinterpret_cast<uintptr_t>(array.dl.data));
}
} // namespace

TEST_F(Cuda, Launch) {
  place(0);
  ASSERT_EQ(launch(), "");
  EXPECT_EQ(fake->image, "PTX");
  EXPECT_EQ(fake->entry, "toy_sm_90a");
  EXPECT_EQ(fake->dynamicShared, 100000);
  // B * HV * ceil(3 / 2).
  EXPECT_EQ(fake->grid[0], 2u * 4 * 2);
  EXPECT_EQ(fake->grid[1] * fake->grid[2], 1u);
  EXPECT_EQ(fake->block[0], 256u);
  EXPECT_EQ(fake->block[1] * fake->block[2], 1u);
  EXPECT_EQ(fake->shared, 100000u);
  EXPECT_EQ(fake->stream, &options);
  // Shapes: q [2, 3, 2, 4], v [2, 3, 2, 3], g [2, 3, 2], scale [4], w [4, 4],
  // S [2, 4, 4, 3], o [2, 3, 4, 3].
  const auto &a = call.arrays;
  std::vector<int64_t> wanted = {addressOf(a[toy::q]),
                                 24,
                                 8,
                                 4,
                                 2, //
                                 addressOf(a[toy::v]),
                                 18,
                                 6,
                                 3,
                                 2, //
                                 addressOf(a[toy::g]),
                                 6,
                                 2,
                                 1,
                                 2, //
                                 addressOf(a[toy::scale]),
                                 1,
                                 0,
                                 0,
                                 4, //
                                 addressOf(a[toy::w]),
                                 4,
                                 1,
                                 0,
                                 4, //
                                 addressOf(a[toy::S]),
                                 48,
                                 12,
                                 3,
                                 4, //
                                 addressOf(a[toy::o]),
                                 36,
                                 12,
                                 3,
                                 4, //
                                 addressOf(a[toy::SFinal]),
                                 48,
                                 12,
                                 3,
                                 4, //
                                 3,
                                 4,
                                 2};
  EXPECT_EQ(fake->parameter, wanted);
}

TEST_F(Cuda, ModulesAreKept) {
  place(1);
  ASSERT_EQ(launch(), "");
  ASSERT_EQ(launch(), "");
  EXPECT_EQ(
      std::count(fake->calls.begin(), fake->calls.end(), "cuModuleLoadDataEx"),
      1);
  EXPECT_EQ(std::count(fake->calls.begin(), fake->calls.end(), "cuInit"), 1);
  EXPECT_EQ(
      std::count(fake->calls.begin(), fake->calls.end(), "cuLaunchKernel"), 2);
  // Another device has a context, and so a module, of its own.
  fake->memory.clear();
  place(0);
  ASSERT_EQ(launch(), "");
  EXPECT_EQ(fake->modules, 2);
}

TEST_F(Cuda, RowsOfSixteenBytesLieOnSixteenBytes) {
  Array &q = alignQueries();
  place(0);
  EXPECT_EQ(launch(), "");
  q.strides = {48, 16, 6, 1};
  EXPECT_NE(launch().find("multiples of 16 bytes, which its rows are copied "
                          "in, but got stride 24 of dimension 2"),
            std::string::npos);
  q.strides = {48, 16, 8, 1};
  q.dl.data = static_cast<float *>(q.dl.data) + 2;
  EXPECT_NE(launch().find("but got an address 8 past a multiple of it"),
            std::string::npos);
}

TEST_F(Cuda, TensorMap) {
  qdeltaTensorMap map = {sizeof(map), toy::q, 64, 32, 3};
  device.tensor_maps = &map;
  device.num_tensor_maps = 1;
  fake->maps = 1;
  Array &q = alignQueries();
  place(0);
  ASSERT_EQ(launch(), "");
  EXPECT_EQ(fake->map.type, 7);
  EXPECT_EQ(fake->map.rank, 4u);
  EXPECT_EQ(fake->map.address, q.dl.data);
  EXPECT_EQ(fake->map.sizes, (std::vector<uint64_t>{4, 2, 3, 2}));
  EXPECT_EQ(fake->map.strides, (std::vector<uint64_t>{32, 64, 192}));
  EXPECT_EQ(fake->map.box, (std::vector<uint32_t>{64, 1, 32, 1}));
  EXPECT_EQ(fake->map.elementStrides, (std::vector<uint32_t>{1, 1, 1, 1}));
  EXPECT_EQ(fake->map.interleave, 0);
  EXPECT_EQ(fake->map.swizzle, 3);
  EXPECT_EQ(fake->map.l2Promotion, 2);
  EXPECT_EQ(fake->map.fill, 0);
  ASSERT_EQ(fake->mapBytes.size(), 1u);
  EXPECT_EQ(fake->mapBytes[0], std::string(128, 'm'));
  fake->failures["cuTensorMapEncodeTiled"] = 1;
  EXPECT_EQ(launch(), "no tensor map describes q: the driver refuses its "
                      "sizes, strides or box");
  EXPECT_EQ(code, QDELTA_ERROR_TENSOR_MAP);
}

TEST_F(Cuda, NoTokens) {
  // The states are copied on the device, in rows where they are not compact.
  for (bool compact : {true, false}) {
    fake->calls.clear();
    fake->memory.clear();
    for (Array &array : call.arrays)
      array = Array(array.shape);
    for (toy::Index i : {toy::q, toy::v, toy::g, toy::o})
      call.arrays[i].shape[1] = 0;
    std::fill(call.arrays[toy::SFinal].data.begin(),
              call.arrays[toy::SFinal].data.end(), -1.0f);
    if (!compact)
      call.arrays[toy::SFinal].strides = {12, 24, 3, 1};
    place(0);
    ASSERT_EQ(launch(), "");
    size_t copies = static_cast<size_t>(std::count(
        fake->calls.begin(), fake->calls.end(), "cuMemcpyDtoDAsync"));
    EXPECT_EQ(copies, compact ? 1u : 8u);
    const std::vector<float> &from = call.arrays[toy::S].data,
                             &to = call.arrays[toy::SFinal].data;
    for (size_t i = 0; i < from.size(); ++i)
      ASSERT_EQ(to[i], compact ? from[i]
                               : from[(i / 12 % 2 * 4 + i / 24) * 12 + i % 12]);
  }
}

TEST_F(Cuda, Synchronize) {
  place(0);
  ASSERT_EQ(launch(), "");
  EXPECT_EQ(take(qdeltaSynchronize(module, 0, &code)), "");
  EXPECT_EQ(fake->stream, &code);
  fake->failures["cuStreamSynchronize"] = 700;
  EXPECT_EQ(take(qdeltaSynchronize(module, 0, nullptr)),
            "cuStreamSynchronize reports CUDA_ERROR_ILLEGAL_ADDRESS");
  EXPECT_EQ(code, QDELTA_ERROR_CUDA);
  EXPECT_EQ(take(qdeltaSynchronize(nullptr, 0, nullptr)),
            "expected a module, but got NULL");
}

TEST_F(Cuda, HostPointers) {
  EXPECT_EQ(launch(), "expected q to be in a CUDA device's memory (device type "
                      "2), but got device type 1");
  EXPECT_EQ(code, QDELTA_ERROR_DEVICE);
  place(0);
  fake->memory.erase(fake->memory.begin() + toy::g);
  EXPECT_EQ(launch(), "expected the data of g to be in the memory of device 0, "
                      "but got an address that the driver does not know");
  EXPECT_EQ(code, QDELTA_ERROR_DEVICE);
}

TEST_F(Cuda, OtherDevices) {
  place(0);
  call.arrays[toy::o].dl.device.device_id = 1;
  EXPECT_EQ(launch(), "expected output o to be on device 0 as q is, but got "
                      "device 1");
  call.arrays[toy::o].dl.device.device_id = 0;
  fake->memory[toy::w].device = 1;
  EXPECT_EQ(launch(), "expected the data of w to be in the memory of device 0, "
                      "but got that of device 1");
  fake->memory.clear();
  place(2);
  EXPECT_EQ(launch(), "expected a CUDA device less than 2, but got device 2");
  EXPECT_EQ(code, QDELTA_ERROR_DEVICE);
}

TEST_F(Cuda, ManagedMemory) {
  place(0);
  for (Array &array : call.arrays)
    array.dl.device.device_type = kDLCUDAManaged;
  EXPECT_EQ(launch(), "");
}

TEST_F(Cuda, SharedMemory) {
  place(0);
  fake->maxSharedBytes = 99999;
  EXPECT_EQ(launch(), "kernel toy for sm_90a needs 100000 bytes of shared "
                      "memory, but the device allows 99999");
  EXPECT_EQ(code, QDELTA_ERROR_SHARED_MEMORY);
}

TEST_F(Cuda, Grid) {
  call.arrays[toy::q].shape = {1 << 30, 1, 0, 4};
  for (Array &array : call.arrays)
    array.dl.device = {kDLCUDA, 0};
  auto resize = [&](toy::Index index, std::vector<int64_t> shape) {
    call.arrays[index].shape = shape;
    // One vector for everything: a grid needs no memory to be too large.
    call.arrays[index].strides.assign(shape.size(), 0);
    call.arrays[index].strides.back() = 1;
  };
  resize(toy::q, {1 << 30, 1, 1, 4});
  resize(toy::v, {1 << 30, 1, 1, 3});
  resize(toy::g, {1 << 30, 1, 1});
  resize(toy::S, {1 << 30, 4, 4, 3});
  call.arrays[toy::o].shape = {1 << 30, 1, 4, 3};
  call.arrays[toy::SFinal].shape = {1 << 30, 4, 4, 3};
  // Addresses of their own, which nothing is going to touch.
  call.arrays[toy::o].dl.data = reinterpret_cast<void *>(uintptr_t(1) << 50);
  call.arrays[toy::SFinal].dl.data =
      reinterpret_cast<void *>(uintptr_t(1) << 51);
  fake->memory.push_back({1, UINTPTR_MAX, 0});
  EXPECT_EQ(launch(), "expected a grid of less than 2^31 blocks, but got "
                      "4294967296 * 2");
  EXPECT_EQ(code, QDELTA_ERROR_OVERFLOW);
}

TEST_F(Cuda, NoCodeForTheDevice) {
  place(0);
  fake->major = 8;
  EXPECT_EQ(launch(), "kernel toy has no code for device 0 (compute capability "
                      "8.0); it has sm_90a (PTX)");
  EXPECT_EQ(code, QDELTA_ERROR_TARGET);
  options.target = "sm_80";
  EXPECT_EQ(launch(), "kernel toy has no code for device 0 (compute capability "
                      "8.0) and target sm_80; it has sm_90a (PTX)");
}

TEST_F(Cuda, BestCode) {
  auto add = [&](const char *target, qdeltaFormat format) {
    device.target = target;
    device.format = format;
    device.code = devices.emplace_back(device).target;
    device.code_size = strlen(target);
    devices.back() = device;
  };
  add("sm_80", QDELTA_FORMAT_CUBIN);
  add("sm_80", QDELTA_FORMAT_PTX);
  add("sm_90", QDELTA_FORMAT_PTX);
  add("sm_90", QDELTA_FORMAT_CUBIN);
  add("sm_90a", QDELTA_FORMAT_PTX);
  add("sm_100f", QDELTA_FORMAT_PTX);
  add("sm_120a", QDELTA_FORMAT_CUBIN);
  add("sm_x", QDELTA_FORMAT_PTX);
  struct {
    int major, minor;
    const char *image;
  } cases[] = {{9, 0, "sm_90a"},   {8, 0, "sm_80"},  {8, 6, "sm_80"},
               {10, 3, "sm_100f"}, {11, 0, "sm_90"}, {12, 0, "sm_120a"},
               {12, 1, "sm_90"}};
  place(0);
  for (auto [major, minor, image] : cases) {
    fake->major = major;
    fake->minor = minor;
    EXPECT_EQ(launch(), "");
    EXPECT_EQ(fake->image, image) << major << "." << minor;
    qdeltaModuleDestroy(module);
    module = nullptr;
  }
}

TEST_F(Cuda, JitLog) {
  place(0);
  fake->failures["cuModuleLoadDataEx"] = 218;
  fake->jitLog = "ptxas fatal : Unresolved extern function '__nv_expf'";
  EXPECT_EQ(launch(), "cuModuleLoadDataEx reports CUDA_ERROR_INVALID_PTX (a "
                      "PTX JIT compilation failed): ptxas fatal : Unresolved "
                      "extern function '__nv_expf'");
  EXPECT_EQ(code, QDELTA_ERROR_CUDA);
  // A failure is not remembered.
  fake->failures.clear();
  EXPECT_EQ(launch(), "");
}

TEST_F(Cuda, FailingCalls) {
  place(0);
  for (auto [name, message] :
       {std::pair("cuModuleGetFunction", ": toy_sm_90a"),
        {"cuFuncSetAttribute", ": 100000 bytes of dynamic shared memory"},
        {"cuLaunchKernel", ""},
        {"cuPointerGetAttribute", ""}}) {
    fake->failures = {{name, 700}};
    EXPECT_EQ(launch(), std::string(name) +
                            " reports CUDA_ERROR_ILLEGAL_ADDRESS" + message);
    EXPECT_EQ(code, QDELTA_ERROR_CUDA);
  }
  fake->failures = {{"cuLaunchKernel", 12345}};
  EXPECT_EQ(launch(), "cuLaunchKernel reports error 12345");
}

TEST_F(Cuda, FailingStart) {
  place(0);
  fake->failures["cuInit"] = 100;
  EXPECT_EQ(launch(), "engine cuda needs NVIDIA's driver: cuInit reports "
                      "CUDA_ERROR_NO_DEVICE (no CUDA-capable device is "
                      "detected)");
  EXPECT_EQ(code, QDELTA_ERROR_DRIVER);
  fake->failures = {{"cuDeviceGetCount", 700}};
  EXPECT_EQ(launch(), "cuDeviceGetCount reports CUDA_ERROR_ILLEGAL_ADDRESS");
  fake->failures.clear();
  EXPECT_EQ(launch(), "");
}

TEST_F(Cuda, NoDriver) {
  place(0);
  setenv("QDELTA_LIBCUDA", "/nowhere/libcuda.so.1", 1);
  EXPECT_EQ(launch(), "engine cuda needs NVIDIA's driver: cannot open "
                      "/nowhere/libcuda.so.1 (/nowhere/libcuda.so.1: cannot "
                      "open shared object file: No such file or directory)");
  EXPECT_EQ(code, QDELTA_ERROR_DRIVER);
  setenv("QDELTA_LIBCUDA", "libz.so.1", 1);
  EXPECT_EQ(launch(), "engine cuda needs NVIDIA's driver: libz.so.1 has no "
                      "function cuInit");
}

TEST_F(Cuda, DriverWithoutTensorMaps) {
  setenv("QDELTA_LIBCUDA", QDELTA_OLD_FAKE_CUDA, 1);
  void *old = dlopen(QDELTA_OLD_FAKE_CUDA, RTLD_NOW);
  ASSERT_NE(old, nullptr);
  auto find = reinterpret_cast<FakeCuda *(*)()>(dlsym(old, kFakeCudaState));
  FakeCuda *other = find();
  other->memory.push_back({1, UINTPTR_MAX, 0});
  place(0);
  EXPECT_EQ(launch(), "");
  qdeltaModuleDestroy(module);
  module = nullptr;
  qdeltaTensorMap map = {sizeof(map), toy::q, 4, 1, 0};
  device.tensor_maps = &map;
  device.num_tensor_maps = 1;
  Array &q = call.arrays[toy::q];
  q.dl.data = reinterpret_cast<void *>(uintptr_t(1) << 50);
  EXPECT_EQ(launch(), "NVIDIA's driver is older than CUDA 12 and makes no "
                      "tensor maps");
  EXPECT_EQ(code, QDELTA_ERROR_DRIVER);
  qdeltaModuleDestroy(module);
  module = nullptr;
  dlclose(old);
}

TEST_F(Cuda, Memory) {
  float numbers[] = {1, 2, 3}, back[3] = {};
  {
    std::unique_ptr<DeviceMemory> memory;
    ASSERT_EQ(take(DeviceMemory::open(0, memory)), "");
    void *pointer = nullptr;
    ASSERT_EQ(take(memory->allocate(sizeof(numbers), pointer)), "");
    EXPECT_EQ(take(memory->upload(pointer, numbers, sizeof(numbers))), "");
    EXPECT_EQ(take(memory->download(back, pointer, sizeof(back))), "");
    EXPECT_TRUE(std::equal(numbers, numbers + 3, back));
    void *empty = nullptr;
    EXPECT_EQ(take(memory->allocate(0, empty)), "");
    EXPECT_NE(empty, nullptr);
    EXPECT_EQ(take(memory->upload(nullptr, nullptr, 0)), "");
    EXPECT_EQ(take(memory->download(nullptr, nullptr, 0)), "");
    fake->failures["cuMemAlloc"] = 700;
    EXPECT_EQ(take(memory->allocate(4, empty)),
              "cuMemAlloc reports CUDA_ERROR_ILLEGAL_ADDRESS");
  }
  EXPECT_EQ(std::count(fake->calls.begin(), fake->calls.end(), "cuMemFree"), 2);
  fake->failures["cuInit"] = 100;
  std::unique_ptr<DeviceMemory> none;
  EXPECT_EQ(take(DeviceMemory::open(0, none)).rfind("engine cuda needs", 0),
            0u);
}

TEST_F(Cuda, OverlapAndStrides) {
  place(0);
  call.arrays[toy::SFinal].dl.data = call.arrays[toy::S].dl.data;
  EXPECT_EQ(launch(), "expected final state S to have memory of its own, but "
                      "it overlaps initial state S");
  EXPECT_EQ(code, QDELTA_ERROR_OVERLAP);
  EXPECT_TRUE(fake->calls.empty());
}

namespace {
/// The toy kernel in two steps.
class CudaSteps : public Cuda {
protected:
  CudaSteps() {
    for (qdeltaKernelStep &step : steps) {
      step.struct_size = sizeof(step);
      step.threads = 64;
      step.blocks = 3;
      step.num_inputs = 1;
      step.num_tensors = 2;
    }
    steps[0].entry = "first";
    steps[0].tensors = first;
    steps[0].tokens = 2;
    steps[1].entry = "second";
    steps[1].tensors = second;
    steps[1].shared_bytes = 50000;
    workspace.struct_size = sizeof(workspace);
    workspace.rank = 4;
    int64_t shape[] = {QDELTA_DIM_BATCH, QDELTA_DIM_TIME,
                       QDELTA_DIM_VALUE_HEADS, 3};
    std::copy(shape, shape + 4, workspace.shape);
    workspace.dtype = {kDLFloat, 32, 1};
  }
  void SetUp() override {
    Cuda::SetUp();
    device.steps = steps;
    device.num_steps = 2;
    device.workspaces = &workspace;
    device.num_workspaces = 1;
    fake->words = 5 * 2 + 3;
  }

  int32_t first[2] = {toy::v, toy::numArguments};
  int32_t second[2] = {toy::numArguments, toy::o};
  qdeltaKernelStep steps[2] = {};
  qdeltaArgument workspace = {};
};
} // namespace

TEST_F(CudaSteps, Launch) {
  place(0);
  std::vector<std::vector<int64_t>> parameters;
  std::vector<unsigned> grids;
  fake->kernel = [&](const std::vector<int64_t> &words) {
    parameters.push_back(words);
    grids.push_back(fake->grid[0]);
  };
  ASSERT_EQ(launch(), "");
  EXPECT_EQ(fake->launched, (std::vector<std::string>{"first", "second"}));
  // B HV, ceil(3 / 2) runs, 3 blocks.
  EXPECT_EQ(grids, (std::vector<unsigned>{2 * 4 * 2 * 3, 2 * 4 * 3}));
  EXPECT_EQ(fake->shared, 50000u);
  ASSERT_EQ(parameters.size(), 2u);
  EXPECT_EQ(parameters[0][0], addressOf(call.arrays[toy::v]));
  EXPECT_EQ(parameters[1][5], addressOf(call.arrays[toy::o]));
  // The sequence between them: [2, 3, 4, 3], row-major, its own heads.
  std::vector<int64_t> between(parameters[0].begin() + 5,
                               parameters[0].begin() + 10);
  EXPECT_EQ(between, std::vector<int64_t>(parameters[1].begin(),
                                          parameters[1].begin() + 5));
  EXPECT_EQ(std::vector<int64_t>(between.begin() + 1, between.end()),
            (std::vector<int64_t>{36, 12, 3, 4}));
  // One pool for all launches; memory is freed in the stream, behind them.
  ASSERT_EQ(launch(), "");
  EXPECT_EQ(
      std::count(fake->calls.begin(), fake->calls.end(), "cuMemPoolCreate"), 1);
  EXPECT_EQ(fake->calls.back(), "cuMemFreeAsync");
  EXPECT_EQ(fake->pooled.size(), 0u);
}

TEST_F(CudaSteps, NoMemory) {
  place(0);
  fake->failures["cuMemAllocFromPoolAsync"] = 2;
  EXPECT_EQ(launch(), "cuMemAllocFromPoolAsync reports error 2: 512 bytes of "
                      "sequences between kernels");
  EXPECT_TRUE(fake->launched.empty());
}

TEST_F(CudaSteps, NoTokens) {
  call.arrays.clear();
  for (auto shape : std::vector<std::vector<int64_t>>{{2, 0, 2, 4},
                                                      {2, 0, 2, 3},
                                                      {2, 0, 2},
                                                      {4},
                                                      {4, 4},
                                                      {2, 4, 4, 3},
                                                      {2, 0, 4, 3},
                                                      {2, 4, 4, 3}})
    call.arrays.emplace_back(shape);
  place(0);
  EXPECT_EQ(launch(), "");
  EXPECT_TRUE(fake->launched.empty());
  EXPECT_EQ(std::count(fake->calls.begin(), fake->calls.end(),
                       "cuMemAllocFromPoolAsync"),
            0);
}

//===- DeviceImageTest.cpp - device kernels of images --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ToyKernel.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace {
/// The toy image with one device kernel, to be spoilt.
struct DeviceImage {
  DeviceImage() {
    kernel.struct_size = sizeof(kernel);
    kernel.kernel = "toy";
    kernel.target = "sm_80";
    kernel.format = QDELTA_FORMAT_PTX;
    kernel.threads = 128;
    kernel.code = ".version";
    kernel.code_size = 8;
    kernel.entry = "toy_sm_80";
    kernel.columns = 2;
    kernel.tensor_maps = &map;
    kernel.num_tensor_maps = 1;
    image.device_kernels = &kernel;
    image.num_device_kernels = 1;
  }

  /// Loads; returns the message, or what the module holds.
  std::string load(qdeltaErrorCode code = QDELTA_ERROR_IMAGE) {
    qdeltaModule *module = nullptr;
    qdeltaStatus *status = qdeltaModuleLoad(&image, &module);
    EXPECT_EQ(qdeltaStatusGetCode(status), code);
    std::string text = status ? qdeltaStatusGetMessage(status)
                              : qdeltaModuleGetContents(module);
    qdeltaStatusDestroy(status);
    qdeltaModuleDestroy(module);
    return text;
  }

  qdeltaTensorMap map = {sizeof(qdeltaTensorMap), toy::v, 64, 64, 3};
  qdeltaDeviceKernelImage kernel = {};
  qdeltaImage image = toy::image();
};
} // namespace

TEST(DeviceImage, Contents) {
  DeviceImage image;
  EXPECT_EQ(image.load(QDELTA_OK), "this machine (cpu), sm_80 (PTX)");
  qdeltaDeviceKernelImage kernels[] = {image.kernel, image.kernel,
                                       image.kernel};
  kernels[1].format = QDELTA_FORMAT_CUBIN;
  kernels[2].target = "sm_90a";
  image.image.device_kernels = kernels;
  image.image.num_device_kernels = 3;
  EXPECT_EQ(image.load(QDELTA_OK),
            "this machine (cpu), sm_80 (PTX, cubin), sm_90a (PTX)");
}

TEST(DeviceImage, Names) {
  DeviceImage image;
  image.kernel.kernel = "tow";
  EXPECT_EQ(image.load(),
            "device kernel tow for sm_80 is of no kernel of the image");
  image.kernel.entry = nullptr;
  EXPECT_EQ(image.load(), "expected a device kernel to name its kernel, its "
                          "target and its entry");
}

TEST(DeviceImage, Code) {
  DeviceImage image;
  // A C program may put any number there.
  int32_t unknown = 9;
  std::memcpy(&image.kernel.format, &unknown, sizeof(unknown));
  EXPECT_EQ(image.load(), "device kernel toy for sm_80 has unknown format 9");
  image.kernel.format = QDELTA_FORMAT_CUBIN;
  image.kernel.code_size = 0;
  EXPECT_EQ(image.load(), "device kernel toy for sm_80 has no code");
}

TEST(DeviceImage, Numbers) {
  DeviceImage image;
  image.kernel.threads = 1025;
  EXPECT_EQ(image.load(), "expected device kernel toy for sm_80 to have 1 to "
                          "1024 threads, but got 1025");
  image.kernel.threads = 128;
  image.kernel.columns = 0;
  EXPECT_EQ(image.load(), "expected device kernel toy for sm_80 to compute at "
                          "least one column, but got 0");
  image.kernel.columns = 1;
  image.kernel.shared_bytes = -1;
  EXPECT_EQ(image.load(),
            "device kernel toy for sm_80 has -1 bytes of shared memory");
}

TEST(DeviceImage, TensorMaps) {
  DeviceImage image;
  image.map.argument = toy::numArguments;
  EXPECT_EQ(image.load(), "tensor map 0 of kernel toy for sm_80 is over "
                          "unknown argument 8");
  image.map.argument = toy::S;
  EXPECT_EQ(image.load(), "expected tensor map 0 of kernel toy for sm_80 to be "
                          "over a sequence of rank 4, but got initial state S");
  image.map.argument = toy::o;
  image.map.box_rows = 257;
  EXPECT_EQ(image.load(), "expected tensor map 0 of kernel toy for sm_80 to "
                          "have a box of at most 256 x 256 and swizzle 0 to 3");
  image.kernel.tensor_maps = nullptr;
  EXPECT_EQ(image.load(),
            "expected an array of 1 qdeltaTensorMap, but got NULL");
}

TEST(DeviceImage, StructSizes) {
  DeviceImage image;
  image.kernel.struct_size = 8;
  EXPECT_EQ(image.load(QDELTA_ERROR_STRUCT_SIZE),
            "expected qdeltaDeviceKernelImage to have struct_size at least " +
                std::to_string(offsetof(qdeltaDeviceKernelImage, steps)) +
                ", but got 8");
  // What version 1.2 had is enough.
  image.kernel.struct_size = offsetof(qdeltaDeviceKernelImage, steps);
  image.kernel.num_steps = 7;
  EXPECT_EQ(image.load(QDELTA_OK), "this machine (cpu), sm_80 (PTX)");
}

namespace {
/// The same, in two steps with one sequence between them.
struct SteppedImage : DeviceImage {
  SteppedImage() {
    for (qdeltaKernelStep &step : steps) {
      step.struct_size = sizeof(step);
      step.entry = "toy_step";
      step.threads = 32;
      step.blocks = 1;
      step.num_inputs = 1;
      step.num_tensors = 2;
    }
    steps[0].tensors = first;
    steps[1].tensors = second;
    workspace.struct_size = sizeof(workspace);
    workspace.rank = 4;
    int64_t shape[] = {QDELTA_DIM_BATCH, QDELTA_DIM_TIME,
                       QDELTA_DIM_VALUE_HEADS, 3};
    std::copy(shape, shape + 4, workspace.shape);
    workspace.dtype = {kDLBfloat, 16, 1};
    kernel.steps = steps;
    kernel.num_steps = 2;
    kernel.workspaces = &workspace;
    kernel.num_workspaces = 1;
  }

  int32_t first[2] = {toy::v, toy::numArguments};
  int32_t second[2] = {toy::numArguments, toy::o};
  qdeltaKernelStep steps[2] = {};
  qdeltaArgument workspace = {};
};
} // namespace

TEST(DeviceImage, Steps) {
  SteppedImage image;
  // Of single kernels; steps say it themselves.
  image.kernel.columns = 0;
  image.workspace.name = "";
  EXPECT_EQ(image.load(QDELTA_OK), "this machine (cpu), sm_80 (PTX)");
  image.steps[1].blocks = 0;
  EXPECT_EQ(image.load(),
            "expected step 1 of device kernel toy for sm_80 to have at least "
            "one block and no negative number of tokens, but got 0 and 0");
  image.steps[1].blocks = 1;
  image.steps[0].threads = 0;
  EXPECT_EQ(image.load(), "expected step 0 of device kernel toy for sm_80 to "
                          "have 1 to 1024 threads, but got 0");
  image.steps[0].entry = nullptr;
  EXPECT_EQ(image.load(), "step 0 of device kernel toy for sm_80 has no entry");
  image.steps[0].struct_size = 8;
  EXPECT_EQ(image.load(QDELTA_ERROR_STRUCT_SIZE),
            "expected qdeltaKernelStep to have struct_size at least " +
                std::to_string(sizeof(qdeltaKernelStep)) + ", but got 8");
}

TEST(DeviceImage, StepTensors) {
  SteppedImage image;
  image.first[1] = toy::numArguments + 1;
  EXPECT_EQ(image.load(),
            "step 0 of device kernel toy for sm_80 has unknown tensor 9");
  image.first[1] = toy::g;
  EXPECT_EQ(image.load(), "step 0 of device kernel toy for sm_80 writes g");
  image.steps[0].num_inputs = 3;
  EXPECT_EQ(image.load(), "expected step 0 of device kernel toy for sm_80 to "
                          "read some of 2 tensors, but it reads 3");
}

TEST(DeviceImage, Workspaces) {
  SteppedImage image;
  image.workspace.shape[2] = QDELTA_DIM_HEADS;
  EXPECT_EQ(image.load(),
            "expected workspaces of device kernel toy for sm_80 "
            "to be sequences of sizes B, T, HV, or 1, T, HV if it is "
            "packed");
  image.workspace.dtype.bits = 8;
  EXPECT_EQ(image.load(),
            "expected argument a sequence between kernels of kernel toy to be "
            "float64, float32, bfloat16 or float16");
}

//===- DeviceImageTest.cpp - device kernels of images --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ToyKernel.h"

#include "gtest/gtest.h"

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
                std::to_string(sizeof(qdeltaDeviceKernelImage)) +
                ", but got 8");
}

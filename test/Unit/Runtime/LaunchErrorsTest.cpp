//===- LaunchErrorsTest.cpp - launches that are refused ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ToyKernel.h"

#include "gtest/gtest.h"

using toy::Array;
using toy::Call;

/// Launches; expects the code and message, and that nothing ran.
static void expectError(Call &call, qdeltaErrorCode code,
                        const std::string &message, int32_t threads = 1) {
  std::vector<float> before = call.arrays[toy::SFinal].data;
  EXPECT_EQ(call.launch(threads), message);
  EXPECT_EQ(call.code, code);
  EXPECT_EQ(call.arrays[toy::SFinal].data, before);
}

TEST(LaunchErrors, Count) {
  Call call;
  call.arrays.erase(call.arrays.begin());
  EXPECT_EQ(call.launch(),
            "expected 8 tensors for toy (q, v, g, scale, w, initial state S, "
            "output o, final state S), but got 7");
  EXPECT_EQ(call.code, QDELTA_ERROR_COUNT);
}

TEST(LaunchErrors, Json) {
  Call call;
  call.arrays[toy::v] = Array({2, 4, 2, 3});
  call.launch();
  EXPECT_EQ(call.json, "{\"code\": \"QD2004\", \"argument\": \"v\", "
                       "\"message\": \"expected v to have T = 3 as q has, but "
                       "got 4\"}");
}

TEST(LaunchErrors, Device) {
  Call call;
  call.arrays[toy::q].dl.device.device_type = kDLCUDA;
  expectError(call, QDELTA_ERROR_DEVICE,
              "expected q to be in CPU memory (device type 1), but got device "
              "type 2");
}

TEST(LaunchErrors, DType) {
  for (auto [type, name] :
       {std::pair(DLDataType{kDLFloat, 64, 1}, "float64"),
        std::pair(DLDataType{kDLBfloat, 16, 1}, "bfloat16"),
        std::pair(DLDataType{kDLInt, 32, 1}, "int32"),
        std::pair(DLDataType{99, 8, 1}, "type code 99 of 8"),
        std::pair(DLDataType{kDLFloat, 32, 4}, "float32 with 4 lanes")}) {
    Call call;
    call.arrays[toy::S].dl.dtype = type;
    expectError(call, QDELTA_ERROR_DTYPE,
                std::string("expected initial state S to be float32, but "
                            "got ") +
                    name);
  }
}

TEST(LaunchErrors, Rank) {
  Call call;
  call.arrays[toy::v] = Array({2, 3, 6});
  expectError(call, QDELTA_ERROR_RANK,
              "expected v to have shape [B, T, H, 3], but got rank 3");
}

TEST(LaunchErrors, NoShape) {
  Call call;
  DLTensor tensor = *call.arrays[toy::q].tensor();
  tensor.shape = nullptr;
  qdeltaModule *module = nullptr;
  ASSERT_EQ(qdeltaModuleLoad(&toy::image(), &module), nullptr);
  const qdeltaKernel *kernel = nullptr;
  ASSERT_EQ(qdeltaModuleGetKernel(module, 0, &kernel), nullptr);
  for (DLTensor *first : {&tensor, static_cast<DLTensor *>(nullptr)}) {
    std::vector<DLTensor *> tensors(toy::numArguments, first);
    qdeltaStatus *status =
        qdeltaLaunch(kernel, tensors.data(), toy::numArguments, nullptr);
    EXPECT_EQ(qdeltaStatusGetCode(status), QDELTA_ERROR_NULL_ARGUMENT);
    EXPECT_STREQ(qdeltaStatusGetMessage(status),
                 first ? "expected q to have shape [B, T, H, 4], but got no "
                         "shape"
                       : "expected q to be a tensor, but got NULL");
    qdeltaStatusDestroy(status);
  }
  qdeltaStatus *status =
      qdeltaLaunch(kernel, nullptr, toy::numArguments, nullptr);
  EXPECT_EQ(qdeltaStatusGetCode(status), QDELTA_ERROR_NULL_ARGUMENT);
  qdeltaStatusDestroy(status);
  status = qdeltaLaunch(nullptr, nullptr, 0, nullptr);
  EXPECT_STREQ(qdeltaStatusGetMessage(status),
               "expected a kernel, but got NULL");
  qdeltaStatusDestroy(status);
  qdeltaModuleDestroy(module);
}

TEST(LaunchErrors, FixedSize) {
  Call call;
  call.arrays[toy::S] = Array({2, 4, 4, 5});
  expectError(call, QDELTA_ERROR_SIZE,
              "expected initial state S to have shape [B, HV, 4, 3], but got "
              "[2, 4, 4, 5]");
}

TEST(LaunchErrors, NegativeSize) {
  Call call;
  call.arrays[toy::q].shape[1] = -3;
  expectError(call, QDELTA_ERROR_SIZE,
              "expected q to have shape [B, T, H, 4], but got [2, -3, 2, 4]");
}

TEST(LaunchErrors, SharedSizes) {
  struct {
    toy::Index index;
    std::vector<int64_t> shape;
    const char *message;
  } cases[] = {
      {toy::v, {1, 3, 2, 3}, "expected v to have B = 2 as q has, but got 1"},
      {toy::g, {2, 15, 2}, "expected g to have T = 3 as q has, but got 15"},
      {toy::w, {5, 4}, "expected w to have HV = 4 as scale has, but got 5"},
      {toy::S,
       {2, 8, 4, 3},
       "expected initial state S to have HV = 4 as scale has, but got 8"},
      {toy::o,
       {2, 2, 4, 3},
       "expected output o to have T = 3 as q has, but got 2"},
      {toy::SFinal,
       {1, 4, 4, 3},
       "expected final state S to have B = 2 as q has, but got 1"}};
  for (const auto &test : cases) {
    Call call;
    call.arrays[test.index] = Array(test.shape);
    expectError(call, QDELTA_ERROR_SIZE, test.message);
  }
}

TEST(LaunchErrors, Heads) {
  Call call(2, 3, 2, 3);
  expectError(call, QDELTA_ERROR_HEADS,
              "HV = 3 of scale must be a multiple of H = 2 of q");
  Call none(2, 3, 0, 3);
  expectError(none, QDELTA_ERROR_HEADS,
              "HV = 3 of scale must be a multiple of H = 0 of q");
}

TEST(LaunchErrors, InnerStride) {
  Call call(1, 1, 1, 1);
  call.arrays[toy::w].strides = {4, -1};
  expectError(call, QDELTA_ERROR_STRIDE,
              "expected the last dimension of w to have stride 1, but got -1");
  call.arrays[toy::w].strides = {1, 2};
  expectError(call, QDELTA_ERROR_STRIDE,
              "expected the last dimension of w to have stride 1, but got 2");
}

TEST(LaunchErrors, Data) {
  Call call;
  call.arrays[toy::v].dl.data = nullptr;
  expectError(call, QDELTA_ERROR_DATA,
              "expected v of shape [2, 3, 2, 3] to have data, but got NULL");
  Call odd;
  odd.arrays[toy::v].dl.byte_offset = 2;
  expectError(odd, QDELTA_ERROR_DATA,
              "expected the data of v to be aligned to 4 bytes, but got an "
              "address 2 past a multiple of 4");
}

TEST(LaunchErrors, Overflow) {
  int64_t huge = int64_t(1) << 40;
  Call call;
  call.arrays[toy::q].shape = {huge, huge, 2, 4};
  expectError(call, QDELTA_ERROR_OVERFLOW,
              "expected q to have fewer than 2^63 bytes, but got shape "
              "[1099511627776, 1099511627776, 2, 4]");
  Call strides;
  strides.arrays[toy::q].strides = {INT64_MAX / 4, 8, 4, 1};
  expectError(strides, QDELTA_ERROR_OVERFLOW,
              "expected q to have fewer than 2^63 bytes, but got shape "
              "[2, 3, 2, 4] with large strides");
  Call lowest;
  lowest.arrays[toy::q].strides = {INT64_MIN, 8, 4, 1};
  expectError(lowest, QDELTA_ERROR_OVERFLOW,
              "expected q to have fewer than 2^63 bytes, but got shape "
              "[2, 3, 2, 4] with large strides");
}

TEST(LaunchErrors, Overlap) {
  Call call(1, 1, 1, 1);
  call.arrays[toy::SFinal].dl.data = call.arrays[toy::S].data.data();
  expectError(call, QDELTA_ERROR_OVERLAP,
              "expected final state S to have memory of its own, but it "
              "overlaps initial state S");
}

TEST(LaunchErrors, OutputOnItself) {
  Call call;
  call.arrays[toy::o].strides = {36, 12, 0, 1};
  expectError(call, QDELTA_ERROR_OVERLAP,
              "the strides of output o put elements on top of each other");
}

TEST(LaunchErrors, Threads) {
  Call call;
  expectError(call, QDELTA_ERROR_OPTION,
              "expected threads from 0 to 1024, but got -1", -1);
  expectError(call, QDELTA_ERROR_OPTION,
              "expected threads from 0 to 1024, but got 1025", 1025);
}

/// Launches the toy kernel with these options; returns the message.
static std::string launchWith(const qdeltaLaunchOptions &options) {
  Call call;
  std::vector<DLTensor *> tensors;
  for (Array &array : call.arrays)
    tensors.push_back(array.tensor());
  qdeltaModule *module = nullptr;
  qdeltaStatusDestroy(qdeltaModuleLoad(&toy::image(), &module));
  const qdeltaKernel *kernel = nullptr;
  qdeltaStatusDestroy(qdeltaModuleGetKernel(module, 0, &kernel));
  qdeltaStatus *status =
      qdeltaLaunch(kernel, tensors.data(), toy::numArguments, &options);
  std::string message = qdeltaStatusGetMessage(status);
  qdeltaStatusDestroy(status);
  qdeltaModuleDestroy(module);
  return message;
}

TEST(LaunchErrors, Options) {
  qdeltaLaunchOptions options = {};
  EXPECT_EQ(launchWith(options), "expected qdeltaLaunchOptions to have "
                                 "struct_size at least 16, but got 0");
  options.struct_size = sizeof(options);
  options.engine = static_cast<qdeltaEngine>(3);
  EXPECT_EQ(launchWith(options), "expected engine from 0 to 2, but got 3");
  // Version 1.0's struct ends before the engine.
  options.struct_size = 16;
  EXPECT_EQ(launchWith(options), "");
  options.struct_size = sizeof(options);
  options.engine = QDELTA_ENGINE_CPU;
  options.schedule = 3;
  EXPECT_EQ(launchWith(options), "expected schedule from 0 to 2, but got 3");
  options.schedule = 0;
  options.completion = -1;
  EXPECT_EQ(launchWith(options), "expected completion from 0 to 2, but got -1");
}

TEST(LaunchErrors, NoCodeForTheEngine) {
  qdeltaLaunchOptions options = {};
  options.struct_size = sizeof(options);
  options.engine = QDELTA_ENGINE_EMULATED;
  EXPECT_EQ(launchWith(options),
            "kernel toy has no code for engine emulated; it has none");
}

TEST(LaunchErrors, NarrowTypes) {
  // A kernel whose q is bfloat16.
  std::vector<qdeltaArgument> arguments(toy::image().kernels[0].arguments,
                                        toy::image().kernels[0].arguments +
                                            toy::numArguments);
  arguments[toy::q].dtype = {kDLBfloat, 16, 1};
  qdeltaKernelImage kernelImage = toy::image().kernels[0];
  kernelImage.arguments = arguments.data();
  qdeltaImage image = {sizeof(image), &kernelImage, 1, nullptr, 0};
  qdeltaModule *module = nullptr;
  ASSERT_EQ(qdeltaModuleLoad(&image, &module), nullptr);
  const qdeltaKernel *kernel = nullptr;
  ASSERT_EQ(qdeltaModuleGetKernel(module, 0, &kernel), nullptr);
  Call call;
  auto launch = [&] {
    std::vector<DLTensor *> tensors;
    for (Array &array : call.arrays)
      tensors.push_back(array.tensor());
    qdeltaStatus *status =
        qdeltaLaunch(kernel, tensors.data(), toy::numArguments, nullptr);
    std::string message = qdeltaStatusGetMessage(status);
    qdeltaStatusDestroy(status);
    return message;
  };
  EXPECT_EQ(launch(), "expected q to be bfloat16, but got float32");
  call.arrays[toy::q].dl.dtype = {kDLFloat, 16, 1};
  EXPECT_EQ(launch(), "expected q to be bfloat16, but got float16");
  call.arrays[toy::q].dl.dtype = {kDLBfloat, 16, 1};
  EXPECT_EQ(launch(), "");
  call.arrays[toy::q].dl.byte_offset = 2;
  EXPECT_EQ(launch(), "");
  call.arrays[toy::q].dl.byte_offset = 1;
  EXPECT_EQ(launch(), "expected the data of q to be aligned to 2 bytes, but "
                      "got an address 1 past a multiple of 2");
  qdeltaModuleDestroy(module);
}

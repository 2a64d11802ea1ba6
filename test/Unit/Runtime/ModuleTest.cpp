//===- ModuleTest.cpp - loading images, good and bad ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ToyKernel.h"

#include "gtest/gtest.h"

#include <cstddef>
#include <cstring>

extern "C" int64_t numKernelsOfEmptyModule(void);

/// Loads the image; returns the message and checks the code.
static std::string load(const qdeltaImage *image, qdeltaErrorCode code) {
  qdeltaModule *module = nullptr;
  qdeltaStatus *status = qdeltaModuleLoad(image, &module);
  EXPECT_EQ(qdeltaStatusGetCode(status), code);
  EXPECT_EQ(module == nullptr, status != nullptr);
  std::string message = qdeltaStatusGetMessage(status);
  qdeltaStatusDestroy(status);
  qdeltaModuleDestroy(module);
  return message;
}

TEST(Module, FromC) { EXPECT_EQ(numKernelsOfEmptyModule(), 0); }

TEST(Module, NullStatus) {
  EXPECT_EQ(qdeltaStatusGetCode(nullptr), QDELTA_OK);
  EXPECT_STREQ(qdeltaStatusGetMessage(nullptr), "");
  EXPECT_STREQ(qdeltaStatusGetJson(nullptr), "{}");
  qdeltaStatusDestroy(nullptr);
  qdeltaModuleDestroy(nullptr);
}

TEST(Module, Query) {
  qdeltaModule *module = nullptr;
  ASSERT_EQ(qdeltaModuleLoad(&toy::image(), &module), nullptr);
  ASSERT_EQ(qdeltaModuleGetNumKernels(module), 1);
  const qdeltaKernel *kernel = nullptr, *same = nullptr;
  ASSERT_EQ(qdeltaModuleGetKernel(module, 0, &kernel), nullptr);
  ASSERT_EQ(qdeltaModuleFindKernel(module, "toy", &same), nullptr);
  EXPECT_EQ(kernel, same);
  EXPECT_STREQ(qdeltaKernelGetName(kernel), "toy");
  ASSERT_EQ(qdeltaKernelGetNumArguments(kernel), toy::numArguments);
  const qdeltaArgument *w = qdeltaKernelGetArgument(kernel, toy::w);
  EXPECT_STREQ(w->name, "w");
  EXPECT_EQ(w->role, QDELTA_ROLE_PARAM);
  EXPECT_EQ(w->rank, 2);
  EXPECT_EQ(w->shape[0], QDELTA_DIM_VALUE_HEADS);
  EXPECT_EQ(w->shape[1], 4);
  EXPECT_EQ(qdeltaKernelGetArgument(kernel, -1), nullptr);
  EXPECT_EQ(qdeltaKernelGetArgument(kernel, toy::numArguments), nullptr);
  qdeltaModuleDestroy(module);
}

TEST(Module, UnknownKernel) {
  qdeltaModule *module = nullptr;
  ASSERT_EQ(qdeltaModuleLoad(&toy::image(), &module), nullptr);
  const qdeltaKernel *kernel = nullptr;
  qdeltaStatus *status = qdeltaModuleFindKernel(module, "tow", &kernel);
  EXPECT_EQ(qdeltaStatusGetCode(status), QDELTA_ERROR_UNKNOWN_KERNEL);
  EXPECT_STREQ(qdeltaStatusGetMessage(status),
               "unknown kernel tow; the module has toy");
  qdeltaStatusDestroy(status);
  status = qdeltaModuleGetKernel(module, 1, &kernel);
  EXPECT_STREQ(qdeltaStatusGetMessage(status),
               "expected a kernel number less than 1, but got 1");
  qdeltaStatusDestroy(status);
  EXPECT_EQ(kernel, nullptr);
  qdeltaModuleDestroy(module);
}

TEST(Module, Null) {
  EXPECT_EQ(load(nullptr, QDELTA_ERROR_NULL_ARGUMENT),
            "expected an image and a place for the module, but got NULL");
  qdeltaStatus *status = qdeltaModuleLoad(&toy::image(), nullptr);
  EXPECT_EQ(qdeltaStatusGetCode(status), QDELTA_ERROR_NULL_ARGUMENT);
  qdeltaStatusDestroy(status);
  EXPECT_EQ(qdeltaModuleGetNumKernels(nullptr), 0);
  EXPECT_EQ(qdeltaKernelGetName(nullptr), nullptr);
  EXPECT_EQ(qdeltaKernelGetArgument(nullptr, 0), nullptr);
}

TEST(Module, StructSizes) {
  qdeltaImage image = toy::image();
  image.struct_size = 8;
  EXPECT_EQ(load(&image, QDELTA_ERROR_STRUCT_SIZE),
            "expected qdeltaImage to have struct_size at least 24, but got 8");
  image = toy::image();
  qdeltaKernelImage kernel = image.kernels[0];
  image.kernels = &kernel;
  kernel.struct_size = 0;
  EXPECT_EQ(load(&image, QDELTA_ERROR_STRUCT_SIZE),
            "expected qdeltaKernelImage to have struct_size at least " +
                std::to_string(offsetof(qdeltaKernelImage, work)) +
                ", but got 0");
}

TEST(Module, Domains) {
  qdeltaArgument arguments[] = {toy::image().kernels[0].arguments[toy::q],
                                toy::image().kernels[0].arguments[toy::g]};
  arguments[0].domain = QDELTA_DOMAIN_UNIT;
  arguments[0].usual_heads = QDELTA_DIM_VALUE_HEADS;
  arguments[1].domain = QDELTA_DOMAIN_RANGE;
  arguments[1].high = 2;
  qdeltaKernelImage kernel = toy::image().kernels[0];
  kernel.arguments = arguments;
  kernel.num_arguments = 2;
  kernel.work = 12;
  qdeltaImage image = {sizeof(qdeltaImage), &kernel, 1, nullptr, 0};
  qdeltaModule *module = nullptr;
  ASSERT_EQ(qdeltaModuleLoad(&image, &module), nullptr);
  const qdeltaKernel *loaded = nullptr;
  ASSERT_EQ(qdeltaModuleGetKernel(module, 0, &loaded), nullptr);
  EXPECT_EQ(qdeltaKernelGetWork(loaded), 12);
  EXPECT_EQ(qdeltaKernelGetWork(nullptr), 0);
  const qdeltaArgument *q = qdeltaKernelGetArgument(loaded, 0);
  EXPECT_EQ(q->domain, QDELTA_DOMAIN_UNIT);
  EXPECT_EQ(q->usual_heads, QDELTA_DIM_VALUE_HEADS);
  EXPECT_EQ(qdeltaKernelGetArgument(loaded, 1)->high, 2);
  qdeltaModuleDestroy(module);
  int32_t unknown = 4;
  std::memcpy(&arguments[1].domain, &unknown, sizeof(unknown));
  EXPECT_EQ(load(&image, QDELTA_ERROR_IMAGE),
            "argument g of kernel toy has unknown domain 4");
}

TEST(Module, LaterVersion) {
  // A later version's arguments have fields that this one does not know.
  struct LaterArgument {
    qdeltaArgument known;
    int64_t more;
  };
  LaterArgument arguments[] = {{toy::image().kernels[0].arguments[toy::q], 7},
                               {toy::image().kernels[0].arguments[toy::v], 7}};
  for (LaterArgument &argument : arguments)
    argument.known.struct_size = sizeof(argument);
  arguments[1].known.name = "b";
  qdeltaKernelImage kernel = toy::image().kernels[0];
  kernel.arguments = &arguments[0].known;
  kernel.num_arguments = 2;
  qdeltaImage image = {sizeof(qdeltaImage), &kernel, 1, nullptr, 0};
  qdeltaModule *module = nullptr;
  ASSERT_EQ(qdeltaModuleLoad(&image, &module), nullptr);
  const qdeltaKernel *loaded = nullptr;
  ASSERT_EQ(qdeltaModuleGetKernel(module, 0, &loaded), nullptr);
  EXPECT_STREQ(qdeltaKernelGetArgument(loaded, 1)->name, "b");
  EXPECT_EQ(qdeltaKernelGetArgument(loaded, 1)->shape[3], 3);
  EXPECT_EQ(qdeltaKernelGetArgument(loaded, 1)->struct_size,
            sizeof(qdeltaArgument));
  qdeltaModuleDestroy(module);
}

TEST(Module, FirstVersion) {
  // Version 1.0's arguments end before their element type, its images before
  // the device kernels.
  std::vector<char> bytes;
  for (int i = 0; i < toy::numArguments; ++i) {
    qdeltaArgument argument = toy::image().kernels[0].arguments[i];
    argument.struct_size = offsetof(qdeltaArgument, dtype);
    auto *begin = reinterpret_cast<const char *>(&argument);
    bytes.insert(bytes.end(), begin, begin + argument.struct_size);
  }
  qdeltaKernelImage kernel = toy::image().kernels[0];
  kernel.arguments = reinterpret_cast<const qdeltaArgument *>(bytes.data());
  qdeltaImage image = {offsetof(qdeltaImage, device_kernels), &kernel, 1,
                       nullptr, 99};
  qdeltaModule *module = nullptr;
  ASSERT_EQ(qdeltaModuleLoad(&image, &module), nullptr);
  const qdeltaKernel *loaded = nullptr;
  ASSERT_EQ(qdeltaModuleGetKernel(module, 0, &loaded), nullptr);
  for (int64_t i = 0; i < toy::numArguments; ++i) {
    DLDataType type = qdeltaKernelGetArgument(loaded, i)->dtype;
    EXPECT_EQ(type.code, kDLFloat);
    EXPECT_EQ(type.bits, 32);
    EXPECT_EQ(type.lanes, 1);
  }
  EXPECT_STREQ(qdeltaModuleGetContents(module), "this machine (cpu)");
  EXPECT_STREQ(qdeltaModuleGetContents(nullptr), "");
  qdeltaModuleDestroy(module);
}

TEST(Module, ElementTypes) {
  qdeltaKernelImage kernel = toy::image().kernels[0];
  qdeltaArgument argument = kernel.arguments[toy::q];
  kernel.arguments = &argument;
  kernel.num_arguments = 1;
  qdeltaImage image = {sizeof(qdeltaImage), &kernel, 1, nullptr, 0};
  for (DLDataType type :
       {DLDataType{kDLBfloat, 16, 1}, {kDLFloat, 16, 1}, {kDLFloat, 64, 1}}) {
    argument.dtype = type;
    EXPECT_EQ(load(&image, QDELTA_OK), "");
  }
  for (DLDataType type :
       {DLDataType{0, 0, 0}, {kDLFloat, 128, 1}, {kDLBfloat, 16, 2}}) {
    argument.dtype = type;
    EXPECT_EQ(
        load(&image, QDELTA_ERROR_IMAGE),
        "expected argument q of kernel toy to be float64, float32, bfloat16 or "
        "float16");
  }
}

TEST(Module, StatesPairUp) {
  std::vector<qdeltaArgument> arguments(toy::image().kernels[0].arguments,
                                        toy::image().kernels[0].arguments +
                                            toy::numArguments);
  qdeltaKernelImage kernel = toy::image().kernels[0];
  kernel.arguments = arguments.data();
  qdeltaImage image = {sizeof(qdeltaImage), &kernel, 1, nullptr, 0};
  arguments[toy::SFinal].shape[3] = 5;
  EXPECT_EQ(load(&image, QDELTA_ERROR_IMAGE),
            "expected initial state S and final state S of kernel toy to have "
            "one shape and element type");
  kernel.num_arguments = toy::SFinal;
  EXPECT_EQ(load(&image, QDELTA_ERROR_IMAGE),
            "kernel toy has 1 initial states but 0 final states");
}

TEST(Module, BadImages) {
  qdeltaImage image = toy::image();
  image.kernels = nullptr;
  EXPECT_EQ(load(&image, QDELTA_ERROR_IMAGE),
            "expected an array of 1 qdeltaKernelImage, but got NULL");
  qdeltaKernelImage kernel = toy::image().kernels[0];
  image.kernels = &kernel;
  kernel.entry = nullptr;
  EXPECT_EQ(load(&image, QDELTA_ERROR_IMAGE),
            "expected kernel toy to have an entry function or a device kernel");
  kernel.name = nullptr;
  EXPECT_EQ(load(&image, QDELTA_ERROR_IMAGE),
            "expected a kernel to have a name");
  kernel = toy::image().kernels[0];
  qdeltaArgument argument = kernel.arguments[0];
  kernel.arguments = &argument;
  kernel.num_arguments = 1;
  argument.rank = 5;
  EXPECT_EQ(load(&image, QDELTA_ERROR_IMAGE),
            "expected argument q of kernel toy to have rank 1 to 4, but got 5");
  argument.rank = 1;
  argument.shape[0] = -9;
  EXPECT_EQ(load(&image, QDELTA_ERROR_IMAGE),
            "argument q of kernel toy has unknown size -9");
  argument.shape[0] = 1;
  argument.role = static_cast<qdeltaRole>(10);
  EXPECT_EQ(load(&image, QDELTA_ERROR_IMAGE),
            "argument q of kernel toy has unknown role 10");
  argument.name = nullptr;
  EXPECT_EQ(load(&image, QDELTA_ERROR_IMAGE),
            "an argument of kernel toy has no name");
  kernel.num_arguments = -1;
  EXPECT_EQ(load(&image, QDELTA_ERROR_IMAGE),
            "expected an array of -1 qdeltaArgument, but got a negative count");
}

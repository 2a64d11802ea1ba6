//===- ArtefactTest.cpp - artefacts written, read and launched ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ScaleKernel.h"

#include "llvm/Object/OffloadBinary.h"
#include "gtest/gtest.h"

#include <cmath>
#include <fstream>

using namespace qdelta;

static float same(float x) { return x; }
static float exponential(float x) { return expf(x); }

namespace {
class Artefact : public testing::Test {
protected:
  static void SetUpTestSuite() {
    auto made = scale::artefact();
    ASSERT_TRUE(bool(made)) << llvm::toString(made.takeError());
    bytes = std::move(*made);
  }

  /// Loads; returns the message, or "".
  std::string load(const std::string &from) {
    qdeltaModuleDestroy(module);
    qdeltaStatus *status =
        qdeltaModuleLoadMemory(from.data(), from.size(), &module);
    EXPECT_EQ(status == nullptr, module != nullptr);
    code = qdeltaStatusGetCode(status);
    std::string message = qdeltaStatusGetMessage(status);
    qdeltaStatusDestroy(status);
    return message;
  }
  ~Artefact() override { qdeltaModuleDestroy(module); }

  static std::string bytes;
  qdeltaModule *module = nullptr;
  qdeltaErrorCode code = QDELTA_OK;
};

std::string Artefact::bytes;
} // namespace

TEST_F(Artefact, Launches) {
  ASSERT_EQ(load(bytes), "");
  scale::Call call;
  call.options.engine = QDELTA_ENGINE_EMULATED;
  EXPECT_EQ(call.launch(module), "");
  EXPECT_TRUE(call.isRight(same));
  scale::Call host(1, 1, 1, 1);
  EXPECT_EQ(host.launch(module), "");
  EXPECT_TRUE(host.isRight(exponential));
}

TEST_F(Artefact, TwoModulesOfOneFile) {
  ASSERT_EQ(load(bytes), "");
  qdeltaModule *other = nullptr;
  ASSERT_EQ(qdeltaModuleLoadMemory(bytes.data(), bytes.size(), &other),
            nullptr);
  for (qdeltaModule *each : {module, other}) {
    scale::Call call;
    call.options.engine = QDELTA_ENGINE_EMULATED;
    EXPECT_EQ(call.launch(each), "");
    EXPECT_TRUE(call.isRight(same));
  }
  qdeltaModuleDestroy(other);
}

TEST_F(Artefact, Description) {
  ASSERT_EQ(load(bytes), "");
  const qdeltaKernel *kernel = nullptr;
  ASSERT_EQ(qdeltaModuleGetKernel(module, 0, &kernel), nullptr);
  KernelDescription wanted = scale::description();
  EXPECT_EQ(qdeltaKernelGetName(kernel), wanted.name);
  ASSERT_EQ(qdeltaKernelGetNumArguments(kernel), scale::numArguments);
  for (int64_t i = 0; i < scale::numArguments; ++i) {
    const qdeltaArgument *argument = qdeltaKernelGetArgument(kernel, i);
    const ArgumentDescription &described =
        wanted.arguments[static_cast<size_t>(i)];
    EXPECT_EQ(argument->name, described.name);
    EXPECT_EQ(argument->role, described.role);
    EXPECT_EQ(
        std::vector<int64_t>(argument->shape, argument->shape + argument->rank),
        described.shape);
    EXPECT_EQ(argument->domain, described.domain);
    EXPECT_EQ(argument->usual_heads, described.usualHeads);
    EXPECT_EQ(argument->low, described.low);
    EXPECT_EQ(argument->high, described.high);
  }
  EXPECT_EQ(qdeltaKernelGetWork(kernel), wanted.work);
}

TEST_F(Artefact, IsAnOffloadBinary) {
  llvm::SmallVector<llvm::object::OffloadFile> files;
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(bytes);
  llvm::Error error = llvm::object::extractOffloadBinaries(*buffer, files);
  EXPECT_FALSE(bool(error)) << llvm::toString(std::move(error));
  ASSERT_GE(files.size(), 5u);
  EXPECT_EQ(files[0].getBinary()->getArch(), "x86-64");
  EXPECT_EQ(files.back().getBinary()->getArch(), "sm_90a");
  EXPECT_EQ(files.back().getBinary()->getString("kernel0.argument0"),
            "token f32 B,T,H,6 v");
}

static float square(float x) { return x * x; }

TEST_F(Artefact, Steps) {
  auto device = scale::deviceCode("sm_80", DeviceForms());
  ASSERT_TRUE(bool(device)) << llvm::toString(device.takeError());
  scale::makeSteps(*device);
  auto packed = packArtefact(scale::description(), {}, *device);
  ASSERT_TRUE(bool(packed)) << llvm::toString(packed.takeError());
  ASSERT_EQ(load(*packed), "");
  for (int64_t tokens : {1, 5}) {
    scale::Call call(2, tokens, 1, 2);
    call.options.engine = QDELTA_ENGINE_EMULATED;
    EXPECT_EQ(call.launch(module), "");
    EXPECT_TRUE(call.isRight(square));
  }
  scale::Call empty(2, 0, 1, 2);
  empty.options.engine = QDELTA_ENGINE_EMULATED;
  EXPECT_EQ(empty.launch(module), "");
  EXPECT_TRUE(empty.arrays[scale::SFinal].data == empty.arrays[scale::S].data);
}

/// A step writes nothing but what it says that it writes.
TEST_F(Artefact, StepThatWritesItsInput) {
  auto device = scale::deviceCode("sm_80", DeviceForms());
  ASSERT_TRUE(bool(device)) << llvm::toString(device.takeError());
  scale::makeSteps(*device);
  device->steps[1].numInputs = 4;
  auto packed = packArtefact(scale::description(), {}, *device);
  ASSERT_TRUE(bool(packed)) << llvm::toString(packed.takeError());
  ASSERT_EQ(load(*packed), "");
  scale::Call call;
  call.options.engine = QDELTA_ENGINE_EMULATED;
  EXPECT_NE(call.launch(module).find("output o"), std::string::npos);
}

TEST_F(Artefact, WrongTarget) {
  auto device = scale::deviceCode("sm_90a", {true, false, false, false});
  ASSERT_TRUE(bool(device)) << llvm::toString(device.takeError());
  auto packed = packArtefact(scale::description(), {}, *device);
  ASSERT_TRUE(bool(packed)) << llvm::toString(packed.takeError());
  ASSERT_EQ(load(*packed), "");
  scale::Call call;
  EXPECT_EQ(call.launch(module),
            "kernel scale has no code for engine cpu on this machine; the "
            "module holds sm_90a (PTX)");
  call.options.engine = QDELTA_ENGINE_EMULATED;
  EXPECT_EQ(call.launch(module), "kernel scale has no code for engine "
                                 "emulated; it has sm_90a (PTX)");
}

TEST_F(Artefact, CpuThatThisIsNot) {
  auto host = scale::hostCode();
  ASSERT_TRUE(bool(host)) << llvm::toString(host.takeError());
  host->cpu = "x86-64-v9";
  auto packed = packArtefact(scale::description(), *host, {});
  ASSERT_TRUE(bool(packed)) << llvm::toString(packed.takeError());
  ASSERT_EQ(load(*packed), "");
  EXPECT_EQ(scale::Call().launch(module),
            "kernel scale has no code for engine cpu on this machine; the "
            "module holds x86-64-v9 (cpu)");
}

TEST_F(Artefact, Malformed) {
  constexpr char prefix[] = "malformed or damaged artefact: ";
  auto problem = [&](const std::string &from) {
    std::string message = load(from);
    EXPECT_EQ(code, QDELTA_ERROR_ARTEFACT);
    EXPECT_EQ(message.rfind(prefix, 0), 0u) << message;
    return message.substr(sizeof(prefix) - 1);
  };
  EXPECT_EQ(problem(""), "it is empty");
  EXPECT_EQ(problem("#include <a file of another kind, but long enough>"),
            "this is no qdelta artefact");
  EXPECT_EQ(problem(bytes.substr(0, 20)), "entry 1: it is cut short");
  EXPECT_NE(problem(bytes.substr(0, bytes.size() - 8)).find("it is cut short"),
            std::string::npos);
  std::string flipped = bytes;
  flipped[bytes.size() / 2] ^= 1;
  EXPECT_NE(problem(flipped).find("its checksum does not match"),
            std::string::npos);
  std::string version = bytes;
  version[4] = 2;
  EXPECT_EQ(problem(version),
            "entry 1: expected version 1 of the format, but got 2");
  // The first entry alone, and without it.
  uint64_t size;
  memcpy(&size, bytes.data() + 8, sizeof(size));
  EXPECT_EQ(problem(bytes.substr(0, size)).substr(0, 9), "expected ");
  EXPECT_NE(problem(bytes.substr(size)).find("it is numbered 2/"),
            std::string::npos);
}

TEST_F(Artefact, BadDescriptions) {
  auto host = scale::hostCode();
  ASSERT_TRUE(bool(host)) << llvm::toString(host.takeError());
  KernelDescription kernel = scale::description();
  auto pack = [&] { return llvm::cantFail(packArtefact(kernel, *host, {})); };
  kernel.arguments[2].shape = {1};
  EXPECT_EQ(load(pack()),
            "malformed or damaged artefact: expected initial state S and final "
            "state S of kernel scale to have one shape and element type");
  kernel.arguments[2].shape.clear();
  EXPECT_EQ(load(pack()),
            "malformed or damaged artefact: entry 1: expected "
            "kernel0.argument2 to be 'role type sizes name', but got "
            "'initial_state f32  S'");
  kernel = scale::description();
  std::swap(kernel.arguments[0].low, kernel.arguments[0].high);
  EXPECT_EQ(load(pack()),
            "malformed or damaged artefact: entry 1: expected kernel0.values0 "
            "to be 'heads domain' with the bounds of a range, but got 'HV "
            "range 0.1 -1e-30'");
  kernel = scale::description();
  host->entries[0] = "missing";
  EXPECT_EQ(load(pack()), "malformed or damaged artefact: its CPU code has no "
                          "symbol missing");
  host->sharedObject = "no shared object";
  EXPECT_EQ(load(pack()).substr(0, 58),
            "malformed or damaged artefact: cannot load its CPU code: /");
}

TEST_F(Artefact, WriterRefuses) {
  auto code = scale::deviceCode("sm_80", {true, false, false, false});
  ASSERT_TRUE(bool(code)) << llvm::toString(code.takeError());
  code->kernel = "other";
  EXPECT_EQ(
      llvm::toString(packArtefact(scale::description(), {}, *code).takeError()),
      "code for sm_80 is of unknown kernel 'other'");
  code->kernel = "scale";
  code->entry = std::string("a\0b", 3);
  EXPECT_EQ(
      llvm::toString(packArtefact(scale::description(), {}, *code).takeError()),
      "'kernel0.entry' of an artefact has a zero byte in it");
}

TEST_F(Artefact, Files) {
  std::string path = testing::TempDir() + "qdelta-artefact-test.qda";
  std::ofstream(path, std::ios::binary) << bytes;
  ASSERT_EQ(qdeltaModuleLoadFile(path.c_str(), &module), nullptr);
  remove(path.c_str());
  qdeltaModule *none = nullptr;
  qdeltaStatus *status = qdeltaModuleLoadFile(path.c_str(), &none);
  EXPECT_EQ(qdeltaStatusGetCode(status), QDELTA_ERROR_FILE);
  EXPECT_EQ(qdeltaStatusGetMessage(status),
            "cannot read " + path + ": No such file or directory");
  qdeltaStatusDestroy(status);
  status = qdeltaModuleLoadFile("/", &none);
  EXPECT_STREQ(qdeltaStatusGetMessage(status), "cannot read /: Is a directory");
  qdeltaStatusDestroy(status);
  status = qdeltaModuleLoadFile(nullptr, &none);
  EXPECT_EQ(qdeltaStatusGetCode(status), QDELTA_ERROR_NULL_ARGUMENT);
  qdeltaStatusDestroy(status);
  status = qdeltaModuleLoadMemory(nullptr, 0, &none);
  EXPECT_EQ(qdeltaStatusGetCode(status), QDELTA_ERROR_NULL_ARGUMENT);
  qdeltaStatusDestroy(status);
}

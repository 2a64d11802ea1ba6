//===- DeviceCodeTest.cpp - GPU kernels from memory on the emulator -------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ScaleKernel.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"
#include "gtest/gtest.h"

using namespace qdelta;

static float same(float x) { return x; }

namespace {
/// A module in memory with one device kernel.
class Loaded {
public:
  explicit Loaded(llvm::Expected<DeviceCode> code) {
    if (!code) {
      ADD_FAILURE() << llvm::toString(code.takeError());
      return;
    }
    executable = makeExecutable(scale::description(), {std::move(*code)});
    qdeltaStatus *status = qdeltaModuleLoad(&executable->image(), &module);
    EXPECT_STREQ(qdeltaStatusGetMessage(status), "");
    qdeltaStatusDestroy(status);
  }
  ~Loaded() { qdeltaModuleDestroy(module); }

  std::unique_ptr<Executable> executable;
  qdeltaModule *module = nullptr;
};

constexpr DeviceForms inMemory = {false, false, false, true};
constexpr DeviceForms asObject = {false, false, true, false};
} // namespace

TEST(DeviceCode, Emulated) {
  for (const DeviceForms &forms : {inMemory, asObject}) {
    Loaded loaded(scale::deviceCode("sm_80", forms));
    for (int round = 0; round < 2; ++round) {
      scale::Call call(2, 5, 1, 2);
      call.options.engine = QDELTA_ENGINE_EMULATED;
      EXPECT_EQ(call.launch(loaded.module), "");
      EXPECT_TRUE(call.isRight(same));
    }
  }
}

TEST(DeviceCode, EverySchedule) {
  Loaded loaded(scale::deviceCode("sm_80", inMemory));
  for (int32_t schedule : {0, 1, 2})
    for (int32_t completion : {0, 1, 2}) {
      scale::Call call(1, 3, 2, 4);
      call.options.engine = QDELTA_ENGINE_EMULATED;
      call.options.schedule = schedule;
      call.options.completion = completion;
      call.options.seed = 7;
      call.options.threads = 2;
      EXPECT_EQ(call.launch(loaded.module), "");
      EXPECT_TRUE(call.isRight(same));
    }
}

TEST(DeviceCode, NoTokensAndNoItems) {
  Loaded loaded(scale::deviceCode("sm_80", inMemory));
  scale::Call call(2, 0, 1, 2);
  call.options.engine = QDELTA_ENGINE_EMULATED;
  EXPECT_EQ(call.launch(loaded.module), "");
  EXPECT_EQ(call.arrays[scale::SFinal].data, call.arrays[scale::S].data);
  scale::Call none(0, 3, 1, 2);
  none.options.engine = QDELTA_ENGINE_EMULATED;
  EXPECT_EQ(none.launch(loaded.module), "");
}

TEST(DeviceCode, Strides) {
  // v is stored [B, H, T, 6], the final state [HV, B, 3, 6].
  Loaded loaded(scale::deviceCode("sm_80", inMemory));
  scale::Call call(2, 5, 1, 2);
  call.options.engine = QDELTA_ENGINE_EMULATED;
  call.arrays[scale::SFinal].strides = {18, 36, 6, 1};
  EXPECT_EQ(call.launch(loaded.module), "");
  std::vector<float> &got = call.arrays[scale::SFinal].data, rows = got;
  for (size_t i = 0; i < got.size(); ++i)
    rows[i] = got[(i / 18 % 2 * 2 + i / 36) * 18 + i % 18];
  got = rows;
  EXPECT_TRUE(call.isRight(same));
}

TEST(DeviceCode, RowsOfStatesLieOnTheirPieces) {
  Loaded loaded(scale::deviceCode("sm_80", inMemory));
  scale::Call call(1, 2, 1, 1);
  call.options.engine = QDELTA_ENGINE_EMULATED;
  toy::Array &S = call.arrays[scale::S];
  S = toy::Array({1, 1, 3, 8});
  S.shape[3] = 6;
  S.strides = {24, 24, 8, 1};
  EXPECT_EQ(call.launch(loaded.module), "");
  S.strides = {21, 21, 7, 1};
  EXPECT_NE(call.launch(loaded.module)
                .find("multiples of 8 bytes, which its rows are copied in, but "
                      "got stride 28 of dimension 2"),
            std::string::npos);
  EXPECT_EQ(call.code, QDELTA_ERROR_STRIDE);
}

TEST(DeviceCode, WrongEngine) {
  Loaded loaded(scale::deviceCode("sm_80", inMemory));
  scale::Call call;
  EXPECT_EQ(call.launch(loaded.module),
            "kernel scale has no code for engine cpu on this machine; the "
            "module holds sm_80 (emulated)");
  EXPECT_EQ(call.code, QDELTA_ERROR_TARGET);
  call.options.engine = QDELTA_ENGINE_EMULATED;
  call.options.target = "sm_90a";
  EXPECT_EQ(call.launch(loaded.module),
            "kernel scale has no code for engine emulated and target sm_90a; "
            "it has sm_80 (emulated)");
  EXPECT_EQ(call.code, QDELTA_ERROR_TARGET);
}

TEST(DeviceCode, LastDimensionIsContiguous) {
  Loaded loaded(scale::deviceCode("sm_80", inMemory));
  scale::Call call(1, 2, 1, 1);
  call.arrays[scale::f] = toy::Array({4});
  call.arrays[scale::f].shape = {1};
  call.options.engine = QDELTA_ENGINE_EMULATED;
  EXPECT_EQ(call.launch(loaded.module), "");
  scale::Call two(1, 2, 1, 2);
  two.arrays[scale::f] = toy::Array({4});
  two.arrays[scale::f].shape = {2};
  two.arrays[scale::f].strides = {2};
  two.options.engine = QDELTA_ENGINE_EMULATED;
  EXPECT_EQ(two.launch(loaded.module),
            "expected the last dimension of f to have stride 1, but got 2");
  EXPECT_EQ(two.code, QDELTA_ERROR_STRIDE);
}

TEST(DeviceCode, DeviceTensorsOnTheEmulator) {
  Loaded loaded(scale::deviceCode("sm_80", inMemory));
  scale::Call call;
  call.options.engine = QDELTA_ENGINE_EMULATED;
  call.arrays[scale::v].dl.device.device_type = kDLCUDA;
  EXPECT_EQ(call.launch(loaded.module),
            "expected v to be in CPU memory (device type 1), but got device "
            "type 2");
}

TEST(DeviceCode, Defects) {
  Loaded loaded(scale::deviceCode("sm_80", inMemory, false, true));
  scale::Call call;
  call.options.engine = QDELTA_ENGINE_EMULATED;
  std::string message = call.launch(loaded.module);
  EXPECT_EQ(call.code, QDELTA_ERROR_EMULATION);
  EXPECT_EQ(message.rfind("the emulator reports defects of kernel "
                          "scale_kernel: ",
                          0),
            0u)
      << message;
  EXPECT_NE(call.json.find("\"reports\": [{\"kind\": "), std::string::npos)
      << call.json;
}

TEST(DeviceCode, SharedMemory) {
  auto code = scale::deviceCode("sm_80", inMemory);
  ASSERT_TRUE(bool(code)) << llvm::toString(code.takeError());
  code->sharedBytes = (227 << 10) + 1;
  Loaded loaded(std::move(code));
  scale::Call call;
  call.options.engine = QDELTA_ENGINE_EMULATED;
  EXPECT_EQ(call.launch(loaded.module),
            "kernel scale needs 232449 bytes of shared memory, but no device "
            "has more than 232448");
  EXPECT_EQ(call.code, QDELTA_ERROR_SHARED_MEMORY);
}

TEST(DeviceCode, WrongEntryAndParameters) {
  auto code = scale::deviceCode("sm_80", inMemory);
  ASSERT_TRUE(bool(code)) << llvm::toString(code.takeError());
  DeviceCode other = *code;
  other.entry = "shift_kernel";
  {
    Loaded loaded(std::move(other));
    scale::Call call;
    call.options.engine = QDELTA_ENGINE_EMULATED;
    EXPECT_EQ(call.launch(loaded.module),
              "cannot load the emulator's code of kernel scale for sm_80: it "
              "has no entry shift_kernel");
  }
  code->tensorMaps.push_back({sizeof(qdeltaTensorMap), scale::o, 4, 4, 0});
  Loaded loaded(std::move(code));
  scale::Call call(1, 2, 1, 1);
  call.arrays[scale::o] = toy::Array({1, 2, 1, 8});
  call.arrays[scale::o].shape[3] = 6;
  call.arrays[scale::o].strides = {16, 8, 8, 1};
  call.options.engine = QDELTA_ENGINE_EMULATED;
  EXPECT_EQ(call.launch(loaded.module),
            "expected kernel scale_kernel to have 2 parameters, but it has 1");
}

/// A row of 6 floats is no multiple of 16 bytes: v lies in rows of `row` floats
/// from element `offset` of its buffer.
static std::string launchWithMap(int64_t row, size_t offset, int64_t T = 5,
                                 bool backwards = false) {
  Loaded loaded(scale::deviceCode("sm_90a", inMemory, true));
  scale::Call call(1, T, 1, 1);
  call.options.engine = QDELTA_ENGINE_EMULATED;
  toy::Array &v = call.arrays[scale::v];
  // Aligned to 16 bytes.
  v = toy::Array({T + 3, 1, 1, row});
  size_t start = 0;
  while (reinterpret_cast<uintptr_t>(v.data.data() + start) % 16)
    ++start;
  v.dl.data = v.data.data() + start + offset +
              (backwards ? static_cast<size_t>(row * (T - 1)) : 0);
  v.shape = {1, T, 1, 6};
  v.strides = {0, backwards ? -row : row, 0, 1};
  return call.launch(loaded.module);
}

TEST(DeviceCode, TensorMap) {
  EXPECT_EQ(launchWithMap(8, 0), "");
  EXPECT_EQ(launchWithMap(8, 0, 1), "");
  // The stride of a dimension of size 1 means nothing.
  EXPECT_EQ(launchWithMap(6, 0, 1), "");
  EXPECT_EQ(launchWithMap(6, 0),
            "expected strides that are positive multiples of 16 bytes of v, "
            "which is read through a tensor map, but got stride 6 of dimension "
            "1");
  EXPECT_EQ(launchWithMap(8, 1),
            "expected 16-byte alignment of v, which is read through a tensor "
            "map, but got an address 4 past a multiple of 16");
  EXPECT_EQ(launchWithMap(8, 0, 5, true),
            "expected strides that are positive multiples of 16 bytes of v, "
            "which is read through a tensor map, but got stride -8 of "
            "dimension 1");
}

TEST(DeviceCode, Forms) {
  auto code = scale::deviceCode("sm_90a", DeviceForms());
  ASSERT_TRUE(bool(code)) << llvm::toString(code.takeError());
  EXPECT_NE(code->ptx.find(".entry scale_kernel("), std::string::npos);
  EXPECT_EQ(code->emulated.substr(1, 3), "ELF");
  EXPECT_EQ(code->program, nullptr);
}

/// The forms of a kernel whose only instruction is `instruction`.
static llvm::Error addFormsOf(const char *instruction, DeviceCode &code,
                              std::string &remarks) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic problem;
  auto module = llvm::parseAssemblyString(
      std::string("define ptx_kernel void @k() {\n call void asm sideeffect "
                  "\"") +
          instruction + "\", \"\"()\n ret void\n}",
      problem, context);
  return addForms(code, *module, {true, true, false, false},
                  [&](llvm::StringRef remark) { remarks += remark; });
}

TEST(DeviceCode, PtxAloneIsARemark) {
  DeviceCode code;
  code.target = "sm_80";
  code.entry = "k";
  std::string remarks;
  ASSERT_FALSE(bool(addFormsOf("no.such.instruction;", code, remarks)));
  EXPECT_NE(code.ptx.find("no.such.instruction"), std::string::npos);
  EXPECT_EQ(code.cubin, "");
  EXPECT_EQ(remarks.rfind("kept PTX alone: ", 0), 0u) << remarks;
}

TEST(DeviceCode, BadRequests) {
  DeviceCode code;
  code.target = "sm_80";
  code.entry = "other";
  std::string remarks;
  EXPECT_EQ(llvm::toString(addFormsOf("", code, remarks)),
            "the module has no kernel 'other'");
  code.entry = "k";
  code.sharedBytes = 200000;
  EXPECT_EQ(llvm::toString(addFormsOf("", code, remarks)),
            "kernel 'k' needs 200000 bytes of shared memory, but sm_80 has "
            "166912");

  auto unknown = scale::deviceCode("sm_1", inMemory);
  EXPECT_EQ(llvm::toString(unknown.takeError()), "unknown GPU target 'sm_1'");
}

//===- StepTest.cpp - launches that update states in place ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ToyKernel.h"

#include "gtest/gtest.h"

using toy::Array;
using toy::describe;

namespace {
constexpr int64_t B = QDELTA_DIM_BATCH, T = QDELTA_DIM_TIME,
                  HV = QDELTA_DIM_VALUE_HEADS, N = QDELTA_DIM_POOL;

int64_t itemsSeen;

void countItems(void *const *, int64_t begin, int64_t end) {
  itemsSeen += end - begin;
}

std::vector<qdeltaArgument> inPlace() {
  return {describe("v", QDELTA_ROLE_TOKEN, {B, T, HV, 3}),
          describe("S", QDELTA_ROLE_STATE, {B, HV, 4, 3}),
          describe("o", QDELTA_ROLE_OUTPUT, {B, T, HV, 3})};
}

std::vector<qdeltaArgument> pooled() {
  return {describe("v", QDELTA_ROLE_TOKEN, {B, T, HV, 3}),
          describe("S", QDELTA_ROLE_STATE_POOL, {N, HV, 4, 3}),
          describe("i", QDELTA_ROLE_STATE_INDEX, {B}, {kDLInt, 32, 1}),
          describe("o", QDELTA_ROLE_OUTPUT, {B, T, HV, 3})};
}

/// Loads a kernel with these arguments and launches it; returns the message.
class Step {
public:
  explicit Step(std::vector<qdeltaArgument> given)
      : arguments(std::move(given)) {
    qdeltaKernelImage kernel =
        toy::describeKernel("step", arguments, countItems);
    qdeltaImage image = {sizeof(qdeltaImage), &kernel, 1, nullptr, 0};
    loadMessage = take(qdeltaModuleLoad(&image, &module));
  }
  Step(const Step &) = delete;
  ~Step() { qdeltaModuleDestroy(module); }

  std::string launch(std::vector<DLTensor *> tensors) {
    itemsSeen = 0;
    const qdeltaKernel *kernel = nullptr;
    qdeltaStatusDestroy(qdeltaModuleGetKernel(module, 0, &kernel));
    qdeltaLaunchOptions options = {};
    options.struct_size = sizeof(options);
    options.threads = 1;
    return take(qdeltaLaunch(kernel, tensors.data(),
                             static_cast<int64_t>(tensors.size()), &options));
  }

  qdeltaErrorCode code = QDELTA_OK;
  std::string loadMessage;

private:
  std::string take(qdeltaStatus *status) {
    code = qdeltaStatusGetCode(status);
    std::string message = qdeltaStatusGetMessage(status);
    qdeltaStatusDestroy(status);
    return message;
  }

  std::vector<qdeltaArgument> arguments;
  qdeltaModule *module = nullptr;
};

/// v, S and o for two batch entries and four heads.
struct Tensors {
  explicit Tensors(int64_t tokens, int64_t states = 2)
      : v({2, tokens, 4, 3}), S({states, 4, 4, 3}), o({2, tokens, 4, 3}) {}
  std::vector<DLTensor *> inPlace() {
    return {v.tensor(), S.tensor(), o.tensor()};
  }
  /// With an index, which has two numbers.
  std::vector<DLTensor *> pooled(std::vector<int32_t> &index) {
    i = {};
    i.data = index.data();
    i.device = {kDLCPU, 0};
    i.ndim = 1;
    i.dtype = {kDLInt, 32, 1};
    i.shape = &two;
    return {v.tensor(), S.tensor(), &i, o.tensor()};
  }

  Array v, S, o;
  DLTensor i;
  int64_t two = 2;
};
} // namespace

TEST(Step, Launches) {
  Step step(inPlace());
  ASSERT_EQ(step.loadMessage, "");
  Tensors tensors(16);
  EXPECT_EQ(step.launch(tensors.inPlace()), "");
  EXPECT_EQ(itemsSeen, 8);
}

TEST(Step, TooManyTokens) {
  Step step(inPlace());
  Tensors tensors(17);
  EXPECT_EQ(step.launch(tensors.inPlace()),
            "expected at most 16 tokens for step, whose states are updated in "
            "place, but got T = 17");
  EXPECT_EQ(step.code, QDELTA_ERROR_TOKENS);
  EXPECT_EQ(itemsSeen, 0);
}

TEST(Step, NoTokens) {
  Step step(inPlace());
  Tensors tensors(0);
  std::vector<float> before = tensors.S.data;
  EXPECT_EQ(step.launch(tensors.inPlace()), "");
  EXPECT_EQ(tensors.S.data, before);
  EXPECT_EQ(itemsSeen, 0);
}

TEST(Step, BatchOfStates) {
  Step step(inPlace());
  Tensors tensors(1, /*states=*/3);
  EXPECT_EQ(step.launch(tensors.inPlace()),
            "expected state S to have B = 2 as v has, but got 3");
}

TEST(Step, Overlap) {
  Step step(inPlace());
  Tensors tensors(1);
  auto pointers = tensors.inPlace();
  pointers[2]->data = pointers[1]->data;
  step.launch(pointers);
  EXPECT_EQ(step.code, QDELTA_ERROR_OVERLAP);
}

TEST(Step, Pool) {
  Step step(pooled());
  ASSERT_EQ(step.loadMessage, "");
  Tensors tensors(1, /*states=*/5);
  std::vector<int32_t> index{4, 0};
  EXPECT_EQ(step.launch(tensors.pooled(index)), "");
  EXPECT_EQ(itemsSeen, 8);
}

TEST(Step, IndexOutOfRange) {
  Step step(pooled());
  for (int32_t wrong : {5, -1}) {
    Tensors tensors(1, /*states=*/5);
    std::vector<int32_t> index{0, wrong};
    EXPECT_EQ(step.launch(tensors.pooled(index)),
              "expected i to name one of the N = 5 entries of pool of states "
              "S, but entry 1 is " +
                  std::to_string(wrong));
    EXPECT_EQ(step.code, QDELTA_ERROR_INDEX);
    EXPECT_EQ(itemsSeen, 0);
  }
}

TEST(Step, IndexTwice) {
  Step step(pooled());
  Tensors tensors(1, /*states=*/5);
  std::vector<int32_t> index{3, 3};
  EXPECT_EQ(step.launch(tensors.pooled(index)),
            "expected the numbers of i to be distinct, but entries 0 and 1 are "
            "both 3");
  EXPECT_EQ(step.code, QDELTA_ERROR_INDEX);
}

TEST(Step, Images) {
  auto noIndex = pooled();
  noIndex.erase(noIndex.begin() + 2);
  EXPECT_EQ(Step(noIndex).loadMessage,
            "expected kernel step to have one state index if it has pools of "
            "states, but got 0 for 1 pools");
  auto both = inPlace();
  both.push_back(describe("R", QDELTA_ROLE_INITIAL_STATE, {B, HV}));
  EXPECT_EQ(Step(both).loadMessage,
            "expected the states of kernel step to be all in place, all pools "
            "or all neither");
  auto packed = inPlace();
  packed[0].shape[0] = packed[2].shape[0] = 1;
  packed.insert(packed.begin() + 2,
                describe("cu_seqlens", QDELTA_ROLE_CU_SEQLENS,
                         {QDELTA_DIM_BOUNDS}, {kDLInt, 32, 1}));
  EXPECT_EQ(
      Step(packed).loadMessage,
      "expected kernel step, which is packed, to have no states in place");
  auto real = pooled();
  real[2].dtype = {kDLFloat, 32, 1};
  EXPECT_EQ(Step(real).loadMessage,
            "expected argument i of kernel step to be int32");
}

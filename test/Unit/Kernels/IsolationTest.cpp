//===- IsolationTest.cpp - what a kernel may touch, and what may touch it -===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ModelKernel.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

using namespace qdelta;
using namespace qdelta::test;
using tools::Array;

namespace {
/// How a model is compiled, and for which sizes.
struct Way {
  std::string name, model;
  CompileOptions options;
  int64_t key = 20, value = 36, tokens = 37;

  friend void PrintTo(const Way &way, std::ostream *os) {
    *os << way.name << "_" << way.model;
  }
};

/// One element of an array: batch entry, token and value head. What is there
/// before the first token has -1, a final state the number of tokens.
struct Place {
  int64_t entry = 0, token = -1, head = 0;
};

constexpr int64_t kBatches = 2, kHeads = 2, kValueHeads = 4;

class Isolation : public testing::TestWithParam<Way> {
protected:
  void make(int64_t key, int64_t value) {
    CompileOptions options = GetParam().options;
    options.key = key, options.value = value;
    auto made = ModelKernel::get(GetParam().model, options,
                                 {{"B", kBatches},
                                  {"T", GetParam().tokens},
                                  {"H", kHeads},
                                  {"HV", kValueHeads}});
    ASSERT_TRUE(bool(made)) << llvm::toString(made.takeError());
    kernel = std::move(*made);
  }

  Arrays run(const Arrays &arrays, Side side = Side::Back) {
    llvm::Expected<Arrays> result = kernel->run(arrays, side);
    if (result)
      return std::move(*result);
    ADD_FAILURE() << llvm::toString(result.takeError());
    return {};
  }

  /// The kernel reads NaN at every place of an input where `isPoisoned`;
  /// expects outputs elsewhere as in `wanted`, and a NaN there.
  void poison(const char *what, const Arrays &wanted,
              llvm::function_ref<bool(const Place &)> isPoisoned);

  std::unique_ptr<ModelKernel> kernel;
};
} // namespace

/// Where element `index` of an argument lies. A head of keys stands for the
/// first of the value heads that share it.
static Place placeOf(const qdeltaArgument &argument, const Array &array,
                     size_t index, int64_t tokens) {
  Place place;
  if (argument.role == QDELTA_ROLE_FINAL_STATE)
    place.token = tokens;
  auto rest = static_cast<int64_t>(index);
  for (int32_t d = argument.rank - 1; d >= 0; --d) {
    int64_t size = array.shape[static_cast<size_t>(d)], at = rest % size;
    rest /= size;
    int64_t dim = argument.shape[d];
    if (dim == QDELTA_DIM_BATCH)
      place.entry = at;
    if (dim == QDELTA_DIM_TIME)
      place.token = at;
    if (dim == QDELTA_DIM_HEADS || dim == QDELTA_DIM_VALUE_HEADS)
      place.head = at * (kValueHeads / size);
    if (dim == QDELTA_DIM_LEVEL_HEADS)
      place.head = at * kValueHeads / size;
  }
  return place;
}

static bool haveSameBits(double a, double b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

void Isolation::poison(const char *what, const Arrays &wanted,
                       llvm::function_ref<bool(const Place &)> isPoisoned) {
  SCOPED_TRACE(what);
  int64_t tokens = GetParam().tokens;
  Arrays poisoned = kernel->arrays();
  auto arguments = kernel->arguments();
  for (size_t i = 0; i < arguments.size(); ++i)
    for (size_t e = 0; e < poisoned[i].data.size(); ++e)
      if (!tools::isWritten(*arguments[i]) &&
          arguments[i]->role != QDELTA_ROLE_POSITION &&
          isPoisoned(placeOf(*arguments[i], poisoned[i], e, tokens)))
        poisoned[i].data[e] = NAN;
  Arrays got = run(poisoned);
  ASSERT_EQ(got.size(), wanted.size());
  bool isSeen = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!tools::isWritten(*arguments[i]))
      continue;
    size_t changed = 0;
    for (size_t e = 0; e < got[i].data.size(); ++e) {
      bool isSame = haveSameBits(got[i].data[e], wanted[i].data[e]);
      if (isPoisoned(placeOf(*arguments[i], got[i], e, tokens)))
        isSeen |= !isSame && std::isnan(got[i].data[e]);
      else
        changed += !isSame;
    }
    EXPECT_EQ(changed, 0u) << "of " << got[i].data.size() << " elements of "
                           << arguments[i]->name;
  }
  EXPECT_TRUE(isSeen) << "no output depends on what was poisoned";
}

/// Whether an input has one entry for two key channels.
static bool takesPairs(const ModelKernel &kernel, int64_t key) {
  return llvm::any_of(kernel.arguments(), [&](const qdeltaArgument *argument) {
    return argument->shape[argument->rank - 1] == key / 2;
  });
}

TEST_P(Isolation, StaysInItsBuffers) {
  const Way &way = GetParam();
  for (auto [key, value] :
       {std::pair(way.key, way.value), std::pair<int64_t, int64_t>(7, 5)}) {
    bool needsEven = key % 2 && takesPairs(*kernel, way.key);
    make(key + needsEven, value);
    ASSERT_FALSE(HasFatalFailure());
    Arrays back = run(kernel->arrays(), Side::Back);
    Arrays front = run(kernel->arrays(), Side::Front);
    ASSERT_FALSE(HasFailure());
    for (size_t i = 0; i < back.size(); ++i)
      for (size_t e = 0; e < back[i].data.size(); ++e)
        ASSERT_TRUE(haveSameBits(back[i].data[e], front[i].data[e]))
            << "element " << e << " of " << kernel->arguments()[i]->name;
  }
}

TEST_P(Isolation, NumbersStayApart) {
  const Way &way = GetParam();
  make(way.key, way.value);
  ASSERT_FALSE(HasFatalFailure());
  Arrays wanted = run(kernel->arrays());
  ASSERT_FALSE(HasFailure());
  poison("a batch entry", wanted,
         [](const Place &place) { return place.entry == 1; });
  poison("two heads", wanted,
         [](const Place &place) { return place.head >= kValueHeads / 2; });
  for (int64_t first : {int64_t(21), way.tokens - 1})
    poison("later tokens", wanted,
           [&](const Place &place) { return place.token >= first; });
}

static std::vector<Way> ways() {
  std::vector<Way> all;
  auto add = [&](const char *name, const std::vector<std::string> &models,
                 Way way) {
    way.name = name;
    for (const std::string &model : models) {
      way.model = model;
      all.push_back(way);
    }
  };
  std::vector<std::string> models =
      tools::listModels(tools::defaultModelsDir());
  Way way;
  add("cpu", models, way);
  way.options.dtype = "bf16";
  add("bf16", models, way);
  way = {};
  way.options.mode = "recurrent";
  add("recurrent", models, way);
  way = {};
  way.options.chunk = 16;
  add("chunk16", models, way);
  way.options.engine = "scalar";
  add("scalar", models, way);

  std::vector<std::string> lists = {"additive",  "retention",
                                    "delta_net", "gated_delta_net",
                                    "q_delta",   "log_linear_gated_delta_net"};
  way.options.engine = "emulated";
  way.options.target = "sm_80";
  way.options.dtype = "bf16";
  add("sm_80", lists, way);
  // Decays per key channel: chunks of one block of 16, and of two.
  add("sm_80", {"gla", "kda", "kda_safe", "rwkv7"}, way);
  way.options.chunk = 32;
  add("sm_80_chunk32", {"gla", "kda", "kda_safe", "rwkv7"}, way);
  way.options.target = "sm_90a";
  way.options.chunk = way.key = way.value = 64;
  way.tokens = 70;
  add("sm_90a", lists, way);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Kernels, Isolation, testing::ValuesIn(ways()),
                         testing::PrintToStringParamName());

//===- InputsTest.cpp - random inputs keep to their domains --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Inputs.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace qdelta::tools;

static Signature signature() {
  Signature result;
  result.inputs = {
      {"k", QDELTA_ROLE_TOKEN, {"B", "T", "H", "K"}, QDELTA_DOMAIN_UNIT},
      {"v", QDELTA_ROLE_TOKEN, {"B", "T", "HV", "V"}},
      {"g", QDELTA_ROLE_TOKEN, {"B", "T", "HV"}, QDELTA_DOMAIN_LOG_DECAY},
      {"beta",
       QDELTA_ROLE_TOKEN,
       {"B", "T", "HV"},
       QDELTA_DOMAIN_RANGE,
       0.25,
       2.0},
      {"scale", QDELTA_ROLE_PARAM, {"HV"}},
      {"S", QDELTA_ROLE_INITIAL_STATE, {"B", "HV", "K", "V"}}};
  return result;
}

static const Sizes sizes = {{"B", 2},  {"T", 500}, {"H", 2},
                            {"HV", 4}, {"K", 16},  {"V", 8}};

static std::vector<FloatTensor> make(const InputOptions &options) {
  std::vector<std::optional<FloatTensor>> none(signature().inputs.size());
  return makeInputs(signature(), sizes, none, options);
}

TEST(Inputs, Domains) {
  auto inputs = make({});
  EXPECT_EQ(inputs[0].shape, (std::vector<int64_t>{2, 500, 2, 16}));
  for (size_t i = 0; i < inputs[0].data.size(); i += 16) {
    double square = 0;
    for (size_t j = i; j < i + 16; ++j)
      square += inputs[0].data[j] * inputs[0].data[j];
    ASSERT_NEAR(square, 1, 1e-6);
  }
  for (double g : inputs[2].data)
    ASSERT_LE(g, 0);
  for (double beta : inputs[3].data)
    ASSERT_TRUE(beta >= 0.25f && beta <= 2.0f);
  for (double scale : inputs[4].data)
    ASSERT_EQ(scale, 0.25f);
  double square = 0;
  for (double v : inputs[1].data)
    square += v * v;
  EXPECT_NEAR(square / static_cast<double>(inputs[1].data.size()), 1, 0.05);
}

TEST(Inputs, SeedsAndNames) {
  auto one = make({}), same = make({}), other = make({1, {}, {}, {}});
  EXPECT_EQ(one[1].data, same[1].data);
  EXPECT_NE(one[1].data, other[1].data);
  // An argument's values do not depend on the others.
  Signature alone;
  alone.inputs = {signature().inputs[1]};
  auto v =
      makeInputs(alone, sizes, std::vector<std::optional<FloatTensor>>(1), {});
  EXPECT_EQ(v[0].data, one[1].data);
}

TEST(Inputs, GivenOnesStay) {
  std::vector<std::optional<FloatTensor>> given(signature().inputs.size());
  given[4] = FloatTensor{{4}, {1, 2, 3, 4}};
  auto inputs = makeInputs(signature(), sizes, given, {});
  EXPECT_EQ(inputs[4].data, given[4]->data);
}

TEST(Inputs, Params) {
  std::map<std::string, double> params;
  EXPECT_EQ(llvm::toString(parseParam("scale=0.5", signature(), params)), "");
  auto inputs = make({0, {}, params, {}});
  for (double scale : inputs[4].data)
    EXPECT_EQ(scale, 0.5f);
  EXPECT_EQ(llvm::toString(parseParam("beta=1", signature(), params)),
            "expected --param to name one of scale, but got beta");
  EXPECT_EQ(llvm::toString(parseParam("scale=x", signature(), params)),
            "expected --param name=number, but got 'scale=x'");
}

TEST(Inputs, Decays) {
  auto decays = parseDecays("0,-1e-8,-30,-1e4,-inf");
  ASSERT_TRUE(static_cast<bool>(decays));
  auto inputs = make({0, *decays, {}, {}});
  size_t size = inputs[2].data.size();
  for (double decay : *decays) {
    auto found = static_cast<size_t>(
        llvm::count(inputs[2].data, static_cast<float>(decay)));
    EXPECT_GT(found, size / 40);
    EXPECT_LT(found, size / 10);
  }
  EXPECT_EQ(llvm::count(inputs[1].data, -INFINITY), 0);
  for (const char *text : {"1", "nan", "x", "0,,-1,inf"}) {
    auto bad = parseDecays(text);
    EXPECT_FALSE(static_cast<bool>(bad)) << text;
    llvm::consumeError(bad.takeError());
  }
}

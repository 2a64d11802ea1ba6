//===- NonFiniteTest.cpp - NaN and infinity inside a GPU's chunks ---------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
// A GPU multiplies all tokens of a chunk with all others. Nevertheless a number
// that is none is seen where the token loop sees it, and nowhere else.
//
//===----------------------------------------------------------------------===//

#include "Way.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

using namespace qdelta;
using namespace qdelta::test;
using tools::FloatTensor;
using tools::Outputs;

namespace {
class NonFinite : public testing::TestWithParam<Way> {
protected:
  void SetUp() override;
  Outputs run(const std::vector<FloatTensor> &inputs);
  void check(double value);

  const Way &way() const { return GetParam(); }
  bool isSequence(size_t input) const {
    const tools::Argument &argument = model->signature().inputs[input];
    return argument.role == QDELTA_ROLE_TOKEN;
  }

  std::unique_ptr<Model> model;
  std::optional<tools::LoadedKernel> kernel;
  tools::Sizes sizes;
  std::vector<FloatTensor> inputs;
  /// Each sequence has its turn in a batch entry, each of these tokens in a
  /// head: the first and the last of a chunk, those in between, and one of the
  /// chunk behind.
  std::vector<size_t> tokens;
};
} // namespace

void NonFinite::SetUp() {
  auto read = Model::read(way().model, way().options.dtype);
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  model = std::move(*read);
  auto compiled =
      model->compile(way().options, way().options.key, way().options.value);
  ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
  kernel.emplace(std::move(*compiled));
  auto chunk = static_cast<size_t>(way().options.chunk);
  for (size_t token : {size_t(0), size_t(5), size_t(16), size_t(37), chunk - 1})
    if (!llvm::is_contained(tokens, token))
      tokens.push_back(token);
  int64_t sequences = 0;
  for (size_t i = 0; i < model->signature().inputs.size(); ++i)
    sequences += isSequence(i);
  auto heads = static_cast<int64_t>(tokens.size());
  sizes = {{"B", sequences},
           {"T", std::max<int64_t>(way().options.chunk, 37) + 3},
           {"H", heads},
           {"HV", heads},
           {"K", way().options.key},
           {"V", way().options.value}};
  inputs = model->makeInputs(sizes, {});
}

Outputs NonFinite::run(const std::vector<FloatTensor> &on) {
  auto result = tools::runKernel(*kernel, model->signature(), sizes, on, 1);
  if (result)
    return std::move(*result);
  ADD_FAILURE() << llvm::toString(result.takeError());
  return {};
}

/// One `value` for each sequence and token. Expects of every output the same
/// bits as without before that token, and from there on what is not finite
/// where the token loop has it, and nowhere else.
void NonFinite::check(double value) {
  SCOPED_TRACE(value);
  Outputs wanted = run(inputs);
  std::vector<FloatTensor> changed = inputs;
  size_t entry = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!isSequence(i))
      continue;
    std::vector<int64_t> &shape = inputs[i].shape;
    auto times = static_cast<size_t>(shape[1]),
         heads = static_cast<size_t>(shape[2]),
         channels = shape.size() > 3 ? static_cast<size_t>(shape[3]) : 1;
    for (size_t head = 0; head < heads; ++head)
      changed[i]
          .data[((entry * times + tokens[head]) * heads + head) * channels +
                channels / 2] = value;
    ++entry;
  }
  Outputs got = run(changed);
  auto reference = tools::runReference(model->recurrence(), "", changed,
                                       model->signature().dtype);
  ASSERT_TRUE(bool(reference)) << llvm::toString(reference.takeError());
  ASSERT_FALSE(HasFailure());
  size_t different = 0, lost = 0, excess = 0, seen = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const std::vector<int64_t> &shape = got[i].shape;
    bool isState =
        model->signature().outputs[i].role == QDELTA_ROLE_FINAL_STATE;
    auto times = static_cast<size_t>(shape[1]),
         heads = static_cast<size_t>(shape[2]),
         columns = static_cast<size_t>(shape[3]);
    for (size_t e = 0; e < got[i].data.size(); ++e) {
      size_t time = e / columns / heads % times, head = e / columns % heads;
      double own = got[i].data[e];
      if (!isState && time < tokens[head])
        different += std::memcmp(&own, &wanted[i].data[e], sizeof(own)) != 0;
      bool isFinite = std::isfinite((*reference)[i].data[e]);
      seen += !isFinite;
      lost += !isFinite && std::isfinite(own);
      excess += isFinite && !std::isfinite(own);
    }
  }
  EXPECT_EQ(different, 0u) << "elements before the token";
  EXPECT_EQ(lost, 0u) << "elements are finite";
  EXPECT_EQ(excess, 0u) << "elements are not finite";
  EXPECT_GT(seen, 0u);
}

TEST_P(NonFinite, StaysInItsTokens) {
  check(NAN);
  check(INFINITY);
}

namespace {
class Overflow : public NonFinite {};
} // namespace

/// A key of size 1e6 where the model says 1: entries of the system do not fit
/// f16. Tokens before it keep their bits, and a number in a later one is right
/// or none.
TEST_P(Overflow, IsNoNumber) {
  constexpr size_t kToken = 5;
  Outputs wanted = run(inputs);
  auto key = static_cast<size_t>(sizes.at("K"));
  for (size_t i = 0; i < inputs[1].data.size(); ++i)
    if (i / key / tokens.size() % static_cast<size_t>(sizes.at("T")) == kToken)
      inputs[1].data[i] *= 1e6;
  Outputs got = run(inputs);
  auto reference = tools::runReference(model->recurrence(), "", inputs,
                                       model->signature().dtype);
  ASSERT_TRUE(bool(reference)) << llvm::toString(reference.takeError());
  ASSERT_FALSE(HasFailure());
  const std::vector<double> &right = (*reference)[0].data;
  auto times = static_cast<size_t>(got[0].shape[1]),
       heads = static_cast<size_t>(got[0].shape[2]),
       columns = static_cast<size_t>(got[0].shape[3]);
  // Rounding is of what the key has made of each sequence.
  std::vector<double> largest(right.size() / columns / times);
  auto sequenceOf = [&](size_t e) {
    return e / columns / heads / times * heads + e / columns % heads;
  };
  for (size_t e = 0; e < right.size(); ++e) {
    double &known = largest[sequenceOf(e)];
    known = std::max(known, std::abs(right[e]));
  }
  size_t different = 0, wrong = 0, none = 0;
  for (size_t e = 0; e < right.size(); ++e) {
    double own = got[0].data[e];
    if (e / columns / heads % times < kToken)
      different += std::memcmp(&own, &wanted[0].data[e], sizeof(own)) != 0;
    none += !std::isfinite(own);
    wrong += std::isfinite(own) &&
             std::abs(own - right[e]) > 0.02 * largest[sequenceOf(e)];
  }
  EXPECT_EQ(different, 0u) << "elements before the token";
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(none, 0u);
}

static std::vector<Way> ways() {
  std::vector<Way> all;
  std::vector<std::string> models = {
      "additive", "mamba2", "gated_delta_net", "q_delta",
      "gla",      "kda",    "kda_safe",        "gated_delta_product"};
  CompileOptions options;
  options.engine = "emulated";
  options.mode = "chunked";
  options.target = "sm_80";
  options.dtype = "bf16";
  options.key = options.value = 16;
  options.chunk = 32;
  addWays(all, "sm_80", options, models);
  options.chunk = 16;
  addWays(all, "sm_80", options, {"delta_product"});
  options.chunk = 32;
  options.dtype = "f16";
  addWays(all, "f16", options, {"gated_delta_net"});
  options.dtype = "f32";
  addWays(all, "f32", options, {"gated_delta_net", "kda", "kda_safe"});
  // Several blocks below one another, and products of four warps.
  options.target = "sm_90a";
  options.dtype = "bf16";
  options.value = 64;
  addWays(all, "sm_90a", options, {"kda", "kda_safe", "gated_delta_product"});
  options.chunk = 64;
  addWays(all, "sm_90a", options,
          {"additive", "mamba2", "gated_delta_net", "q_delta"});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Kernels, NonFinite, testing::ValuesIn(ways()),
                         testing::PrintToStringParamName());

static std::vector<Way> boundedWay() {
  std::vector<Way> all = ways();
  std::erase_if(all, [](const Way &way) {
    return way.name != "sm_80" || way.model != "gated_delta_net";
  });
  return all;
}

INSTANTIATE_TEST_SUITE_P(Kernels, Overflow, testing::ValuesIn(boundedWay()),
                         testing::PrintToStringParamName());

//===- SweepTest.cpp - every model's kernels against the reference -------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
// An output's error against the token loop in float64 is at most twice that of
// a token loop in the kernel's own formats; see OutputError.h.
//
//===----------------------------------------------------------------------===//

#include "Way.h"

#include "gtest/gtest.h"

using namespace qdelta;
using namespace qdelta::test;
using tools::Outputs;

namespace {
/// What it runs on.
struct Case {
  int64_t batches, tokens, heads, valueHeads;
  /// Among the ordinary ones, as --decays of qdelta-run.
  std::vector<double> decays = {};

  std::string describe() const {
    std::string text =
        "B=" + std::to_string(batches) + ",T=" + std::to_string(tokens) +
        ",H=" + std::to_string(heads) + ",HV=" + std::to_string(valueHeads);
    if (decays.empty())
      return text;
    return text + (std::ranges::all_of(decays, [](double g) { return g == 0; })
                       ? ", without decay"
                       : ", with decays that erase or do not");
  }
};

/// A model's inputs for a case and what is right for them.
struct Expected {
  std::vector<tools::FloatTensor> inputs;
  Outputs reference, loop;
};

class Sweep : public testing::TestWithParam<Way> {
protected:
  /// Compiles for K and V.
  void make(int64_t key, int64_t value);
  void check(const Case &oneCase);

  const Way &way() const { return GetParam(); }
  bool isSlow() const { return way().options.engine == "scalar"; }
  void makeUsual() { isSlow() ? make(20, 36) : make(60, 100); }

private:
  const Expected &expect(const Case &oneCase, const tools::Sizes &all);
  /// What the kernel multiplies.
  tools::Format products() const {
    return tools::productsOf(way().options.engine, model->signature().dtype,
                             way().options.mode);
  }

  std::unique_ptr<Model> model;
  std::optional<tools::LoadedKernel> kernel;
  tools::Sizes sizes;
};
} // namespace

/// Decays that change nothing or erase, and what lies next to where f32 ends.
static const std::vector<double> kDecays = {0,   -1e-8, -1,   -30,
                                            -88, -104,  -1e4, -INFINITY};

/// One in twenty each: all of them.
static const std::vector<double> kNoDecay(20, 0.0);

void Sweep::make(int64_t key, int64_t value) {
  auto read = Model::read(way().model, way().options.dtype);
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  model = std::move(*read);
  auto compiled = model->compile(way().options, key, value);
  ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
  kernel.emplace(std::move(*compiled));
  sizes = {{"K", key}, {"V", value}};
}

/// The same for all ways with the same formats, so it is made once.
const Expected &Sweep::expect(const Case &oneCase, const tools::Sizes &all) {
  static std::map<std::string, Expected> known;
  std::string name = way().model + way().options.dtype +
                     tools::formatSizes(all) + oneCase.describe();
  auto [entry, isNew] = known.try_emplace(name);
  Expected &expected = entry->second;
  if (!isNew)
    return expected;
  tools::InputOptions options;
  options.decays = oneCase.decays;
  expected.inputs = model->makeInputs(all, options);
  auto reference = tools::runReference(model->recurrence(), "", expected.inputs,
                                       model->signature().dtype);
  auto loop =
      tools::runTokenLoop(model->recurrence(), expected.inputs, products());
  if (reference && loop) {
    expected.reference = std::move(*reference);
    expected.loop = std::move(*loop);
  } else {
    ADD_FAILURE() << llvm::toString(llvm::joinErrors(
        reference ? llvm::Error::success() : reference.takeError(),
        loop ? llvm::Error::success() : loop.takeError()));
  }
  return expected;
}

void Sweep::check(const Case &oneCase) {
  SCOPED_TRACE(oneCase.describe());
  tools::Sizes all = sizes;
  all.insert({{"B", oneCase.batches},
              {"T", oneCase.tokens},
              {"H", oneCase.heads},
              {"HV", oneCase.valueHeads}});
  const Expected &expected = expect(oneCase, all);
  ASSERT_FALSE(HasFailure());
  const tools::Signature &signature = model->signature();
  auto got = tools::runKernel(*kernel, signature, all, expected.inputs, 1);
  ASSERT_TRUE(bool(got)) << llvm::toString(got.takeError());
  expectRight(signature, *got, expected.reference, expected.loop, products());
}

TEST_P(Sweep, Lengths) {
  makeUsual();
  ASSERT_FALSE(HasFailure());
  for (int64_t tokens : {0, 1, 2, 15, 16, 17, 63, 64, 65, 100})
    check({2, tokens, 2, 4});
  if (!isSlow())
    check({1, 1000, 2, 4});
}

TEST_P(Sweep, Decays) {
  makeUsual();
  ASSERT_FALSE(HasFailure());
  for (int64_t tokens : {2, 17, 65, 100})
    check({2, tokens, 2, 4, kDecays});
  if (!isSlow())
    check({1, 1000, 2, 4, kDecays});
}

TEST_P(Sweep, Heads) {
  make(20, 36);
  ASSERT_FALSE(HasFailure());
  for (auto [heads, valueHeads] :
       {std::pair(1, 1), std::pair(3, 3), std::pair(2, 4), std::pair(16, 32)})
    check({2, 17, heads, valueHeads});
  check({0, 17, 2, 4});
}

static std::vector<Way> ways() {
  std::vector<Way> all;
  std::vector<std::string> models =
      tools::listModels(tools::defaultModelsDir());
  CompileOptions options;
  addWays(all, "cpu", options, models);
  options.target = "avx2";
  addWays(all, "avx2", options, models);
  options.target = "host";
  options.mode = "recurrent";
  addWays(all, "recurrent", options, models);
  options.mode = "auto";
  for (auto [name, chunk] : {std::pair("chunk1", 1), std::pair("chunk2", 2),
                             std::pair("chunk16", 16)}) {
    options.chunk = chunk;
    addWays(all, name, options, models);
  }
  // Sums of so many tokens are near the bound, and not for every model within.
  options.chunk = 64;
  addWays(all, "chunk64", options,
          {"additive", "retention", "delta_net", "gated_delta_net", "q_delta",
           "gla", "kda", "mamba2", "rwkv6", "rwkv7"});
  options.chunk = 0;
  options.engine = "scalar";
  addWays(all, "scalar", options, models);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Kernels, Sweep, testing::ValuesIn(ways()),
                         testing::PrintToStringParamName());

namespace {
/// Sizes of the state that registers and strips do not divide.
class States : public Sweep {};
} // namespace

TEST_P(States, Sizes) {
  for (auto [key, value] : {std::pair(8, 1), std::pair(60, 7),
                            std::pair(100, 129), std::pair(256, 512)}) {
    SCOPED_TRACE("K=" + std::to_string(key) + ",V=" + std::to_string(value));
    make(key, value);
    ASSERT_FALSE(HasFailure());
    check({1, 17, 1, 2});
  }
}

/// Nothing makes an error small but what corrects it.
TEST_P(States, WithoutDecay) {
  for (int64_t value : {1, 20}) {
    SCOPED_TRACE("V=" + std::to_string(value));
    make(20, value);
    ASSERT_FALSE(HasFailure());
    check({1, 1000, 1, 2, kNoDecay});
  }
}

static std::vector<Way> firstWay() {
  std::vector<Way> all = ways();
  std::erase_if(all, [](const Way &way) { return way.name != "cpu"; });
  return all;
}

namespace {
/// What sequences of vectors are stored in, or all numbers.
class Formats : public Sweep {};
} // namespace

TEST_P(Formats, Lengths) {
  make(32, 48);
  ASSERT_FALSE(HasFailure());
  for (int64_t tokens : {0, 1, 17, 65})
    check({2, tokens, 2, 4});
}

static std::vector<Way> formatWays() {
  std::vector<Way> all;
  for (const char *dtype : {"f64", "bf16", "f16"})
    for (Way way : firstWay()) {
      way.name = way.options.dtype = dtype;
      all.push_back(way);
    }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Kernels, Formats, testing::ValuesIn(formatWays()),
                         testing::PrintToStringParamName());

INSTANTIATE_TEST_SUITE_P(Kernels, States, testing::ValuesIn(firstWay()),
                         testing::PrintToStringParamName());

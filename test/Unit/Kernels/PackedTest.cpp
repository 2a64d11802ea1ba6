//===- PackedTest.cpp - sequences of different lengths, packed -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
// What every model's packed kernel makes of a sequence is as right as what the
// other kernels make, has the bits that the sequence has alone, and does not
// depend on its neighbours.
//
//===----------------------------------------------------------------------===//

#include "Way.h"

#include "gtest/gtest.h"

#include <cstring>

using namespace qdelta;
using namespace qdelta::test;
using tools::FloatTensor;
using tools::Outputs;

namespace {
/// Where sequences of 0, 1, 17, 64, 0 and 35 tokens end.
const std::vector<int64_t> kBounds = {0, 0, 1, 18, 82, 82, 117};
constexpr size_t kPoisoned = 3;

class Packed : public testing::TestWithParam<Way> {
protected:
  void SetUp() override;
  Outputs run(const std::vector<FloatTensor> &inputs);
  /// The inputs of sequence `number` by itself, and what they give.
  Outputs runAlone(size_t number);
  void expectLikeLoop(const Outputs &got);
  void expectSameBits(const Outputs &got, const Outputs &alone, size_t number);
  std::vector<FloatTensor> poisoned() const;

  std::unique_ptr<Model> model;
  tools::Signature signature;
  std::optional<tools::LoadedKernel> packed, forward;
  std::vector<FloatTensor> inputs;
  tools::Sizes sizes = {{"B", int64_t(kBounds.size()) - 1},
                        {"T", kBounds.back()},
                        {"H", 2},
                        {"HV", 4},
                        {"K", 20},
                        {"V", 36},
                        {"L", 9}};
};
} // namespace

void Packed::SetUp() {
  const Way &way = GetParam();
  auto read = Model::read(way.model, way.options.dtype);
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  model = std::move(*read);
  auto made = tools::getSignature(model->recurrence(), model->signature().dtype,
                                  tools::Format::I32);
  ASSERT_TRUE(bool(made)) << llvm::toString(made.takeError());
  signature = std::move(*made);
  auto compile = [&](const char *entry,
                     std::optional<tools::LoadedKernel> &kernel) {
    CompileOptions options = way.options;
    options.entry = entry;
    auto compiled = model->compile(options, sizes["K"], sizes["V"]);
    ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
    kernel.emplace(std::move(*compiled));
  };
  compile("packed", packed);
  compile("forward", forward);
  std::vector<std::optional<FloatTensor>> given(signature.inputs.size());
  given.back() =
      FloatTensor{{int64_t(kBounds.size())}, {kBounds.begin(), kBounds.end()}};
  inputs = tools::makeInputs(signature, sizes, given, {});
}

Outputs Packed::run(const std::vector<FloatTensor> &given) {
  auto got = tools::runKernel(*packed, signature, sizes, given, 1);
  if (got)
    return std::move(*got);
  ADD_FAILURE() << llvm::toString(got.takeError());
  return {};
}

/// Entries `first` to `first + count - 1` of dimension `dim`; those before it
/// have size 1.
static FloatTensor entriesOf(const FloatTensor &whole, size_t dim,
                             int64_t first, int64_t count) {
  FloatTensor part{whole.shape, {}};
  part.shape[dim] = count;
  int64_t each = 1;
  for (size_t d = dim + 1; d < whole.shape.size(); ++d)
    each *= whole.shape[d];
  auto begin = whole.data.begin() + first * each;
  part.data.assign(begin, begin + count * each);
  return part;
}

/// Sequence `number` of an input or output.
static FloatTensor partOf(const FloatTensor &whole, qdeltaRole role,
                          size_t number) {
  int64_t first = kBounds[number], end = kBounds[number + 1];
  if (role == QDELTA_ROLE_TOKEN || role == QDELTA_ROLE_OUTPUT)
    return entriesOf(whole, 1, first, end - first);
  if (role == QDELTA_ROLE_PARAM)
    return whole;
  return entriesOf(whole, 0, static_cast<int64_t>(number), 1);
}

Outputs Packed::runAlone(size_t number) {
  std::vector<FloatTensor> own;
  for (auto [argument, input] : llvm::zip(signature.inputs, inputs))
    if (argument.role != QDELTA_ROLE_CU_SEQLENS)
      own.push_back(partOf(input, argument.role, number));
  tools::Sizes ownSizes = sizes;
  ownSizes["B"] = 1;
  ownSizes["T"] = kBounds[number + 1] - kBounds[number];
  auto got = tools::runKernel(*forward, model->signature(), ownSizes, own, 1);
  if (got)
    return std::move(*got);
  ADD_FAILURE() << llvm::toString(got.takeError());
  return {};
}

void Packed::expectSameBits(const Outputs &got, const Outputs &wanted,
                            size_t number) {
  ASSERT_EQ(got.size(), signature.outputs.size());
  ASSERT_EQ(wanted.size(), got.size());
  for (size_t i = 0; i < got.size(); ++i) {
    FloatTensor part = partOf(got[i], signature.outputs[i].role, number);
    ASSERT_EQ(part.data.size(), wanted[i].data.size());
    EXPECT_EQ(std::memcmp(part.data.data(), wanted[i].data.data(),
                          part.data.size() * sizeof(part.data[0])),
              0)
        << signature.outputs[i].name << " of sequence " << number;
  }
}

void Packed::expectLikeLoop(const Outputs &got) {
  tools::Format dtype = signature.dtype;
  tools::Format products = tools::productsOf(GetParam().options.engine, dtype,
                                             GetParam().options.mode);
  std::vector<FloatTensor> own(inputs.begin(), inputs.end() - 1);
  auto reference =
      tools::runReference(model->recurrence(), "", own, dtype, kBounds);
  ASSERT_TRUE(bool(reference)) << llvm::toString(reference.takeError());
  auto loop = tools::runTokenLoop(model->recurrence(), own, products, kBounds);
  ASSERT_TRUE(bool(loop)) << llvm::toString(loop.takeError());
  expectRight(signature, got, *reference, *loop, products);
}

/// The inputs with NaN at all tokens of one sequence.
std::vector<FloatTensor> Packed::poisoned() const {
  std::vector<FloatTensor> result = inputs;
  for (auto [argument, input] : llvm::zip(signature.inputs, result)) {
    if (argument.role != QDELTA_ROLE_TOKEN)
      continue;
    int64_t each = input.size() / kBounds.back();
    std::fill(input.data.begin() + kBounds[kPoisoned] * each,
              input.data.begin() + kBounds[kPoisoned + 1] * each, NAN);
  }
  return result;
}

TEST_P(Packed, Sequences) {
  Outputs got = run(inputs), beside = run(poisoned());
  ASSERT_FALSE(HasFailure());
  expectLikeLoop(got);
  for (size_t number = 0; number + 1 < kBounds.size(); ++number) {
    Outputs alone = runAlone(number);
    expectSameBits(got, alone, number);
    if (number != kPoisoned)
      expectSameBits(beside, alone, number);
  }
  for (double value : partOf(beside[0], QDELTA_ROLE_OUTPUT, kPoisoned).data)
    ASSERT_TRUE(std::isnan(value));
}

static std::vector<Way> ways() {
  std::vector<Way> all;
  std::vector<std::string> models =
      tools::listModels(tools::defaultModelsDir());
  CompileOptions options;
  addWays(all, "cpu", options, models);
  options.engine = "scalar";
  addWays(all, "scalar", options, models);
  options.engine = "cpu";
  options.chunk = 16;
  addWays(all, "chunk16", options,
          {"gated_delta_net", "kda", "mlstm", "gated_oja"});
  options.chunk = 0;
  // Launches of one kernel and of several.
  options.engine = "emulated";
  options.target = "sm_80";
  options.dtype = "bf16";
  addWays(all, "sm_80", options,
          {"gated_delta_net", "mlstm", "additive_normalised",
           "gated_delta_net_layer", "kda", "rwkv7",
           "log_linear_gated_delta_net"});
  options.mode = "recurrent";
  addWays(all, "sm_80_recurrent", options,
          {"kda", "mlstm", "q_delta_layer", "gated_oja", "log_linear_mamba2"});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Kernels, Packed, testing::ValuesIn(ways()),
                         testing::PrintToStringParamName());

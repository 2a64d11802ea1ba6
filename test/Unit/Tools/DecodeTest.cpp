//===- DecodeTest.cpp - a decode loop equals the prefill -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Engines.h"
#include "data/Failure.h"
#include "data/Inputs.h"
#include "data/Source.h"
#include "qdelta/Pipelines/Registration.h"

#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace qdelta;
using namespace qdelta::tools;

namespace {
constexpr int64_t kTokens = 20;
const Sizes kSizes{{"B", 2},  {"T", kTokens}, {"H", 2}, {"HV", 4},
                   {"K", 24}, {"V", 20},      {"L", 6}};

/// The kernels of one model for one engine, and inputs of 20 tokens.
class Decode {
public:
  Decode(const std::string &model, const std::string &engine,
         const std::string &entry)
      : context(registry(), mlir::MLIRContext::Threading::DISABLED) {
    source.emplace(llvm::cantFail(Source::read(
        llvm::cantFail(findModel(model, defaultModelsDir())), context)));
    recurrence = llvm::cantFail(findRecurrence(source->getModule(), ""));
    signature = llvm::cantFail(getSignature(recurrence));
    std::vector<std::optional<FloatTensor>> none(signature.inputs.size());
    inputs = makeInputs(signature, kSizes, none, {});
    forward.emplace(compile(engine == "emulated" ? "cpu" : engine, "forward"));
    step.emplace(compile(engine, entry));
  }

  /// Tokens 0 .. `split` - 1 by the forward kernel, the others by steps of
  /// `length`: outputs one after the other, then the last states.
  Outputs run(int64_t split, int64_t length) {
    Outputs all = apply(*forward, 0, split, {});
    for (int64_t first = split; first < kTokens; first += length) {
      Outputs states(all.begin() + numOutputs(), all.end());
      Outputs next = apply(*step, first, length, states);
      for (size_t i = 0; i < next.size(); ++i)
        all[i] = i < numOutputs() ? joined(all[i], next[i]) : next[i];
    }
    return all;
  }

  /// What differs by more than the tool's tolerance; "" for nothing.
  std::string compareWithReference(const Outputs &got) {
    auto reference =
        llvm::cantFail(runReference(recurrence, "", inputs, Format::F32));
    auto loop = llvm::cantFail(runTokenLoop(recurrence, inputs, Format::F32));
    auto errors =
        compare(signature.outputs, got, reference, loop, reference, 2);
    std::string table;
    llvm::raw_string_ostream os(table);
    if (!allRight(errors))
      printTable(errors, os);
    return table;
  }

private:
  static mlir::DialectRegistry &registry() {
    static mlir::DialectRegistry dialects = [] {
      mlir::DialectRegistry result;
      registerDialects(result);
      return result;
    }();
    return dialects;
  }

  LoadedKernel compile(const std::string &engine, const std::string &entry) {
    CompileOptions options;
    options.engine = engine;
    options.entry = entry;
    options.key = kSizes.at("K");
    options.value = kSizes.at("V");
    return llvm::cantFail(LoadedKernel::compile(
        source->getModule(), options, signature.recurrence, /*anyName=*/true));
  }

  size_t numOutputs() const {
    return llvm::count_if(signature.outputs, [](const Argument &argument) {
      return argument.role == QDELTA_ROLE_OUTPUT;
    });
  }

  Outputs apply(const LoadedKernel &kernel, int64_t first, int64_t count,
                const Outputs &states) {
    std::vector<FloatTensor> given;
    size_t state = 0;
    for (auto [argument, input] : llvm::zip(signature.inputs, inputs)) {
      if (argument.role == QDELTA_ROLE_TOKEN)
        given.push_back(tokensOf(input, first, count));
      else if (argument.role == QDELTA_ROLE_INITIAL_STATE && !states.empty())
        given.push_back(states[state++]);
      else if (argument.role == QDELTA_ROLE_POSITION)
        given.push_back({input.shape, std::vector<double>(input.data.size(),
                                                          double(first))});
      else
        given.push_back(input);
    }
    Sizes sizes = kSizes;
    sizes["T"] = count;
    return llvm::cantFail(
        runKernel(kernel, signature, sizes, std::move(given), 2));
  }

  /// Tokens `first` to `first + count - 1` of a sequence [B, T, ...].
  static FloatTensor tokensOf(const FloatTensor &whole, int64_t first,
                              int64_t count) {
    FloatTensor part{whole.shape, {}};
    part.shape[1] = count;
    int64_t row = whole.size() / (whole.shape[0] * whole.shape[1]);
    for (int64_t b = 0; b < whole.shape[0]; ++b) {
      auto begin = whole.data.begin() + (b * whole.shape[1] + first) * row;
      part.data.insert(part.data.end(), begin, begin + count * row);
    }
    return part;
  }

  /// One sequence after the other, along the tokens.
  static FloatTensor joined(const FloatTensor &a, const FloatTensor &b) {
    FloatTensor result{a.shape, {}};
    result.shape[1] += b.shape[1];
    for (int64_t batch = 0; batch < a.shape[0]; ++batch)
      for (const FloatTensor *part : {&a, &b}) {
        int64_t size = part->size() / part->shape[0];
        auto begin = part->data.begin() + batch * size;
        result.data.insert(result.data.end(), begin, begin + size);
      }
    return result;
  }

  mlir::MLIRContext context;
  std::optional<Source> source;
  RecurrenceOp recurrence;
  Signature signature;
  std::vector<FloatTensor> inputs;
  std::optional<LoadedKernel> forward, step;
};
} // namespace

class DecodeTest : public testing::TestWithParam<std::string> {};

TEST_P(DecodeTest, EqualsPrefill) {
  Decode decode(GetParam(), "cpu", "step");
  EXPECT_EQ(decode.compareWithReference(decode.run(kTokens, 1)), "");
  EXPECT_EQ(decode.compareWithReference(decode.run(16, 1)), "");
  EXPECT_EQ(decode.compareWithReference(decode.run(16, 4)), "");
  EXPECT_EQ(decode.compareWithReference(decode.run(4, 16)), "");
}

TEST_P(DecodeTest, PoolEqualsPrefill) {
  Decode decode(GetParam(), "cpu", "step_indexed");
  EXPECT_EQ(decode.compareWithReference(decode.run(18, 1)), "");
  EXPECT_EQ(decode.compareWithReference(decode.run(16, 4)), "");
}

INSTANTIATE_TEST_SUITE_P(Models, DecodeTest,
                         testing::ValuesIn(listModels(defaultModelsDir())),
                         [](const auto &model) { return model.param; });

/// Of the models that GPUs run.
class EmulatedDecodeTest : public testing::TestWithParam<const char *> {};

TEST_P(EmulatedDecodeTest, EqualsPrefill) {
  for (const char *entry : {"step", "step_indexed"}) {
    Decode decode(GetParam(), "emulated", entry);
    EXPECT_EQ(decode.compareWithReference(decode.run(18, 1)), "");
    EXPECT_EQ(decode.compareWithReference(decode.run(16, 4)), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Models, EmulatedDecodeTest,
                         testing::Values("additive", "gated_delta_net", "kda",
                                         "rwkv7", "log_linear_gated_delta_net",
                                         "gated_delta_net_layer"));

/// The slow second opinion.
class ScalarDecodeTest : public testing::TestWithParam<std::string> {};

TEST_P(ScalarDecodeTest, EqualsPrefill) {
  Decode decode(GetParam(), "scalar", "step");
  EXPECT_EQ(decode.compareWithReference(decode.run(2, 9)), "");
  EXPECT_EQ(decode.compareWithReference(decode.run(4, 1)), "");
}

INSTANTIATE_TEST_SUITE_P(Models, ScalarDecodeTest,
                         testing::ValuesIn(listModels(defaultModelsDir())),
                         [](const auto &model) { return model.param; });

//===- SegmentsTest.cpp - launches that split their sequences -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ToyKernel.h"
#include "qdelta-c/Runtime.h"

#include "gtest/gtest.h"

#include <cmath>
#include <mutex>
#include <string>
#include <vector>

namespace {
constexpr int64_t B = QDELTA_DIM_BATCH, T = QDELTA_DIM_TIME,
                  H = QDELTA_DIM_HEADS, HV = QDELTA_DIM_VALUE_HEADS;
constexpr int64_t K = 2, V = 1;

using toy::describe;
using Arguments = std::vector<qdeltaArgument>;

/// A memref descriptor of rank 4.
struct Tensor {
  float *base, *data;
  int64_t offset, sizes[4], strides[4];

  float &at(int64_t b, int64_t i, int64_t j, int64_t k) const {
    return data[b * strides[0] + i * strides[1] + j * strides[2] +
                k * strides[3]];
  }
};

const Tensor &tensor(void *const *descriptors, int index) {
  return *static_cast<const Tensor *>(descriptors[index]);
}

/// The numbers of tokens that the kernel ran on, whatever thread it was on.
std::vector<int64_t> lengths;
std::mutex mutex;

// S becomes 2 S + v in its first row and 3 S in its second, o is their sum.
void run(void *const *d, int64_t begin, int64_t end) {
  const Tensor &v = tensor(d, 0), &S = tensor(d, 1), &o = tensor(d, 2),
               &final = tensor(d, 3);
  {
    std::lock_guard<std::mutex> turn(mutex);
    lengths.push_back(v.sizes[1]);
  }
  for (int64_t item = begin; item < end; ++item) {
    int64_t b = item / S.sizes[1], h = item % S.sizes[1];
    float first = S.at(b, h, 0, 0), second = S.at(b, h, 1, 0);
    for (int64_t t = 0; t < v.sizes[1]; ++t) {
      first = 2 * first + v.at(b, t, h, 0), second *= 3;
      o.at(b, t, h, 0) = first + second;
    }
    final.at(b, h, 0, 0) = first, final.at(b, h, 1, 0) = second;
  }
}

void summarise(void *const *d, int64_t begin, int64_t end) {
  const Tensor &v = tensor(d, 0);
  for (int64_t item = begin; item < end; ++item) {
    int64_t b = item / tensor(d, 1).sizes[1], h = item % tensor(d, 1).sizes[1];
    for (int64_t i = 0; i < K; ++i)
      for (int64_t j = 0; j < K + V; ++j) {
        bool isP = j < K;
        float x = tensor(d, isP ? 1 : 2).at(b, h, i, isP ? j : j - K);
        for (int64_t t = 0; t < v.sizes[1]; ++t)
          x = i ? 3 * x : 2 * x + (isP ? 0 : v.at(b, t, h, 0));
        tensor(d, isP ? 3 : 4).at(b, h, i, isP ? j : j - K) = x;
      }
  }
}

void apply(void *const *d, int64_t begin, int64_t end) {
  const Tensor &p = tensor(d, 0), &q = tensor(d, 1), &S = tensor(d, 2);
  for (int64_t item = begin; item < end; ++item) {
    int64_t b = item / S.sizes[1], h = item % S.sizes[1];
    for (int64_t t = 0; t < p.sizes[1]; ++t) {
      float sum = q.at(b, t, h, 0);
      for (int64_t k = 0; k < K; ++k)
        sum += p.at(b, t, h, k) * S.at(b, h, k, 0);
      tensor(d, 3).at(b, t, h, 0) = sum;
    }
  }
}

/// An image of the three, which tests spoil.
struct Image {
  Arguments whole{describe("v", QDELTA_ROLE_TOKEN, {B, T, H, V}),
                  describe("S", QDELTA_ROLE_INITIAL_STATE, {B, HV, K, V}),
                  describe("o", QDELTA_ROLE_OUTPUT, {B, T, HV, V}),
                  describe("S_final", QDELTA_ROLE_FINAL_STATE, {B, HV, K, V})};
  Arguments summary{
      describe("v", QDELTA_ROLE_TOKEN, {B, T, H, V}),
      describe("P", QDELTA_ROLE_INITIAL_STATE, {B, HV, K, K}),
      describe("Q", QDELTA_ROLE_INITIAL_STATE, {B, HV, K, V}),
      describe("P_final", QDELTA_ROLE_FINAL_STATE, {B, HV, K, K}),
      describe("Q_final", QDELTA_ROLE_FINAL_STATE, {B, HV, K, V})};
  Arguments rows{describe("p", QDELTA_ROLE_TOKEN, {B, T, H, K}),
                 describe("q", QDELTA_ROLE_TOKEN, {B, T, H, V}),
                 describe("S", QDELTA_ROLE_INITIAL_STATE, {B, HV, K, V}),
                 describe("o", QDELTA_ROLE_OUTPUT, {B, T, HV, V}),
                 describe("S_final", QDELTA_ROLE_FINAL_STATE, {B, HV, K, V})};
  int64_t segments = 4;
  const char *summaryName = "f_summary", *applyName = "f_apply";

  std::string load(qdeltaModule **module) const {
    qdeltaKernelImage kernels[3] = {};
    const Arguments *arguments[] = {&whole, &summary, &rows};
    const char *names[] = {"f", "f_summary", "f_apply"};
    const qdeltaEntry entries[] = {run, summarise, apply};
    for (int i = 0; i < 3; ++i) {
      kernels[i] = toy::describeKernel(names[i], *arguments[i], entries[i]);
      kernels[i].work = 1 + i;
    }
    kernels[0].segments = segments;
    kernels[0].summary = summaryName;
    kernels[0].apply = applyName;
    qdeltaImage image = {sizeof(image), kernels, 3, nullptr, 0};
    qdeltaStatus *status = qdeltaModuleLoad(&image, module);
    std::string message = qdeltaStatusGetMessage(status);
    qdeltaStatusDestroy(status);
    return message;
  }

  std::string error() const {
    qdeltaModule *module = nullptr;
    std::string message = load(&module);
    qdeltaModuleDestroy(module);
    return message;
  }
};

/// Runs B = 2 and HV = 2 and returns outputs and final states.
std::vector<float> launch(const Image &image, int64_t tokens, int32_t threads) {
  qdeltaModule *module = nullptr;
  EXPECT_EQ(image.load(&module), "");
  const qdeltaKernel *kernel = nullptr;
  EXPECT_EQ(qdeltaModuleGetKernel(module, 0, &kernel), nullptr);
  std::vector<toy::Array> arrays;
  arrays.emplace_back(std::vector<int64_t>{2, tokens, 2, V});
  arrays.emplace_back(std::vector<int64_t>{2, 2, K, V});
  arrays.emplace_back(std::vector<int64_t>{2, tokens, 2, V});
  arrays.emplace_back(std::vector<int64_t>{2, 2, K, V});
  for (float &x : arrays[0].data)
    x = std::fmod(x, 3.0f);
  std::vector<DLTensor *> tensors;
  for (toy::Array &array : arrays)
    tensors.push_back(array.tensor());
  qdeltaLaunchOptions options = {};
  options.struct_size = sizeof(options);
  options.threads = threads;
  lengths.clear();
  qdeltaStatus *status = qdeltaLaunch(kernel, tensors.data(), 4, &options);
  EXPECT_STREQ(qdeltaStatusGetMessage(status), "");
  qdeltaStatusDestroy(status);
  qdeltaModuleDestroy(module);
  std::vector<float> results = arrays[2].data;
  results.insert(results.end(), arrays[3].data.begin(), arrays[3].data.end());
  return results;
}

TEST(Segments, EqualTheWholeSequence) {
  Image whole, split;
  whole.segments = 1;
  // Few tokens, so that floats are exact.
  for (int64_t tokens : {0, 1, 3, 5, 8, 11})
    for (int32_t threads : {1, 3})
      EXPECT_EQ(launch(whole, tokens, threads), launch(split, tokens, threads))
          << tokens;
}

TEST(Segments, FirstTakesAsLongAsSummaries) {
  Image image;
  // Work 1 and 2: the first segment has twice the tokens of another.
  launch(image, 10, 1);
  EXPECT_EQ(lengths, (std::vector<int64_t>{4, 2, 2, 2}));
}

TEST(Segments, ShortSequencesStayWhole) {
  Image image;
  launch(image, 3, 1);
  EXPECT_EQ(lengths, (std::vector<int64_t>{3}));
}

TEST(Segments, KernelsMustFit) {
  const std::string start = "expected kernel f, which has segments, to ";
  Image image;
  EXPECT_EQ(image.error(), "");
  image.segments = 5000;
  EXPECT_EQ(image.error(), start + "have at most 4096, but got 5000");
  image = Image();
  image.summaryName = nullptr;
  EXPECT_EQ(image.error(), start + "name a kernel of summaries of its inputs");
  image.summaryName = "g";
  EXPECT_EQ(image.error(), start + "name a kernel of summaries of its inputs");
  image = Image();
  image.applyName = "f_summary";
  EXPECT_EQ(image.error(), start + "name a kernel that applies summaries");
  image = Image();
  image.summary[0].name = "w";
  EXPECT_EQ(image.error(), start + "name a kernel of summaries of its inputs");
  image = Image();
  image.summary[1].shape[3] = image.summary[3].shape[3] = 5;
  EXPECT_EQ(image.error(), start + "name a kernel of summaries of its inputs");
  image = Image();
  image.rows[0].shape[3] = 5;
  EXPECT_EQ(image.error(), start + "name a kernel that applies summaries");
  image = Image();
  image.whole[0].shape[1] = image.whole[2].shape[1] = 9;
  EXPECT_EQ(image.error(), start + "run for any number of tokens");
  image = Image();
  image.whole.insert(image.whole.begin() + 2,
                     describe("cu_seqlens", QDELTA_ROLE_CU_SEQLENS,
                              {QDELTA_DIM_BOUNDS}, {kDLInt, 32, 1}));
  image.whole[0].shape[0] = image.whole[3].shape[0] = 1;
  EXPECT_EQ(image.error(), start + "take sequences of one length");
  image = Image();
  image.whole[1].shape[2] = image.whole[3].shape[2] = T;
  EXPECT_NE(image.error(), "");
  image = Image();
  image.whole.insert(image.whole.begin() + 2,
                     describe("z", QDELTA_ROLE_INITIAL_STATE, {B, HV}));
  image.whole.push_back(describe("z_final", QDELTA_ROLE_FINAL_STATE, {B, HV}));
  EXPECT_EQ(image.error(), start + "name a kernel of summaries of its inputs");
}
} // namespace

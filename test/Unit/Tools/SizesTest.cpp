//===- SizesTest.cpp - sizes from --shape and from inputs ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Sizes.h"

#include "gtest/gtest.h"

using namespace qdelta::tools;

/// q [B, T, H, K], v [B, T, HV, V], g [B, T, HV], state S and output o.
static Signature signature() {
  Signature result;
  result.recurrence = "toy";
  result.inputs = {{"q", QDELTA_ROLE_TOKEN, {"B", "T", "H", "K"}},
                   {"v", QDELTA_ROLE_TOKEN, {"B", "T", "HV", "V"}},
                   {"g", QDELTA_ROLE_TOKEN, {"B", "T", "HV"}},
                   {"scale", QDELTA_ROLE_PARAM, {"HV"}},
                   {"S", QDELTA_ROLE_INITIAL_STATE, {"B", "HV", "K", "V"}}};
  result.outputs = {{"o", QDELTA_ROLE_OUTPUT, {"B", "T", "HV", "V"}}};
  return result;
}

using Given = std::map<std::string, std::vector<int64_t>>;

/// What the sizes resolve to, or the error.
static std::string resolve(const std::string &shape, const Given &given = {},
                           const Signature &signature = ::signature()) {
  auto wanted = parseShape(shape);
  if (!wanted)
    return llvm::toString(wanted.takeError());
  std::vector<std::optional<FloatTensor>> tensors;
  for (const Argument &argument : signature.inputs) {
    auto entry = given.find(argument.name);
    tensors.emplace_back();
    if (entry != given.end())
      tensors.back() = FloatTensor{entry->second, {}};
  }
  auto sizes = resolveSizes(signature, *wanted, tensors);
  return sizes ? formatSizes(*sizes) : llvm::toString(sizes.takeError());
}

TEST(Sizes, FromShape) {
  EXPECT_EQ(resolve("B=2,T=65,H=2,HV=4,K=60,V=100"),
            "B=2, T=65, H=2, HV=4, K=60, V=100");
  EXPECT_EQ(resolve("V=1, K=2, H=3, T=0, B=5"),
            "B=5, T=0, H=3, HV=3, K=2, V=1");
}

TEST(Sizes, FromInputs) {
  EXPECT_EQ(resolve("", {{"q", {2, 5, 2, 8}}, {"v", {2, 5, 4, 3}}}),
            "B=2, T=5, H=2, HV=4, K=8, V=3");
  EXPECT_EQ(resolve("T=7", {{"S", {1, 4, 8, 3}}}),
            "B=1, T=7, H=4, HV=4, K=8, V=3");
  // Tokens may have fewer heads than HV.
  EXPECT_EQ(resolve("HV=4,K=8,H=4", {{"v", {2, 5, 2, 3}}}),
            "B=2, T=5, H=4, HV=4, K=8, V=3");
}

TEST(Sizes, FromTypes) {
  Signature fixed = signature();
  fixed.key = 60;
  EXPECT_EQ(resolve("B=1,T=2,H=1,V=3", {}, fixed),
            "B=1, T=2, H=1, HV=1, K=60, V=3");
  EXPECT_EQ(resolve("B=1,T=2,H=1,K=61,V=3", {}, fixed),
            "expected @toy to have K = 61 as --shape has, but got 60");
}

TEST(Sizes, Disagreement) {
  EXPECT_EQ(resolve("", {{"q", {2, 16, 2, 8}}, {"v", {2, 15, 4, 3}}}),
            "expected v to have T = 16 as q has, but got 15");
  EXPECT_EQ(resolve("T=16", {{"q", {2, 15, 2, 8}}}),
            "expected q to have T = 16 as --shape has, but got 15");
  EXPECT_EQ(resolve("", {{"v", {2, 16, 4}}}),
            "expected v to have shape [B, T, HV, V], but got [2, 16, 4]");
}

TEST(Sizes, Heads) {
  EXPECT_EQ(resolve("B=1,T=1,H=2,HV=3,K=1,V=1"),
            "HV = 3 of --shape must be a multiple of H = 2 of --shape");
  EXPECT_EQ(
      resolve("B=1,T=1,K=1,V=1", {{"S", {1, 3, 1, 1}}, {"q", {1, 1, 2, 1}}}),
      "HV = 3 of S must be a multiple of H = 2 of q");
  EXPECT_EQ(resolve("B=1,T=1,H=1,HV=3,K=1,V=1", {{"v", {1, 1, 2, 1}}}),
            "HV = 3 of --shape must be a multiple of H = 2 of v");
  EXPECT_EQ(resolve("B=1,T=1,H=1,HV=3,K=1,V=1", {{"v", {1, 1, 0, 1}}}),
            "expected v to have H of at least 1, but got 0");
}

TEST(Sizes, Lacking) {
  EXPECT_EQ(resolve("B=1,H=2,K=3,V=4"),
            "--shape lacks T, which no input gives; write for example --shape "
            "B=1,T=64,H=2,K=64,V=64");
}

TEST(Sizes, Malformed) {
  EXPECT_EQ(resolve("B=1,X=2"),
            "expected --shape to give B, T, H, HV, K, V or L, but got 'X=2'");
  EXPECT_EQ(resolve("B=1,T=-1"),
            "expected T in --shape to be an integer of at least 0, but got "
            "'-1'");
  EXPECT_EQ(resolve("K=0"),
            "expected K in --shape to be an integer of at least 1, but got "
            "'0'");
  EXPECT_EQ(resolve("B=99999999999999999999"),
            "expected B in --shape to be an integer of at least 0, but got "
            "'99999999999999999999'");
  EXPECT_EQ(resolve("B=1,B=1"), "--shape gives B twice");
}

TEST(Sizes, TooLarge) {
  EXPECT_EQ(resolve("B=4294967296,T=4294967296,H=1,K=1,V=1"),
            "the sizes of q overflow: B * T * H * K for B=4294967296, "
            "T=4294967296, H=1, HV=1, K=1, V=1 is at least 2^63 bytes");
  std::string message = resolve("B=1048576,T=1048576,H=1,K=1024,V=1");
  EXPECT_NE(message.find("this machine has"), std::string::npos) << message;
}

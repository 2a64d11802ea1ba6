//===- StepTest.cpp - states in place and their index --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include <gtest/gtest.h>

using namespace qdelta::reference;

/// A step on entries `index` of a pool of three states 1 x 1, which adds v to
/// the state and reads it.
static std::string stepOn(const std::string &index) {
  return R"(
  qdelta.recurrence @sum(state %S: tensor<?x?xf64>) token(%k: tensor<?xf64>, %v: tensor<?xf64>) {
    %Sw = qdelta.write %S key %k value %v : tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>
    %y = qdelta.read %Sw at %k : tensor<?x?xf64>, tensor<?xf64>
    qdelta.yield state %Sw : tensor<?x?xf64> out %y : tensor<?xf64>
  }
  func.func @f(%k: tensor<?x?x1x1xf64>, %v: tensor<?x?x1x1xf64>, %S: tensor<3x1x1x1xf64>)
      -> (tensor<?x?x1x1xf64>, tensor<3x1x1x1xf64>) {
    %i = arith.constant dense<)" +
         index + R"(> : tensor<2xi32>
    %o, %f = qdelta.step @sum(%k, %v) init(%S) state_index(%i : tensor<2xi32>)
      : (tensor<?x?x1x1xf64>, tensor<?x?x1x1xf64>) init(tensor<3x1x1x1xf64>)
      -> (tensor<?x?x1x1xf64>) final(tensor<3x1x1x1xf64>)
    return %o, %f : tensor<?x?x1x1xf64>, tensor<3x1x1x1xf64>
  })";
}

static std::vector<Tensor<double>> inputs(int64_t tokens) {
  auto count = static_cast<size_t>(2 * tokens);
  std::vector<double> ones(count, 1), v(count);
  for (size_t i = 0; i < count; ++i)
    v[i] = static_cast<double>(i + 1);
  return {{{2, tokens, 1, 1}, ones},
          {{2, tokens, 1, 1}, v},
          {{3, 1, 1, 1}, {10, 20, 30}}};
}

TEST(Step, IndexChoosesStates) {
  auto results = Program(stepOn("[2, 0]")).run(inputs(2));
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].data, (std::vector<double>{31, 33, 13, 17}));
  EXPECT_EQ(results[1].data, (std::vector<double>{17, 20, 33}));
}

TEST(Step, NoTokens) {
  auto results = Program(stepOn("[2, 0]")).run(inputs(0));
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].data, (std::vector<double>{10, 20, 30}));
}

TEST(Step, Errors) {
  auto expectError = [](const std::string &index, int64_t tokens,
                        const std::string &message) {
    std::string error = Program(stepOn(index)).error(inputs(tokens));
    EXPECT_NE(error.find(message), std::string::npos) << error;
  };
  expectError("[2, 0]", 17, "expected at most 16 tokens in place, but got 17");
  expectError("[2, 3]", 1,
              "expected state_index to be from 0 to 2, but entry 1 is 3");
  expectError("[-1, 0]", 1,
              "expected state_index to be from 0 to 2, but entry 0 is -1");
  expectError("[1, 1]", 1,
              "expected state_index to have distinct numbers, but got 1 twice");
}

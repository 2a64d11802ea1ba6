//===- VectorOpsTest.cpp - transfers and other vector ops -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qdelta::reference;

namespace {
using Numbers = Tensor<double>;
} // namespace

TEST(VectorOps, TransfersPastTheEnd) {
  Program program(R"(
    func.func @f(%x: tensor<3x6xf64>) -> (vector<4xf64>, tensor<3x6xf64>, vector<4xf64>) {
      %c1 = arith.constant 1 : index
      %c4 = arith.constant 4 : index
      %pad = arith.constant 9.0 : f64
      %tail = vector.transfer_read %x[%c1, %c4], %pad : tensor<3x6xf64>, vector<4xf64>
      %c2 = arith.constant 2 : index
      %y = vector.transfer_write %tail, %x[%c2, %c4] : vector<4xf64>, tensor<3x6xf64>
      %mask = vector.create_mask %c1 : vector<4xi1>
      %first = vector.transfer_read %x[%c1, %c2], %pad, %mask {in_bounds = [true]} : tensor<3x6xf64>, vector<4xf64>
      return %tail, %y, %first : vector<4xf64>, tensor<3x6xf64>, vector<4xf64>
    })");
  Numbers x = numbers({3, 6}, 1), y = x;
  auto found = program.run<double>({x});
  ASSERT_EQ(found.size(), 3u);
  expectNear(found[0], {{4}, {x.data[10], x.data[11], 9, 9}}, 0);
  y.data[16] = x.data[10];
  y.data[17] = x.data[11];
  expectNear(found[1], y, 0);
  expectNear(found[2], {{4}, {x.data[8], 9, 9, 9}}, 0);
}

TEST(VectorOps, TransfersThatLieAboutBounds) {
  Program program(R"(
    func.func @f(%x: tensor<6xf64>) -> vector<4xf64> {
      %c4 = arith.constant 4 : index
      %pad = arith.constant 9.0 : f64
      %v = vector.transfer_read %x[%c4], %pad {in_bounds = [true]} : tensor<6xf64>, vector<4xf64>
      return %v : vector<4xf64>
    })");
  EXPECT_NE(
      program.error({numbers({6}, 1)})
          .find("index 6 of dimension 0 is outside a tensor of shape [6]"),
      std::string::npos);
}

TEST(VectorOps, PartsAndSums) {
  Program program(R"(
    func.func @f(%x: tensor<2x4xf64>, %s: f64) -> (f64, vector<2x4xf64>, f64) {
      %c0 = arith.constant 0 : index
      %pad = ub.poison : f64
      %v = vector.transfer_read %x[%c0, %c0], %pad {in_bounds = [true, true]} : tensor<2x4xf64>, vector<2x4xf64>
      %row = vector.extract %v[1] : vector<4xf64> from vector<2x4xf64>
      %sum = vector.reduction <add>, %row, %s : vector<4xf64> into f64
      %b = vector.broadcast %s : f64 to vector<4xf64>
      %w = vector.insert %b, %v[%c0] : vector<4xf64> into vector<2x4xf64>
      %e = vector.extract %v[1, 2] : f64 from vector<2x4xf64>
      return %sum, %w, %e : f64, vector<2x4xf64>, f64
    })");
  Numbers x = numbers({2, 4}, 1), w = x;
  auto found = program.run<double>({x, {{}, {0.5}}});
  ASSERT_EQ(found.size(), 3u);
  double sum = 0.5;
  for (int i = 0; i < 4; ++i) {
    sum += x.data[4 + i];
    w.data[i] = 0.5;
  }
  EXPECT_NEAR(found[0].data[0], sum, 1e-12);
  expectNear(found[1], w, 0);
  EXPECT_EQ(found[2].data[0], x.data[6]);
}

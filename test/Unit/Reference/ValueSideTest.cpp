//===- ValueSideTest.cpp - the value side of a state ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace qdelta::reference;

namespace {
using Numbers = Tensor<double>;

double at(const Numbers &matrix, int64_t row, int64_t column) {
  return matrix.data[row * matrix.shape[1] + column];
}

/// e to all logs of column c between place p of token s and place q of token t.
double between(const std::vector<Numbers> &logs, int64_t c, int64_t s,
               int64_t p, int64_t t, int64_t q) {
  auto decays = static_cast<int64_t>(logs.size());
  double sum = 0;
  for (int64_t place = s * decays + p; place < t * decays + q; ++place)
    sum += at(logs[place % decays], place / decays, c);
  return std::exp(sum);
}
} // namespace

TEST(ValueSide, ApplyWithDecays) {
  for (bool inclusive : {false, true}) {
    std::string flag = inclusive ? "inclusive " : "";
    Program program(
        R"(
      func.func @f(%l: tensor<4x4xf64>, %e: tensor<4x3xf64>, %r: tensor<4x3xf64>,
                   %a: tensor<4x3xf64>, %b: tensor<4x3xf64>) -> tensor<4x3xf64> {
        %0 = qdelta.chunk_apply %l, %e onto %r decays(%a, %b) from 1 to 2 )" +
        flag +
        R"(: tensor<4x4xf64>, tensor<4x3xf64> decays(tensor<4x3xf64>, tensor<4x3xf64>)
        return %0 : tensor<4x3xf64>
      })");
    Numbers l = numbers({4, 4}, 1), e = numbers({4, 3}, 2),
            r = numbers({4, 3}, 3), wanted = r;
    std::vector<Numbers> logs{numbers({4, 3}, 4), numbers({4, 3}, 5)};
    logs[1].data[7] = -std::numeric_limits<double>::infinity();
    for (int64_t t = 0; t < 4; ++t)
      for (int64_t s = 0; s < 4; ++s) {
        if (s >= t + inclusive)
          l.data[t * 4 + s] = 0;
        else
          for (int64_t c = 0; c < 3; ++c)
            wanted.data[t * 3 + c] +=
                at(l, t, s) * at(e, s, c) * between(logs, c, s, 1, t, 2);
      }
    auto found = program.run<double>({l, e, r, logs[0], logs[1]});
    ASSERT_EQ(found.size(), 1u);
    expectNear(found[0], wanted);
  }
}

TEST(ValueSide, UpdateDecaysColumns) {
  Program program(R"(
    func.func @f(%s: tensor<3x2xf64>, %g: f64, %c: tensor<1x2xf64>,
                 %a: tensor<1x3xf64>, %e: tensor<1x2xf64>) -> tensor<3x2xf64> {
      %0 = qdelta.chunk_update %s decay %g columns %c keys(%a) values(%e) reads()
        : tensor<3x2xf64>, f64 columns tensor<1x2xf64> keys(tensor<1x3xf64>) values(tensor<1x2xf64>) -> tensor<3x2xf64>
      return %0 : tensor<3x2xf64>
    })");
  Numbers s = numbers({3, 2}, 1), g = numbers({}, 2), c = numbers({1, 2}, 3),
          a = numbers({1, 3}, 4), e = numbers({1, 2}, 5), wanted = s;
  for (int64_t k = 0; k < 3; ++k)
    for (int64_t v = 0; v < 2; ++v)
      wanted.data[k * 2 + v] =
          g.data[0] * c.data[v] * at(s, k, v) + a.data[k] * e.data[v];
  auto found = program.run<double>({s, g, c, a, e});
  ASSERT_EQ(found.size(), 1u);
  expectNear(found[0], wanted);
}

TEST(ValueSide, TransposesEveryState) {
  Program program(R"(
    func.func @f(%s: tensor<2x3x2x4xf64>) -> tensor<2x3x4x2xf64> {
      %0 = qdelta.transpose_state %s : tensor<2x3x2x4xf64> -> tensor<2x3x4x2xf64>
      return %0 : tensor<2x3x4x2xf64>
    })");
  Numbers s = numbers({2, 3, 2, 4}, 1), wanted{{2, 3, 4, 2}, {}};
  for (int64_t item = 0; item < 6; ++item)
    for (int64_t v = 0; v < 4; ++v)
      for (int64_t k = 0; k < 2; ++k)
        wanted.data.push_back(s.data[item * 8 + k * 4 + v]);
  auto found = program.run<double>({s});
  ASSERT_EQ(found.size(), 1u);
  expectNear(found[0], wanted);
}

/// One token of what the value side reads before and after the columns decay.
TEST(ValueSide, ReadsAndDecaysOfAStep) {
  Program program(R"(
    qdelta.recurrence @r(state %S: tensor<2x3xf64>)
        token(%k: tensor<2xf64>, %v: tensor<3xf64>, %g: tensor<3xf64>) {
      %z = qdelta.read_values %S at %v : tensor<2x3xf64>, tensor<3xf64>
      %Sd = qdelta.decay_values %S by %g : tensor<2x3xf64>, tensor<3xf64>
      %y = qdelta.read %Sd at %k : tensor<2x3xf64>, tensor<2xf64>
      %s = qdelta.dot %k, %z : tensor<2xf64> -> f64
      %o = qdelta.scale %y by %s : tensor<3xf64>, f64
      qdelta.yield state %Sd : tensor<2x3xf64> out %o : tensor<3xf64>
    }
    func.func @f(%k: tensor<1x1x1x2xf64>, %v: tensor<1x1x1x3xf64>, %g: tensor<1x1x1x3xf64>,
                 %S: tensor<1x1x2x3xf64>) -> (tensor<1x1x1x3xf64>, tensor<1x1x2x3xf64>) {
      %o, %f = qdelta.scan @r(%k, %v, %g) init(%S)
        : (tensor<1x1x1x2xf64>, tensor<1x1x1x3xf64>, tensor<1x1x1x3xf64>) init(tensor<1x1x2x3xf64>)
        -> (tensor<1x1x1x3xf64>) final(tensor<1x1x2x3xf64>)
      return %o, %f : tensor<1x1x1x3xf64>, tensor<1x1x2x3xf64>
    })");
  Numbers k = numbers({1, 1, 1, 2}, 1), v = numbers({1, 1, 1, 3}, 2),
          g = numbers({1, 1, 1, 3}, 3), s = numbers({1, 1, 2, 3}, 4), final = s;
  double scalar = 0;
  for (int64_t i = 0; i < 6; ++i) {
    scalar += k.data[i / 3] * s.data[i] * v.data[i % 3];
    final.data[i] *= std::exp(g.data[i % 3]);
  }
  Numbers output{{1, 1, 1, 3}, {0, 0, 0}};
  for (int64_t i = 0; i < 6; ++i)
    output.data[i % 3] += scalar * k.data[i / 3] * final.data[i];
  auto found = program.run<double>({k, v, g, s});
  ASSERT_EQ(found.size(), 2u);
  expectNear(found[0], output);
  expectNear(found[1], final);
}

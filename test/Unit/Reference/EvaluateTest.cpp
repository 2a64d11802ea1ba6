//===- EvaluateTest.cpp - the token loop, control flow and errors ---------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include "qdelta/Reference/Exact.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace qdelta::reference;

namespace {
using Numbers = Tensor<double>;

/// Gated DeltaNet as a scan, over sequences of any size.
const char *const kGatedDeltaNet = R"(
  qdelta.recurrence @gdn(state %S: tensor<?x?xf64>)
      token(%q: tensor<?xf64>, %k: tensor<?xf64>, %v: tensor<?xf64>, %g: f64, %beta: f64)
      param(%scale: f64) {
    %Sd = qdelta.decay %S by %g : tensor<?x?xf64>, f64
    %p = qdelta.read %Sd at %k : tensor<?x?xf64>, tensor<?xf64>
    %d = arith.subf %v, %p : tensor<?xf64>
    %e = qdelta.scale %d by %beta : tensor<?xf64>, f64
    %Sw = qdelta.write %Sd key %k value %e : tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>
    %y = qdelta.read %Sw at %q : tensor<?x?xf64>, tensor<?xf64>
    %o = qdelta.scale %y by %scale : tensor<?xf64>, f64
    qdelta.yield state %Sw : tensor<?x?xf64> out %o : tensor<?xf64>
  }
  func.func @f(%q: tensor<?x?x?x?xf64>, %k: tensor<?x?x?x?xf64>, %v: tensor<?x?x?x?xf64>,
      %g: tensor<?x?x?xf64>, %beta: tensor<?x?x?xf64>, %scale: tensor<?xf64>, %S: tensor<?x?x?x?xf64>)
      -> (tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>) {
    %o, %Sf = qdelta.scan @gdn(%q, %k, %v, %g, %beta) param(%scale) init(%S)
      : (tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>, tensor<?x?x?xf64>, tensor<?x?x?xf64>)
      param(tensor<?xf64>) init(tensor<?x?x?x?xf64>) -> (tensor<?x?x?x?xf64>) final(tensor<?x?x?x?xf64>)
    return %o, %Sf : tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>
  })";

struct Sizes {
  int64_t batch, tokens, heads, valueHeads, key, value;
};

std::vector<Numbers> draw(Sizes n) {
  std::vector<Numbers> in{
      numbers({n.batch, n.tokens, n.heads, n.key}, 1),
      numbers({n.batch, n.tokens, n.heads, n.key}, 2),
      numbers({n.batch, n.tokens, n.valueHeads, n.value}, 3),
      numbers({n.batch, n.tokens, n.valueHeads}, 4),
      numbers({n.batch, n.tokens, n.valueHeads}, 5),
      numbers({n.valueHeads}, 6),
      numbers({n.batch, n.valueHeads, n.key, n.value}, 7)};
  for (double &log : in[3].data)
    log = -std::abs(log);
  return in;
}

/// The recurrence by its formula, one head after the other.
std::vector<Numbers> gatedDeltaNet(const std::vector<Numbers> &in, Sizes n) {
  Numbers out{{n.batch, n.tokens, n.valueHeads, n.value}, {}}, S = in[6];
  out.data.resize(n.batch * n.tokens * n.valueHeads * n.value);
  for (int64_t b = 0; b < n.batch; ++b)
    for (int64_t h = 0; h < n.valueHeads; ++h)
      for (int64_t t = 0; t < n.tokens; ++t)
        for (int64_t v = 0; v < n.value; ++v) {
          int64_t gate = (b * n.tokens + t) * n.valueHeads + h;
          int64_t head = h / (n.valueHeads / n.heads);
          int64_t row = ((b * n.tokens + t) * n.heads + head) * n.key;
          auto state = [&](int64_t k) -> double & {
            return S.data[((b * n.valueHeads + h) * n.key + k) * n.value + v];
          };
          double p = 0, y = 0;
          for (int64_t k = 0; k < n.key; ++k) {
            state(k) *= std::exp(in[3].data[gate]);
            p += state(k) * in[1].data[row + k];
          }
          double e = in[4].data[gate] * (in[2].data[gate * n.value + v] - p);
          for (int64_t k = 0; k < n.key; ++k) {
            state(k) += in[1].data[row + k] * e;
            y += state(k) * in[0].data[row + k];
          }
          out.data[gate * n.value + v] = in[5].data[h] * y;
        }
  return {out, S};
}
} // namespace

TEST(Evaluate, ScanIsTheTokenLoop) {
  Program program(kGatedDeltaNet);
  for (Sizes n : {Sizes{1, 1, 1, 1, 1, 1}, Sizes{2, 7, 2, 4, 3, 5},
                  Sizes{1, 9, 1, 3, 4, 2}, Sizes{2, 0, 2, 4, 3, 5}}) {
    auto in = draw(n);
    auto found = program.run(in), wanted = gatedDeltaNet(in, n);
    ASSERT_EQ(found.size(), 2u);
    expectNear(found[0], wanted[0], 1e-9);
    expectNear(found[1], wanted[1], 1e-9);
    auto recurrence =
        program.module().lookupSymbol<qdelta::RecurrenceOp>("gdn");
    auto direct = evaluateRecurrence(recurrence, in);
    ASSERT_TRUE(bool(direct));
    EXPECT_EQ((*direct)[0].data, found[0].data);
    EXPECT_EQ((*direct)[1].data, found[1].data);
  }
}

TEST(Evaluate, FloatRoundsAndDoubleDoesNot) {
  Program program(R"(
    func.func @f(%x: f32) -> f32 {
      %0 = arith.divf %x, %x : f32
      %three = arith.constant 3.0 : f32
      %1 = arith.divf %0, %three : f32
      return %1 : f32
    })");
  auto single = program.run<float>({{{}, {2.0f}}});
  auto full = program.run<double>({{{}, {2.0}}});
  EXPECT_EQ(single[0].data[0], 1.0f / 3.0f);
  EXPECT_EQ(full[0].data[0], 1.0 / 3.0);
}

TEST(Evaluate, SizesThatDisagree) {
  Program program(kGatedDeltaNet);
  Sizes n{2, 3, 2, 4, 3, 5};
  auto expectError = [&](size_t input, std::vector<int64_t> shape,
                         const std::string &message) {
    auto in = draw(n);
    in[input] = numbers(std::move(shape), 0);
    EXPECT_NE(program.error(in).find(message), std::string::npos)
        << program.error(in);
  };
  expectError(1, {2, 3, 2, 4},
              "expected k to have K = 3 as initial state 0 has, but got 4");
  expectError(3, {2, 4, 4}, "expected g to have T = 3 as q has, but got 4");
  expectError(4, {1, 3, 4},
              "expected beta to have B = 2 as initial state 0 has, but got 1");
  expectError(
      5, {3},
      "expected scale to have HV = 4 as initial state 0 has, but got 3");
  expectError(
      0, {2, 3, 3, 3},
      "expected HV = 4 of initial state 0 to be a multiple of H = 3 of q");
  expectError(
      2, {2, 3, 4},
      "expected argument 2 to have shape [?, ?, ?, ?], but got [2, 3, 4]");
}

TEST(Evaluate, InputsThatDoNotFit) {
  Program program(R"(
    func.func @f(%x: tensor<?x4xf64>) -> tensor<?x4xf64> {
      return %x : tensor<?x4xf64>
    })");
  auto expectError = [&](const std::vector<Numbers> &inputs,
                         const std::string &message) {
    EXPECT_NE(program.error(inputs).find(message), std::string::npos)
        << program.error(inputs);
  };
  expectError({}, "expected 1 inputs for @f, but got 0");
  expectError({numbers({2, 3}, 0)},
              "expected argument 0 to have shape [?, 4], but got [2, 3]");
  expectError({Numbers{{2, 4}, {1.0}}},
              "input 0 has shape [2, 4] but 1 elements");
  EXPECT_EQ(program.error({numbers({2, 4}, 0)}), "");
}

TEST(Evaluate, UnknownOpsAreErrors) {
  Program program(R"(
    func.func @f(%x: tensor<4xf64>) -> tensor<4xf64> {
      %0 = math.cbrt %x : tensor<4xf64>
      return %0 : tensor<4xf64>
    })");
  EXPECT_NE(program.error({numbers({4}, 0)}).find("unknown op 'math.cbrt' at"),
            std::string::npos);
}

TEST(Evaluate, SizesThatOverflow) {
  Program program(R"(
    func.func @f(%x: tensor<?x?xf64>) -> tensor<?x?x?xf64> {
      %c1 = arith.constant 1 : index
      %n = tensor.dim %x, %c1 : tensor<?x?xf64>
      %0 = tensor.empty(%n, %n, %n) : tensor<?x?x?xf64>
      return %0 : tensor<?x?x?xf64>
    })");
  int64_t huge = int64_t(1) << 40;
  EXPECT_NE(program.error({Numbers{{0, huge}, {}}})
                .find("cannot hold a tensor of shape"),
            std::string::npos);
}

TEST(Evaluate, LinalgAndLoops) {
  Program program(R"(
    #row = affine_map<(i, j) -> (i)>
    #all = affine_map<(i, j) -> (i, j)>
    func.func @f(%a: tensor<?x3xf64>, %b: tensor<3x2xf64>) -> (tensor<?x2xf64>, tensor<?xf64>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %zero = arith.constant 0.0 : f64
      %n = tensor.dim %a, %c0 : tensor<?x3xf64>
      %e = tensor.empty(%n) : tensor<?x2xf64>
      %z = linalg.fill ins(%zero : f64) outs(%e : tensor<?x2xf64>) -> tensor<?x2xf64>
      %c = linalg.matmul ins(%a, %b : tensor<?x3xf64>, tensor<3x2xf64>) outs(%z : tensor<?x2xf64>) -> tensor<?x2xf64>
      %r = tensor.empty(%n) : tensor<?xf64>
      %s = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %r) -> tensor<?xf64> {
        %next = tensor.insert %zero into %acc[%i] : tensor<?xf64>
        scf.yield %next : tensor<?xf64>
      }
      %sums = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
          ins(%c : tensor<?x2xf64>) outs(%s : tensor<?xf64>) {
      ^bb0(%in: f64, %out: f64):
        %j = linalg.index 1 : index
        %first = arith.cmpi eq, %j, %c0 : index
        %term = arith.select %first, %in, %zero : f64
        %sum = arith.addf %out, %term : f64
        linalg.yield %sum : f64
      } -> tensor<?xf64>
      return %c, %sums : tensor<?x2xf64>, tensor<?xf64>
    })");
  Numbers a = numbers({4, 3}, 1), b = numbers({3, 2}, 2);
  auto found = program.run<double>({a, b});
  ASSERT_EQ(found.size(), 2u);
  Numbers c{{4, 2}, std::vector<double>(8)}, firsts{{4}, {}};
  for (int64_t i = 0; i < 4; ++i) {
    for (int64_t j = 0; j < 2; ++j)
      for (int64_t k = 0; k < 3; ++k)
        c.data[i * 2 + j] += a.data[i * 3 + k] * b.data[k * 2 + j];
    firsts.data.push_back(c.data[i * 2]);
  }
  expectNear(found[0], c);
  expectNear(found[1], firsts);
}

TEST(Evaluate, WritingLeavesOtherUsesAlone) {
  Program program(R"(
    func.func @f(%x: tensor<8xf64>) -> (tensor<8xf64>, tensor<8xf64>) {
      %c2 = arith.constant 2 : index
      %pad = ub.poison : f64
      %v = vector.transfer_read %x[%c2], %pad {in_bounds = [true]} : tensor<8xf64>, vector<4xf64>
      %w = vector.fma %v, %v, %v : vector<4xf64>
      %y = vector.transfer_write %w, %x[%c2] {in_bounds = [true]} : vector<4xf64>, tensor<8xf64>
      return %x, %y : tensor<8xf64>, tensor<8xf64>
    })");
  Numbers x = numbers({8}, 1), y = x;
  auto found = program.run<double>({x});
  ASSERT_EQ(found.size(), 2u);
  for (int64_t i = 2; i < 6; ++i)
    y.data[i] = std::fma(x.data[i], x.data[i], x.data[i]);
  expectNear(found[0], x, 0);
  expectNear(found[1], y, 0);
}

TEST(Evaluate, ExactComparisonsTakeBothOutcomes) {
  Program program(R"(
    func.func @f(%x: tensor<64xf64>) -> (tensor<64xf64>, tensor<64xf64>) {
      %low = arith.constant dense<0.001> : tensor<64xf64>
      %high = arith.constant dense<1000.0> : tensor<64xf64>
      %one = arith.constant dense<1.0> : tensor<64xf64>
      %two = arith.constant dense<2.0> : tensor<64xf64>
      %a = arith.cmpf ult, %x, %low : tensor<64xf64>
      %b = arith.cmpf ugt, %x, %high : tensor<64xf64>
      %outside = arith.ori %a, %b : tensor<64xi1>
      %y = arith.select %outside, %one, %two : tensor<64xi1>, tensor<64xf64>
      %c = arith.cmpf oge, %low, %x : tensor<64xf64>
      %z = arith.select %c, %one, %two : tensor<64xi1>, tensor<64xf64>
      %d = arith.select %a, %one, %two : tensor<64xi1>, tensor<64xf64>
      %same = arith.subf %z, %d : tensor<64xf64>
      return %y, %same : tensor<64xf64>, tensor<64xf64>
    })");
  Tensor<Exact> x{{64}, {}};
  for (int i = 0; i < 64; ++i)
    x.data.push_back(Exact::draw(3, i));
  auto found = program.run<Exact>({x});
  ASSERT_EQ(found.size(), 2u);
  auto outside =
      std::count(found[0].data.begin(), found[0].data.end(), Exact(1));
  EXPECT_GT(outside, 32);
  EXPECT_LT(outside, 62);
  // low >= x says what x < low says.
  EXPECT_EQ(std::count(found[1].data.begin(), found[1].data.end(), Exact()),
            64);
}

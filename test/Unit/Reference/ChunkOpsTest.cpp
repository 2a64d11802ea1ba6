//===- ChunkOpsTest.cpp - chunk ops against their formulas ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include "qdelta/Reference/Exact.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace qdelta::reference;

namespace {
using Numbers = Tensor<double>;

double at(const Numbers &matrix, int64_t row, int64_t column) {
  return matrix.data[row * matrix.shape[1] + column];
}

/// The matrix with entry `f(row, column)`.
template <typename F>
Numbers matrix(int64_t rows, int64_t columns, F f) {
  Numbers out{{rows, columns}, {}};
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      out.data.push_back(f(i, j));
  return out;
}

Numbers lower(const Numbers &full, bool inclusive) {
  return matrix(full.shape[0], full.shape[1], [&](int64_t t, int64_t s) {
    return s < t + inclusive ? at(full, t, s) : 0;
  });
}

/// a b, where the two are given by their entries.
Numbers product(const Numbers &a, const Numbers &b) {
  return matrix(a.shape[0], b.shape[1], [&](int64_t i, int64_t j) {
    double sum = 0;
    for (int64_t k = 0; k < a.shape[1]; ++k)
      sum += at(a, i, k) * at(b, k, j);
    return sum;
  });
}

Numbers transposed(const Numbers &a) {
  return matrix(a.shape[1], a.shape[0],
                [&](int64_t i, int64_t j) { return at(a, j, i); });
}

Numbers sum(const Numbers &a, const Numbers &b, double scale = 1) {
  return matrix(a.shape[0], a.shape[1], [&](int64_t i, int64_t j) {
    return at(a, i, j) + scale * at(b, i, j);
  });
}

Tensor<Exact> exactly(const Numbers &numbers) {
  Tensor<Exact> out{numbers.shape, {}};
  for (double x : numbers.data)
    out.data.push_back(Exact::fromDouble(x));
  return out;
}

/// The decay from place p of token s to place q of token t, as the op's
/// description states it: all logs at places in between.
double decayBetween(const std::vector<Numbers> &logs, int64_t s, int64_t p,
                    int64_t t, int64_t q) {
  int64_t decays = logs.size();
  double sum = 0;
  for (int64_t token = 0; token < logs[0].shape[0]; ++token)
    for (int64_t decay = 0; decay < decays; ++decay) {
      bool afterStart = token > s || (token == s && decay >= p);
      bool beforeEnd = token < t || (token == t && decay < q);
      if (afterStart && beforeEnd)
        sum += logs[decay].data[token];
    }
  return std::exp(sum);
}
} // namespace

TEST(ChunkOps, Decay) {
  Program program(R"(
    func.func @f(%a: tensor<4xf64>, %b: tensor<4xf64>)
        -> (tensor<4x4xf64>, tensor<4x4xf64>, tensor<4xf64>, tensor<4xf64>, f64) {
      %0 = qdelta.chunk_decay(%a, %b) from 1 to 0 : (tensor<4xf64>, tensor<4xf64>) -> tensor<4x4xf64>
      %1 = qdelta.chunk_decay(%a, %b) from 0 to 2 inclusive : (tensor<4xf64>, tensor<4xf64>) -> tensor<4x4xf64>
      %2 = qdelta.chunk_decay(%a, %b) to 1 : (tensor<4xf64>, tensor<4xf64>) -> tensor<4xf64>
      %3 = qdelta.chunk_decay(%a, %b) from 1 : (tensor<4xf64>, tensor<4xf64>) -> tensor<4xf64>
      %4 = qdelta.chunk_decay(%a, %b) : (tensor<4xf64>, tensor<4xf64>) -> f64
      return %0, %1, %2, %3, %4
        : tensor<4x4xf64>, tensor<4x4xf64>, tensor<4xf64>, tensor<4xf64>, f64
    })");
  std::vector<Numbers> logs{numbers({4}, 1), numbers({4}, 2)};
  for (bool erase : {false, true}) {
    if (erase)
      logs[1].data[2] = -std::numeric_limits<double>::infinity();
    auto found = program.run(logs);
    ASSERT_EQ(found.size(), 5u);
    expectNear(found[0], matrix(4, 4, [&](int64_t t, int64_t s) {
                 return s < t ? decayBetween(logs, s, 1, t, 0) : 0;
               }));
    expectNear(found[1], matrix(4, 4, [&](int64_t t, int64_t s) {
                 return s <= t ? decayBetween(logs, s, 0, t, 2) : 0;
               }));
    Numbers fromStart{{4}, {}}, toEnd{{4}, {}};
    for (int64_t t = 0; t < 4; ++t) {
      fromStart.data.push_back(decayBetween(logs, 0, 0, t, 1));
      toEnd.data.push_back(decayBetween(logs, t, 1, 4, 0));
    }
    expectNear(found[2], fromStart);
    expectNear(found[3], toEnd);
    EXPECT_NEAR(found[4].data[0], decayBetween(logs, 0, 0, 4, 0), 1e-12);
  }
}

/// Entry (into, of) of the product of the steps from step p of token s to step
/// q of token t, as matrices over two states: a decay of state 1, S_0 += c S_1,
/// a decay of state 0, S_1 += d S_0.
static double transferBetween(const std::vector<Numbers> &by, int64_t of,
                              int64_t into, int64_t s, int64_t p, int64_t t,
                              int64_t q) {
  Numbers all = matrix(2, 2, [](int64_t i, int64_t j) { return i == j; });
  for (int64_t at = 4 * s + p; at < 4 * t + q; ++at) {
    double x = by[at % 4].data[at / 4];
    Numbers step = matrix(2, 2, [&](int64_t i, int64_t j) -> double {
      switch (at % 4) {
      case 0:
        return i != j ? 0 : i == 1 ? std::exp(x) : 1;
      case 1:
        return i == j ? 1 : i == 0 ? x : 0;
      case 2:
        return i != j ? 0 : i == 0 ? std::exp(x) : 1;
      default:
        return i == j ? 1 : i == 1 ? x : 0;
      }
    });
    all = product(step, all);
  }
  return at(all, into, of);
}

TEST(ChunkOps, Transfer) {
  Program program(R"(
    func.func @f(%a: tensor<3xf64>, %b: tensor<3xf64>, %c: tensor<3xf64>, %d: tensor<3xf64>)
        -> (tensor<3x3xf64>, tensor<3x3xf64>, tensor<3xf64>, tensor<3xf64>, f64) {
      %0 = qdelta.chunk_transfer 1 into 0 through (%a, %b, %c, %d) targets [1, 0, 0, 1] sources [1, 1, 0, 0]
        from 3 to 2 : (tensor<3xf64>, tensor<3xf64>, tensor<3xf64>, tensor<3xf64>) -> tensor<3x3xf64>
      %1 = qdelta.chunk_transfer 0 into 0 through (%a, %b, %c, %d) targets [1, 0, 0, 1] sources [1, 1, 0, 0]
        from 1 to 4 inclusive : (tensor<3xf64>, tensor<3xf64>, tensor<3xf64>, tensor<3xf64>) -> tensor<3x3xf64>
      %2 = qdelta.chunk_transfer 0 into 1 through (%a, %b, %c, %d) targets [1, 0, 0, 1] sources [1, 1, 0, 0]
        to 3 : (tensor<3xf64>, tensor<3xf64>, tensor<3xf64>, tensor<3xf64>) -> tensor<3xf64>
      %3 = qdelta.chunk_transfer 1 into 1 through (%a, %b, %c, %d) targets [1, 0, 0, 1] sources [1, 1, 0, 0]
        from 2 : (tensor<3xf64>, tensor<3xf64>, tensor<3xf64>, tensor<3xf64>) -> tensor<3xf64>
      %4 = qdelta.chunk_transfer 1 into 0 through (%a, %b, %c, %d) targets [1, 0, 0, 1] sources [1, 1, 0, 0]
        : (tensor<3xf64>, tensor<3xf64>, tensor<3xf64>, tensor<3xf64>) -> f64
      return %0, %1, %2, %3, %4
        : tensor<3x3xf64>, tensor<3x3xf64>, tensor<3xf64>, tensor<3xf64>, f64
    })");
  std::vector<Numbers> by{numbers({3}, 1), numbers({3}, 2), numbers({3}, 3),
                          numbers({3}, 4)};
  for (bool erase : {false, true}) {
    if (erase)
      by[2].data[1] = -std::numeric_limits<double>::infinity();
    auto found = program.run(by);
    ASSERT_EQ(found.size(), 5u);
    expectNear(found[0], matrix(3, 3, [&](int64_t t, int64_t s) {
                 return s < t ? transferBetween(by, 1, 0, s, 3, t, 2) : 0;
               }));
    expectNear(found[1], matrix(3, 3, [&](int64_t t, int64_t s) {
                 return s <= t ? transferBetween(by, 0, 0, s, 1, t, 4) : 0;
               }));
    Numbers fromStart{{3}, {}}, toEnd{{3}, {}};
    for (int64_t t = 0; t < 3; ++t) {
      fromStart.data.push_back(transferBetween(by, 0, 1, 0, 0, t, 3));
      toEnd.data.push_back(transferBetween(by, 1, 1, t, 2, 3, 0));
    }
    expectNear(found[2], fromStart);
    expectNear(found[3], toEnd);
    EXPECT_NEAR(found[4].data[0], transferBetween(by, 1, 0, 0, 0, 3, 0), 1e-12);
  }
}

TEST(ChunkOps, GramAndRead) {
  Program program(R"(
    func.func @f(%x: tensor<4x3xf64>, %a: tensor<5x3xf64>, %s: tensor<3x2xf64>)
        -> (tensor<4x5xf64>, tensor<4x2xf64>) {
      %0 = qdelta.chunk_gram %x, %a : tensor<4x3xf64>, tensor<5x3xf64> -> tensor<4x5xf64>
      %1 = qdelta.chunk_read %x, %s : tensor<4x3xf64>, tensor<3x2xf64> -> tensor<4x2xf64>
      return %0, %1 : tensor<4x5xf64>, tensor<4x2xf64>
    })");
  Numbers x = numbers({4, 3}, 1), a = numbers({5, 3}, 2),
          s = numbers({3, 2}, 3);
  auto found = program.run<double>({x, a, s});
  ASSERT_EQ(found.size(), 2u);
  expectNear(found[0], product(x, transposed(a)));
  expectNear(found[1], product(x, s));
}

TEST(ChunkOps, Apply) {
  Program program(R"(
    func.func @f(%l: tensor<4x4xf64>, %m: tensor<4x4xf64>, %e: tensor<4x2xf64>, %i: tensor<4x2xf64>)
        -> (tensor<4x2xf64>, tensor<4x2xf64>) {
      %0 = qdelta.chunk_apply %l, %e onto %i : tensor<4x4xf64>, tensor<4x2xf64>
      %1 = qdelta.chunk_apply %m, %e onto %i inclusive : tensor<4x4xf64>, tensor<4x2xf64>
      return %0, %1 : tensor<4x2xf64>, tensor<4x2xf64>
    })");
  Numbers full = numbers({4, 4}, 1), e = numbers({4, 2}, 2),
          init = numbers({4, 2}, 3);
  Numbers strict = lower(full, false), inclusive = lower(full, true);
  auto found = program.run<double>({strict, inclusive, e, init});
  ASSERT_EQ(found.size(), 2u);
  expectNear(found[0], sum(init, product(strict, e)));
  expectNear(found[1], sum(init, product(inclusive, e)));
  EXPECT_NE(program.error({inclusive, inclusive, e, init})
                .find("matrix of 'qdelta.chunk_apply' is not zero at [0, 0]"),
            std::string::npos);
}

TEST(ChunkOps, SolveOfTwoUnknowns) {
  Program program(R"(
    func.func @f(%a: tensor<4x4xf64>, %b: tensor<4x4xf64>, %c: tensor<4x4xf64>, %d: tensor<4x4xf64>,
                 %r: tensor<4x2xf64>, %s: tensor<4x2xf64>) -> (tensor<4x2xf64>, tensor<4x2xf64>) {
      %0, %1 = "qdelta.chunk_solve"(%a, %b, %c, %d, %r, %s) <{operandSegmentSizes = array<i32: 4, 2>}>
        : (tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x2xf64>, tensor<4x2xf64>)
        -> (tensor<4x2xf64>, tensor<4x2xf64>)
      return %0, %1 : tensor<4x2xf64>, tensor<4x2xf64>
    })");
  // Only the block of the earlier write in the later one's row has a diagonal.
  std::vector<Numbers> in;
  for (int i = 0; i < 4; ++i)
    in.push_back(lower(numbers({4, 4}, i), /*inclusive=*/i == 2));
  in.push_back(numbers({4, 2}, 5));
  in.push_back(numbers({4, 2}, 6));
  auto e = program.run(in);
  ASSERT_EQ(e.size(), 2u);
  expectNear(e[0], sum(in[4], sum(product(in[0], e[0]), product(in[1], e[1]))));
  expectNear(e[1], sum(in[5], sum(product(in[2], e[0]), product(in[3], e[1]))));
}

TEST(ChunkOps, InverseIsWhatSolveApplies) {
  Program program(R"(
    func.func @f(%a: tensor<4x4xf64>, %b: tensor<4x4xf64>, %c: tensor<4x4xf64>, %d: tensor<4x4xf64>,
                 %r: tensor<4x2xf64>, %s: tensor<4x2xf64>)
        -> (tensor<4x2xf64>, tensor<4x2xf64>, tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x4xf64>) {
      %0:2 = qdelta.chunk_solve blocks(%a, %b, %c, %d) rhs(%r, %s)
        : (tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x4xf64>), (tensor<4x2xf64>, tensor<4x2xf64>)
        -> tensor<4x2xf64>, tensor<4x2xf64>
      %1:4 = qdelta.chunk_inverse blocks(%a, %b, %c, %d)
        : (tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x4xf64>)
        -> tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x4xf64>
      return %0#0, %0#1, %1#0, %1#1, %1#2, %1#3
        : tensor<4x2xf64>, tensor<4x2xf64>, tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x4xf64>
    })");
  std::vector<Numbers> in;
  for (int i = 0; i < 4; ++i)
    in.push_back(lower(numbers({4, 4}, i), /*inclusive=*/i == 2));
  in.push_back(numbers({4, 2}, 5));
  in.push_back(numbers({4, 2}, 6));
  auto found = program.run(in);
  ASSERT_EQ(found.size(), 6u);
  for (int j = 0; j < 2; ++j) {
    const Numbers &first = found[2 + 2 * j], &second = found[3 + 2 * j];
    expectNear(found[j], sum(product(first, in[4]), product(second, in[5])));
    expectNear(first, lower(first, /*inclusive=*/true));
    expectNear(second, lower(second, /*inclusive=*/j == 1));
    for (int64_t t = 0; t < 4; ++t)
      EXPECT_EQ(at(j == 0 ? first : second, t, t), 1);
  }
  auto exact =
      program.run<Exact>({exactly(in[0]), exactly(in[1]), exactly(in[2]),
                          exactly(in[3]), exactly(in[4]), exactly(in[5])});
  ASSERT_EQ(exact.size(), 6u);
  for (int64_t t = 0; t < 4; ++t)
    for (int64_t v = 0; v < 2; ++v) {
      Exact value(0);
      for (int64_t s = 0; s < 4; ++s)
        value += exact[4].data[t * 4 + s] * exactly(in[4]).data[s * 2 + v] +
                 exact[5].data[t * 4 + s] * exactly(in[5]).data[s * 2 + v];
      EXPECT_TRUE(value == exact[1].data[t * 2 + v]);
    }
  Program one(R"(
    func.func @f(%a: tensor<4x4xf64>) -> tensor<4x4xf64> {
      %0 = qdelta.chunk_inverse blocks(%a) : (tensor<4x4xf64>) -> tensor<4x4xf64>
      return %0 : tensor<4x4xf64>
    })");
  EXPECT_NE(one.error({numbers({4, 4}, 7)})
                .find("matrix of 'qdelta.chunk_inverse' is not zero at [0, 0]"),
            std::string::npos);
}

TEST(ChunkOps, UpdateAndReads) {
  Program program(R"(
    func.func @f(%s: tensor<3x2xf64>, %g: f64, %a: tensor<4x3xf64>, %b: tensor<4x3xf64>,
                 %e: tensor<4x2xf64>, %h: tensor<4x2xf64>, %x: tensor<4x3xf64>)
        -> (tensor<3x2xf64>, tensor<4x2xf64>) {
      %0, %1 = qdelta.chunk_update %s decay %g keys(%a, %b) values(%e, %h) reads(%x)
        : tensor<3x2xf64>, f64 keys(tensor<4x3xf64>, tensor<4x3xf64>) values(tensor<4x2xf64>, tensor<4x2xf64>) reads(tensor<4x3xf64>) -> tensor<3x2xf64>, (tensor<4x2xf64>)
      return %0, %1 : tensor<3x2xf64>, tensor<4x2xf64>
    })");
  Numbers s = numbers({3, 2}, 1), g = numbers({}, 2), a = numbers({4, 3}, 3),
          b = numbers({4, 3}, 4), e = numbers({4, 2}, 5),
          h = numbers({4, 2}, 6), x = numbers({4, 3}, 7);
  auto found = program.run<double>({s, g, a, b, e, h, x});
  ASSERT_EQ(found.size(), 2u);
  Numbers state = sum(sum(product(transposed(a), e), product(transposed(b), h)),
                      s, g.data[0]);
  expectNear(found[0], state);
  expectNear(found[1], product(x, state));
}

TEST(ChunkOps, UpdateWithAnotherState) {
  Program program(R"(
    func.func @f(%s: tensor<3x2xf64>, %g: f64, %m: tensor<3x2xf64>, %c: f64,
                 %a: tensor<4x3xf64>, %e: tensor<4x2xf64>, %x: tensor<4x3xf64>)
        -> (tensor<3x2xf64>, tensor<4x2xf64>) {
      %0, %1 = qdelta.chunk_update %s decay %g with (%m) by (%c) keys(%a) values(%e) reads(%x)
        : tensor<3x2xf64>, f64 with (tensor<3x2xf64>) by (f64) keys(tensor<4x3xf64>) values(tensor<4x2xf64>) reads(tensor<4x3xf64>) -> tensor<3x2xf64>, (tensor<4x2xf64>)
      return %0, %1 : tensor<3x2xf64>, tensor<4x2xf64>
    })");
  Numbers s = numbers({3, 2}, 1), g = numbers({}, 2), m = numbers({3, 2}, 3),
          c = numbers({}, 4), a = numbers({4, 3}, 5), e = numbers({4, 2}, 6),
          x = numbers({4, 3}, 7);
  auto found = program.run<double>({s, g, m, c, a, e, x});
  ASSERT_EQ(found.size(), 2u);
  Numbers state =
      sum(sum(product(transposed(a), e), s, g.data[0]), m, c.data[0]);
  expectNear(found[0], state);
  expectNear(found[1], product(x, state));
}

TEST(ChunkOps, TriangularSolveReadsBelowTheDiagonalOnly) {
  Program program(R"(
    func.func @f(%l: tensor<4x4xf64>, %r: tensor<4x2xf64>) -> tensor<4x2xf64> {
      %0 = qdelta.triangular_solve %l, %r : tensor<4x4xf64>, tensor<4x2xf64>
      return %0 : tensor<4x2xf64>
    })");
  Numbers full = numbers({4, 4}, 1), r = numbers({4, 2}, 2);
  auto x = program.run<double>({full, r});
  ASSERT_EQ(x.size(), 1u);
  expectNear(x[0], sum(r, product(lower(full, false), x[0])));
}

TEST(ChunkOps, TilesAtTheEndOfASequence) {
  Program program(R"(
    func.func @f(%s: tensor<2x5x3x4xf64>, %g: tensor<2x5x3xf64>, %p: tensor<3xf64>)
        -> (tensor<4x2xf64>, tensor<4xf64>, tensor<4xf64>, tensor<2x5x3x4xf64>) {
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      %0 = qdelta.load_tile %s[%c1, %c3, %c2] columns %c1 : tensor<2x5x3x4xf64> -> tensor<4x2xf64>
      %1 = qdelta.load_tile %g[%c1, %c3, %c2] : tensor<2x5x3xf64> -> tensor<4xf64>
      %2 = qdelta.load_tile %p[%c2] : tensor<3xf64> -> tensor<4xf64>
      %3 = qdelta.store_tile %0 into %s[%c1, %c3, %c1] columns %c2 : tensor<4x2xf64>, tensor<2x5x3x4xf64>
      return %0, %1, %2, %3 : tensor<4x2xf64>, tensor<4xf64>, tensor<4xf64>, tensor<2x5x3x4xf64>
    })");
  Numbers s = numbers({2, 5, 3, 4}, 1), g = numbers({2, 5, 3}, 2),
          p = numbers({3}, 3);
  auto position = [](int64_t token, int64_t head) {
    return (5 + token) * 3 + head; // of batch entry 1
  };
  auto found = program.run<double>({s, g, p});
  ASSERT_EQ(found.size(), 4u);
  Numbers tile = matrix(4, 2, [&](int64_t i, int64_t j) {
    return s.data[position(std::min<int64_t>(3 + i, 4), 2) * 4 + 1 + j];
  });
  expectNear(found[0], tile);
  Numbers gates{{4}, {}};
  for (int64_t i = 0; i < 4; ++i)
    gates.data.push_back(g.data[position(std::min<int64_t>(3 + i, 4), 2)]);
  expectNear(found[1], gates);
  expectNear(found[2], Numbers{{4}, std::vector<double>(4, p.data[2])});
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 0; j < 2; ++j)
      s.data[position(3 + i, 1) * 4 + 2 + j] = at(tile, i, j);
  expectNear(found[3], s);
}

TEST(ChunkOps, TilesPastTheLastColumn) {
  Program program(R"(
    func.func @f(%s: tensor<1x3x1x5xbf16>, %p: tensor<2x5xf64>)
        -> (tensor<2x8xf32>, tensor<2x4xf64>, tensor<2x2xf32>, tensor<1x3x1x5xbf16>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      %c9 = arith.constant 9 : index
      %0 = qdelta.load_tile %s[%c0, %c1, %c0] : tensor<1x3x1x5xbf16> -> tensor<2x8xf32>
      %1 = qdelta.load_tile %p[%c1] columns %c3 : tensor<2x5xf64> -> tensor<2x4xf64>
      %2 = qdelta.load_tile %s[%c0, %c1, %c0] columns %c9 : tensor<1x3x1x5xbf16> -> tensor<2x2xf32>
      %3 = qdelta.store_tile %0 into %s[%c0, %c0, %c0] columns %c3 : tensor<2x8xf32>, tensor<1x3x1x5xbf16>
      return %0, %1, %2, %3 : tensor<2x8xf32>, tensor<2x4xf64>, tensor<2x2xf32>, tensor<1x3x1x5xbf16>
    })");
  Numbers s = numbers({1, 3, 1, 5}, 1), p = numbers({2, 5}, 2);
  auto found = program.run<double>({s, p});
  ASSERT_EQ(found.size(), 4u);
  expectNear(found[0], matrix(2, 8, [&](int64_t i, int64_t j) {
               return j < 5 ? s.data[(1 + i) * 5 + j] : 0;
             }));
  expectNear(found[1], matrix(2, 4, [&](int64_t, int64_t j) {
               return j < 2 ? p.data[5 + 3 + j] : 0;
             }));
  expectNear(found[2], matrix(2, 2, [](int64_t, int64_t) { return 0; }));
  Numbers stored = s;
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 3; j < 5; ++j)
      stored.data[i * 5 + j] = s.data[(1 + i) * 5 + j - 3];
  expectNear(found[3], stored);
}

TEST(ChunkOps, TilesOfAState) {
  Program program(R"(
    func.func @f(%s: tensor<2x2x3x5xf64>) -> (tensor<4x4xf64>, tensor<2x2xf64>, tensor<2x2x3x5xf64>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      %0 = qdelta.load_tile %s[%c1, %c0] columns %c3 : tensor<2x2x3x5xf64> -> tensor<4x4xf64>
      %1 = qdelta.load_tile %s[%c0, %c1] : tensor<2x2x3x5xf64> -> tensor<2x2xf64>
      %2 = qdelta.store_tile %0 into %s[%c1, %c1] columns %c1 : tensor<4x4xf64>, tensor<2x2x3x5xf64>
      return %0, %1, %2 : tensor<4x4xf64>, tensor<2x2xf64>, tensor<2x2x3x5xf64>
    })");
  Numbers s = numbers({2, 2, 3, 5}, 1);
  auto position = [](int64_t b, int64_t h, int64_t k, int64_t v) {
    return ((b * 2 + h) * 3 + k) * 5 + v;
  };
  auto found = program.run<double>({s});
  ASSERT_EQ(found.size(), 3u);
  Numbers tile = matrix(4, 4, [&](int64_t k, int64_t v) {
    return k < 3 && v < 2 ? s.data[position(1, 0, k, 3 + v)] : 0;
  });
  expectNear(found[0], tile);
  expectNear(found[1], matrix(2, 2, [&](int64_t k, int64_t v) {
               return s.data[position(0, 1, k, v)];
             }));
  Numbers stored = s;
  for (int64_t k = 0; k < 3; ++k)
    for (int64_t v = 0; v < 4; ++v)
      stored.data[position(1, 1, k, 1 + v)] = at(tile, k, v);
  expectNear(found[2], stored);
}

//===- NonFinite.cpp - NaN and infinity among a chunk's tokens ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "NonFinite.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

/// The largest number that a format has.
static double largestOf(Format format) {
  switch (format) {
  case Format::BF16:
    return 0x1.FEp127;
  case Format::F16:
    return 65504;
  case Format::TF32:
    return 0x1.FFCp127;
  }
  llvm_unreachable("unknown format");
}

static Num absolute(Emitter &e, Num x) {
  return e.num(LLVM::FAbsOp::create(e.b, e.f32Type(), x));
}

static Num compare(Emitter &e, arith::CmpFPredicate predicate, Num x,
                   double y) {
  return e.num(arith::CmpFOp::create(e.b, predicate, x, e.f32(y)));
}

Num qdelta::gpu::isOperand(Emitter &e, Format format, Num value) {
  return compare(e, arith::CmpFPredicate::OLE, absolute(e, value),
                 largestOf(format));
}

// Half an instruction a number: a sum of products of pairs is not finite if one
// of them is not. What is too large for f16 is found by the greatest.
Num qdelta::gpu::anyNonFinite(Kernel &kernel, ArrayRef<Num> values) {
  Emitter &e = kernel.e;
  Format format = kernel.plan.format;
  // By turns, so that one does not wait for the other.
  Num found[2] = {e.f32(0), e.f32(0)};
  for (size_t i = 0; i < values.size(); i += 2) {
    Num &sum = found[i / 2 % 2];
    sum = format == Format::F16
              ? e.maximum(sum, e.maximum(absolute(e, values[i]),
                                         absolute(e, values[i + 1])))
              : e.fma(values[i], values[i + 1], sum);
  }
  Num all = format == Format::F16 ? e.maximum(found[0], found[1])
                                  : found[0] + found[1];
  return e.anyOfWarp(compare(e, arith::CmpFPredicate::UGT, absolute(e, all),
                             largestOf(format)));
}

/// Elements of a packed operand, in the order of a fragment.
static Fragment unpack(Emitter &e, Format format, ArrayRef<Num> packed) {
  Fragment values;
  for (Num word : packed) {
    if (format == Format::TF32) {
      values.push_back(e.bitcast(word, e.f32Type()));
      continue;
    }
    values.push_back(e.unpackLow(format, word));
    values.push_back(e.unpackHigh(format, word));
  }
  return values;
}

static Fragment pack(Emitter &e, Format format, ArrayRef<Num> values) {
  Fragment packed;
  if (format == Format::TF32)
    for (Num value : values)
      packed.push_back(e.bitcast(value, e.i32Type()));
  else
    for (size_t i = 0; i < values.size(); i += 2)
      packed.push_back(e.pack(format, values[i], values[i + 1]));
  return packed;
}

/// Tokens 8 j + i that a thread has at its place in fragments, without the 2 q
/// of its quad.
static int64_t tokenAt(size_t element) {
  return static_cast<int64_t>(element / 4 * 8 + element % 2);
}

void qdelta::gpu::keepTokensApart(Kernel &kernel, Num isNeeded, Fragment &sum,
                                  Fragment &packed, bool inclusive) {
  Emitter &e = kernel.e;
  Format format = kernel.plan.format;
  size_t operands = packed.size();
  auto apart = [&] {
    Lane x = kernel.lane(/*gramRole=*/false);
    Fragment values = unpack(e, format, packed), all;
    // The first in each of the two rows, then in the four threads of a row.
    Num first[2] = {e.i32(kernel.plan.chunk), e.i32(kernel.plan.chunk)};
    for (size_t n = values.size(); n-- > 0;) {
      Num isFine = isOperand(e, format, values[n]);
      Num &known = first[n / 2 % 2];
      known = e.select(isFine, known, x.quad * 2 + tokenAt(n));
      values[n] = e.select(isFine, values[n], e.f32(0));
    }
    for (Num &token : first)
      for (int64_t lane = 1; lane < 4; lane *= 2) {
        Num other = e.bitcast(e.shuffleXor(e.bitcast(token, e.f32Type()), lane),
                              e.i32Type());
        token = e.select(token < other, token, other);
      }
    all = pack(e, format, values);
    for (size_t n = 0; n < sum.size(); ++n) {
      Num token = x.quad * 2 + (tokenAt(n) + (inclusive ? 0 : -1));
      all.push_back(e.select(token < first[n / 2 % 2], sum[n],
                             e.f32(std::numeric_limits<double>::quiet_NaN())));
    }
    return all;
  };
  Fragment all = e.branch(isNeeded, apart, [&] {
    Fragment same = packed;
    same.append(sum);
    return same;
  });
  packed.assign(all.begin(), all.begin() + operands);
  sum.assign(all.begin() + operands, all.end());
}

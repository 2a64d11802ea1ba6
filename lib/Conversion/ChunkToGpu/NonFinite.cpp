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

/// The numbers that a register of a packed operand holds.
static Fragment unpack(Emitter &e, Format format, Num word) {
  if (format == Format::TF32)
    return {e.bitcast(word, e.f32Type())};
  return {e.unpackLow(format, word), e.unpackHigh(format, word)};
}

static Num pack(Emitter &e, Format format, ArrayRef<Num> values) {
  return format == Format::TF32 ? e.bitcast(values[0], e.i32Type())
                                : e.pack(format, values[0], values[1]);
}

/// Tokens 8 j + i that a thread has at its place in fragments, without the 2 q
/// of its quad.
static int64_t tokenAt(size_t element) {
  return static_cast<int64_t>(element / 4 * 8 + element % 2);
}

/// Finds the first tokens in each row, then in the four threads of a row.
void TokenOperand::clear(Kernel &kernel) {
  Emitter &e = kernel.e;
  Format format = kernel.plan.format;
  Lane x = kernel.lane(/*gramRole=*/false);
  first.assign(2, e.i32(kernel.plan.chunk));
  for (size_t word = packed.size(); word-- > 0;) {
    Fragment values = unpack(e, format, packed[word]);
    for (size_t i = values.size(); i-- > 0;) {
      size_t n = word * values.size() + i;
      Num isFine = isOperand(e, format, values[i]), &known = first[n / 2 % 2];
      known = e.select(isFine, known, x.quad * 2 + tokenAt(n));
      values[i] = e.select(isFine, values[i], e.f32(0));
    }
    packed[word] = pack(e, format, values);
  }
  for (Num &token : first)
    for (int64_t lane = 1; lane < 4; lane *= 2) {
      Num other = e.bitcast(e.shuffleXor(e.bitcast(token, e.f32Type()), lane),
                            e.i32Type());
      token = e.select(token < other, token, other);
    }
}

Fragment TokenOperand::poison(Kernel &kernel, const Fragment &sum,
                              bool inclusive) const {
  Emitter &e = kernel.e;
  Lane x = kernel.lane(/*gramRole=*/false);
  Num nan = e.f32(std::numeric_limits<double>::quiet_NaN());
  Fragment result;
  for (size_t n = 0; n < sum.size(); ++n) {
    Num token = x.quad * 2 + (tokenAt(n) + (inclusive ? 0 : -1));
    result.push_back(e.select(token < first[n / 2 % 2], sum[n], nan));
  }
  return result;
}

ArrayRef<Num> TokenOperand::prepare(Kernel &kernel, Fragment &sum,
                                    bool inclusive) {
  Emitter &e = kernel.e;
  if (!first.empty()) {
    sum = e.branch(
        hasNonFinite, [&] { return poison(kernel, sum, inclusive); },
        [&] { return sum; });
    return packed;
  }
  Fragment same = packed;
  same.append(2, e.i32(kernel.plan.chunk));
  same.append(sum);
  Fragment all = e.branch(
      hasNonFinite,
      [&] {
        clear(kernel);
        Fragment made = packed;
        made.append(first);
        made.append(poison(kernel, sum, inclusive));
        return made;
      },
      [&] { return same; });
  ArrayRef<Num> rest(all);
  packed.assign(rest.take_front(packed.size()));
  rest = rest.drop_front(packed.size());
  first.assign(rest.take_front(2));
  sum.assign(rest.drop_front(2));
  return packed;
}

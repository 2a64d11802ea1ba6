//===- Scalar.cpp - arithmetic that LLVM has intrinsics for ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Approximations are computed to the accuracy of the C library, so a kernel's
// results differ from a GPU's by the error that the PTX manual allows.
//
//===----------------------------------------------------------------------===//

#include "NumberFormats.h"
#include "Operation.h"

#include <cmath>
#include <limits>

using namespace qdelta::emulator;

namespace {
float flush(float x) {
  return std::fabs(x) < std::numeric_limits<float>::min()
             ? std::copysign(0.0f, x)
             : x;
}

/// A function of up to three floats; `op.flag` flushes denormals.
template <float (*function)(float, float, float)>
void runFloat(Context *, const Operation *op, uint64_t *a, uint64_t *results) {
  float x = asFloat(a[0]);
  float y = op->numArguments > 1 ? asFloat(a[1]) : 0;
  float z = op->numArguments > 2 ? asFloat(a[2]) : 0;
  if (op->flag) {
    x = flush(x);
    y = flush(y);
    z = flush(z);
  }
  float result = function(x, y, z);
  results[0] = asBits(op->flag ? flush(result) : result);
}

float ex2(float x, float, float) { return std::exp2(x); }
float lg2(float x, float, float) { return std::log2(x); }
float rcp(float x, float, float) { return 1 / x; }
float root(float x, float, float) { return std::sqrt(x); }
float rsqrt(float x, float, float) {
  return static_cast<float>(1 / std::sqrt(static_cast<double>(x)));
}
float sine(float x, float, float) { return std::sin(x); }
float cosine(float x, float, float) { return std::cos(x); }
float hyperbolicTangent(float x, float, float) { return std::tanh(x); }
float multiplyAdd(float x, float y, float z) { return std::fma(x, y, z); }
float multiply(float x, float y, float) { return x * y; }
float add(float x, float y, float) { return x + y; }
float divide(float x, float y, float) { return x / y; }
float smaller(float x, float y, float) { return std::fmin(x, y); }
float larger(float x, float y, float) { return std::fmax(x, y); }
float absolute(float x, float, float) { return std::fabs(x); }
float saturate(float x, float, float) {
  return std::fmin(std::fmax(x, 0.0f), 1.0f);
}
float roundDown(float x, float, float) { return std::floor(x); }
float roundUp(float x, float, float) { return std::ceil(x); }

struct FloatFunction {
  const char *name;
  Handler handler;
};

/// Names without ".ftz" and without the type.
const FloatFunction floatFunctions[] = {
    {"ex2.approx", runFloat<ex2>},
    {"lg2.approx", runFloat<lg2>},
    {"rcp.approx", runFloat<rcp>},
    {"rcp.rn", runFloat<rcp>},
    {"sqrt.approx", runFloat<root>},
    {"sqrt.rn", runFloat<root>},
    {"sqrt", runFloat<root>},
    {"rsqrt.approx", runFloat<rsqrt>},
    {"sin.approx", runFloat<sine>},
    {"cos.approx", runFloat<cosine>},
    {"tanh.approx", runFloat<hyperbolicTangent>},
    {"fma.rn", runFloat<multiplyAdd>},
    {"mul.rn", runFloat<multiply>},
    {"add.rn", runFloat<add>},
    {"div.approx", runFloat<divide>},
    {"div.full", runFloat<divide>},
    {"div.rn", runFloat<divide>},
    {"fmin", runFloat<smaller>},
    {"fmax", runFloat<larger>},
    {"fabs", runFloat<absolute>},
    {"saturate", runFloat<saturate>},
    {"floor", runFloat<roundDown>},
    {"ceil", runFloat<roundUp>},
};

bool bindFloat(Operation &op) {
  std::string name = op.name;
  for (std::string_view type : {".f32", ".f"})
    if (name.ends_with(type)) {
      name.resize(name.size() - type.size());
      break;
    }
  if (name.ends_with(".ftz")) {
    name.resize(name.size() - 4);
    op.flag = true;
  }
  for (const FloatFunction &function : floatFunctions)
    if (name == function.name) {
      op.handler = function.handler;
      return true;
    }
  return false;
}

/// a, b, selector.
void runPermute(Context *, const Operation *, uint64_t *a, uint64_t *results) {
  uint64_t bytes = (a[0] & 0xffffffff) | a[1] << 32;
  uint32_t result = 0;
  for (uint32_t i = 0; i < 4; ++i) {
    uint32_t selector = a[2] >> (4 * i) & 15;
    uint32_t byte = bytes >> (8 * (selector & 7)) & 0xff;
    if (selector & 8)
      byte = byte & 0x80 ? 0xff : 0;
    result |= byte << (8 * i);
  }
  results[0] = result;
}

float relu(const Operation *op, uint64_t bits) {
  float x = asFloat(bits);
  return op->flag && x < 0 ? 0 : x;
}

/// The first argument becomes the upper half.
void runPackBF16(Context *, const Operation *op, uint64_t *a, uint64_t *r) {
  r[0] = uint32_t(toBF16(relu(op, a[0]))) << 16 | toBF16(relu(op, a[1]));
}
void runPackF16(Context *, const Operation *op, uint64_t *a, uint64_t *r) {
  r[0] = uint32_t(toF16(relu(op, a[0]))) << 16 | toF16(relu(op, a[1]));
}
void runToBF16(Context *, const Operation *op, uint64_t *a, uint64_t *r) {
  r[0] = toBF16(relu(op, a[0]));
}
void runToF16(Context *, const Operation *op, uint64_t *a, uint64_t *r) {
  r[0] = toF16(relu(op, a[0]));
}

/// Rounds to 10 fraction bits: `op.variant` 0 ties away from zero, 1 ties to
/// even, 2 towards zero. Infinities and NaN keep their upper bits.
void runToTF32(Context *, const Operation *op, uint64_t *a, uint64_t *r) {
  uint32_t bits = asBits(relu(op, a[0]));
  bool finite = (bits & 0x7f800000) != 0x7f800000;
  if (finite && op->variant == 0)
    bits += 0x1000;
  else if (finite && op->variant == 1)
    bits += 0xfff + (bits >> 13 & 1);
  r[0] = bits & 0xffffe000;
}

bool bindConversion(Operation &op) {
  std::string name = op.name;
  if (name.ends_with(".relu")) {
    name.resize(name.size() - 5);
    op.flag = true;
  }
  if (name == "ff2bf16x2.rn")
    op.handler = runPackBF16;
  else if (name == "ff2f16x2.rn")
    op.handler = runPackF16;
  else if (name == "f2bf16.rn")
    op.handler = runToBF16;
  else if (name == "f2f16.rn")
    op.handler = runToF16;
  else if (name == "f2tf32.rna" || name == "f2tf32.rn" || name == "f2tf32.rz") {
    op.handler = runToTF32;
    op.variant = name.ends_with("a") ? 0 : name.ends_with("n") ? 1 : 2;
  }
  return op.handler != nullptr;
}
} // namespace

bool qdelta::emulator::bindScalar(Operation &op) {
  if (op.name == "prmt" || op.name == "prmt.b32") {
    op.handler = runPermute;
    return true;
  }
  return bindConversion(op) || bindFloat(op);
}

//===- Mma.cpp - mma.sync --------------------------------------------------==//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "NumberFormats.h"
#include "Products.h"
#include "WarpMeeting.h"

using namespace qdelta::emulator;

namespace {
constexpr uint32_t kM = 16, kN = 8, kMaxK = 16;

/// Element `i` of the 16-bit pair in `bits`.
float half(MatrixType type, uint64_t bits, uint32_t i) {
  uint16_t value = bits >> (16 * i);
  return type == MatrixType::BF16 ? fromBF16(value) : fromF16(value);
}

/// Where register `i` of A (and the columns of B, with m = 0) lies: rows g and
/// g + 8 take turns, then the next columns follow. g = lane/4, q = lane%4.
void readA(const Thread &thread, MatrixType type, uint32_t k, float *a) {
  uint32_t g = thread.lane / 4, q = thread.lane % 4;
  if (type == MatrixType::TF32) {
    for (uint32_t i = 0; i < k / 2; ++i)
      a[(g + 8 * (i & 1)) * k + q + 4 * (i >> 1)] =
          readTF32(thread.arguments[i]);
    return;
  }
  for (uint32_t i = 0; i < k / 4; ++i)
    for (uint32_t h = 0; h < 2; ++h)
      a[(g + 8 * (i & 1)) * k + 2 * q + h + 8 * (i >> 1)] =
          half(type, thread.arguments[i], h);
}

void readB(const Thread &thread, MatrixType type, const uint64_t *registers,
           uint32_t k, float *b) {
  uint32_t g = thread.lane / 4, q = thread.lane % 4;
  if (type == MatrixType::TF32) {
    for (uint32_t i = 0; i < k / 4; ++i)
      b[(q + 4 * i) * kN + g] = readTF32(registers[i]);
    return;
  }
  for (uint32_t i = 0; i < k / 8; ++i)
    for (uint32_t h = 0; h < 2; ++h)
      b[(2 * q + h + 8 * i) * kN + g] = half(type, registers[i], h);
}

/// Arguments: A, B, four accumulators. `op.size` is k, `op.variant` the type.
void finishMma(Warp &warp, uint32_t lanes, const Operation &op) {
  float a[kM * kMaxK], b[kMaxK * kN], d[kM * kN];
  auto type = static_cast<MatrixType>(op.variant);
  uint32_t k = op.size, registersA = type == MatrixType::TF32 ? k / 2 : k / 4;
  uint32_t registersB = registersA / 2;
  auto element = [](const Thread &thread, uint32_t i) {
    return (thread.lane / 4 + 8 * (i >> 1)) * kN + 2 * (thread.lane % 4) +
           (i & 1);
  };
  forLanes(warp, lanes, [&](Thread &thread) {
    const uint64_t *registers = thread.arguments + registersA;
    readA(thread, type, k, a);
    readB(thread, type, registers, k, b);
    for (uint32_t i = 0; i < 4; ++i)
      d[element(thread, i)] = asFloat(registers[registersB + i]);
  });
  multiplyInto(d, a, b, kM, k, kN);
  forLanes(warp, lanes, [&](Thread &thread) {
    for (uint32_t i = 0; i < 4; ++i)
      thread.results[i] = asBits(d[element(thread, i)]);
  });
}

void runMma(Context *context, const Operation *op, uint64_t *a, uint64_t *r) {
  Thread &thread = threadOf(context);
  if (thread.lane == 0)
    ++thread.block->counts.mma;
  meetAligned(thread, *op, a, r, Meeting::Mma, finishMma);
}
} // namespace

// mma.m16n8k{8,16}.row.col.{bf16,f32.f32}, mma.m16n8k{4,8}.row.col.tf32; the
// f16 form is named after its accumulators
bool qdelta::emulator::bindMma(Operation &op) {
  std::string_view name = op.name;
  auto is = [&](std::string_view other, uint32_t k, MatrixType type) {
    if (name != other)
      return false;
    op.handler = runMma;
    op.size = k;
    op.variant = static_cast<int32_t>(type);
    return true;
  };
  return is("mma.m16n8k16.row.col.bf16", 16, MatrixType::BF16) ||
         is("mma.m16n8k8.row.col.bf16", 8, MatrixType::BF16) ||
         is("mma.m16n8k16.row.col.f32.f32", 16, MatrixType::F16) ||
         is("mma.m16n8k8.row.col.f32.f32", 8, MatrixType::F16) ||
         is("mma.m16n8k8.row.col.tf32", 8, MatrixType::TF32) ||
         is("mma.m16n8k4.row.col.tf32", 4, MatrixType::TF32);
}

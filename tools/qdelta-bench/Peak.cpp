//===- Peak.cpp - the machine's f32 peak, by running FMAs ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Peak.h"

#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static constexpr long rounds = 600000;

static double now() {
  auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(time).count();
}

/// Flop per second of `chains` chains of `lanes` lanes that began at `start`.
static double rate(int chains, int lanes, double start) {
  return 2.0 * chains * lanes * rounds / (now() - start);
}

#if defined(__x86_64__)
// 16 chains hide a latency of up to 8 cycles at two FMAs a cycle; AVX2 has 16
// registers in all, two of which hold the constants.
__attribute__((target("avx512f"))) static double peakOfAvx512() {
  __m512 sums[16], factor = _mm512_set1_ps(0.999f),
                   addend = _mm512_set1_ps(1e-6f);
  for (__m512 &sum : sums)
    sum = addend;
  double start = now();
  for (long round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; ++i)
      asm volatile("vfmadd213ps %2, %1, %0"
                   : "+v"(sums[i])
                   : "v"(factor), "v"(addend));
  }
  return rate(16, 16, start);
}

__attribute__((target("avx2,fma"))) static double peakOfAvx2() {
  __m256 sums[12], factor = _mm256_set1_ps(0.999f),
                   addend = _mm256_set1_ps(1e-6f);
  for (__m256 &sum : sums)
    sum = addend;
  double start = now();
  for (long round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 12; ++i)
      asm volatile("vfmadd213ps %2, %1, %0"
                   : "+x"(sums[i])
                   : "x"(factor), "x"(addend));
  }
  return rate(12, 8, start);
}
#endif

/// Multiply, then add, in registers that every machine has.
static double peakOfAny() {
  using Vector = float __attribute__((vector_size(16)));
  Vector sums[8] = {}, factor = {0.999f, 0.999f, 0.999f, 0.999f};
  double start = now();
  for (long round = 0; round < rounds; ++round)
    for (Vector &sum : sums)
      sum = sum * factor + factor;
  double result = rate(8, 4, start);
  volatile float used = 0;
  for (Vector &sum : sums)
    used = used + sum[0];
  return result;
}

double qdelta::tools::measurePeak() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    return peakOfAvx512();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return peakOfAvx2();
#endif
  return peakOfAny();
}

//===- DeviceKernel.h - what a GPU kernel and its launch agree on -*- C++
//-*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// A device kernel has the arguments of the CPU kernel of the same name: tokens,
// parameters, initial states, outputs, final states.
//
// Grid. (B * HV * blocks, 1, 1) CTAs with blocks = ceil(V / columns); the CTA's
// index is ((b * HV) + h) * blocks + block. V is the last size of the first
// output of rank 4, or else of the first state of rank 4; a kernel with neither
// has one block. A CTA has `threads` threads and `shared_bytes` bytes of
// dynamic shared memory. Nothing is launched when the grid is empty or T is 0.
//
// Steps. What one kernel cannot do is several, launched one after the other in
// one stream. Each has tensors of its own in place of the arguments: some of
// the kernel's, and workspaces, which are row-major and aligned to 256 bytes.
// Its grid has (B * HV * runs * blocks, 1, 1) CTAs with runs = ceil(T /
// tokens), or 1 for `tokens` = 0; the CTA's index is
// (((b * HV) + h) * runs + run) * blocks + block.
//
// Levels. If the first tensor that a step writes has HV L heads, HV L stands in
// place of HV, and tensors [B, T, HV, L] are seen as [B, T, HV L]: those of
// level l of head h are the ones of head h L + l.
//
// Alignment. Addresses and strides of tokens, outputs and states of rank 4 are
// multiples of the largest of 16, 8 and 4 bytes that divides a row, or of an
// element.
//
// Parameters. Parameter 0 is one struct by value, of 64-bit integers: an
// ArgumentWords for every argument in order, then T, HV and B. After it follow
// the kernel's tensor maps, 128 bytes each, aligned to 64, by value.
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_RUNTIME_DEVICEKERNEL_H
#define QDELTA_RUNTIME_DEVICEKERNEL_H

#include <cstdint>

namespace qdelta::runtime {

/// One argument in parameter 0.
struct ArgumentWords {
  /// Address of element 0; 0 may stand for an empty tensor.
  int64_t pointer;
  /// In elements, of dimensions 0, 1 and 2; 0 for a dimension that is not
  /// there. Those of dimensions of size 1 or less are as for row-major order.
  /// The last dimension of every argument is contiguous.
  int64_t strides[3];
  /// The size of its head dimension: of dimension 2 of tokens and outputs, 0 of
  /// parameters, 1 of states; 1 for cu_seqlens. Value head h reads head h / (HV
  /// / heads).
  int64_t heads;
};

constexpr int32_t kArgumentWords = sizeof(ArgumentWords) / sizeof(int64_t);
/// T, HV and B.
constexpr int32_t kSizeWords = 3;

/// Bytes of parameter 0 of a kernel with so many arguments.
constexpr int64_t argumentBlockBytes(int64_t numArguments) {
  return (numArguments * kArgumentWords + kSizeWords) *
         static_cast<int64_t>(sizeof(int64_t));
}

constexpr int64_t kTensorMapBytes = 128;
constexpr int64_t kTensorMapAlignment = 64;

} // namespace qdelta::runtime

#endif // QDELTA_RUNTIME_DEVICEKERNEL_H

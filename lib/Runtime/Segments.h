//===- Segments.h - launches that split their sequences ---------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_SEGMENTS_H
#define QDELTA_LIB_RUNTIME_SEGMENTS_H

#include "Module.h"
#include "TensorView.h"

namespace qdelta::runtime {

/// A kernel's arguments of one role, in order.
std::vector<const qdeltaArgument *> argumentsOf(const qdeltaKernel &kernel,
                                                qdeltaRole role);

/// Finds the kernels that a kernel with segments takes, by the names that its
/// image gives, and checks that they fit it.
qdeltaStatus *linkSegments(qdeltaKernel &kernel,
                           const std::vector<qdeltaKernel> &kernels,
                           const qdeltaKernelImage &image);

/// The first token of each segment of a sequence, and its end. Empty if the
/// sequence is not split: with no segments, or fewer tokens than it takes for
/// each to have some.
std::vector<int64_t> segmentStarts(const qdeltaKernel &kernel, int64_t tokens);

/// Runs `kernel` on checked tensors, segment by segment.
void runSegments(const qdeltaKernel &kernel,
                 const std::vector<TensorView> &views, int64_t items,
                 const std::vector<int64_t> &starts, int32_t threads);

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_SEGMENTS_H

//===- TensorView.h - a tensor checked against its argument ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_TENSORVIEW_H
#define QDELTA_LIB_RUNTIME_TENSORVIEW_H

#include "qdelta-c/Runtime.h"

#include <string>

namespace qdelta::runtime {

/// Where a checked tensor's elements are. Strides are in elements; those of
/// dimensions of size 1 or less are as for row-major order.
struct TensorView {
  const qdeltaArgument *argument = nullptr;
  char *data = nullptr;
  int64_t sizes[4] = {};
  int64_t strides[4] = {};
  /// Bytes from the lowest element to past the highest; equal when empty.
  uintptr_t low = 0, high = 0;

  int32_t rank() const { return argument->rank; }
  int64_t elementBytes() const { return argument->dtype.bits / 8; }
  bool isEmpty() const { return low == high; }
};

/// Checks all that concerns one tensor alone, for a launch on `engine`, and
/// fills `view`.
qdeltaStatus *viewTensor(const qdeltaArgument &argument, const DLTensor *tensor,
                         qdeltaEngine engine, TensorView &view);

/// Whether kernels of this runtime may have arguments of this element type.
bool isKnownType(DLDataType type);

/// Whether it is int32, of which indices are.
bool isIndexType(DLDataType type);

/// Whether the views may share an element: false is certain, true may be wrong
/// for views that interleave without a common period.
bool mayOverlap(const TensorView &a, const TensorView &b);

/// Whether two of the view's own elements may be one.
bool mayOverlapItself(const TensorView &view);

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_TENSORVIEW_H

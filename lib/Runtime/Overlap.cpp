//===- Overlap.cpp - whether two strided views may share an element ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "TensorView.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

using namespace qdelta::runtime;

/// Addresses modulo `period`: where they begin and how many bytes they span,
/// when dimensions that step by multiples of the period are folded away.
static std::pair<uintptr_t, uintptr_t> fold(const TensorView &view,
                                            uintptr_t period) {
  auto element = static_cast<uintptr_t>(view.elementBytes());
  uintptr_t span = element;
  for (int32_t d = 0; d < view.rank(); ++d) {
    uintptr_t step =
        static_cast<uintptr_t>(std::abs(view.strides[d])) * element;
    if (view.sizes[d] > 1 && step % period)
      span += static_cast<uintptr_t>(view.sizes[d] - 1) * step;
  }
  return {view.low % period, span};
}

/// Whether the views, folded at `period`, are apart: two fields of one record.
static bool apart(const TensorView &a, const TensorView &b, uintptr_t period) {
  auto [startA, spanA] = fold(a, period);
  auto [startB, spanB] = fold(b, period);
  uintptr_t distance = (startB + period - startA) % period;
  return spanA <= distance && spanB <= period - distance;
}

bool qdelta::runtime::mayOverlap(const TensorView &a, const TensorView &b) {
  if (a.isEmpty() || b.isEmpty() || a.high <= b.low || b.high <= a.low)
    return false;
  for (const TensorView *view : {&a, &b})
    for (int32_t d = 0; d < view->rank(); ++d) {
      int64_t stride = std::abs(view->strides[d]);
      if (view->sizes[d] > 1 && stride != 0 &&
          apart(a, b, static_cast<uintptr_t>(stride * view->elementBytes())))
        return false;
    }
  return true;
}

bool qdelta::runtime::mayOverlapItself(const TensorView &view) {
  if (view.isEmpty())
    return false;
  std::pair<int64_t, int64_t> dims[4];
  int32_t count = 0;
  for (int32_t d = 0; d < view.rank(); ++d)
    if (view.sizes[d] > 1)
      dims[count++] = {std::abs(view.strides[d]), view.sizes[d]};
  std::sort(dims, dims + count);
  int64_t span = 1;
  for (int32_t i = 0; i < count; ++i) {
    auto [stride, size] = dims[i];
    if (stride < span)
      return true;
    span += (size - 1) * stride;
  }
  return false;
}

//===- Descriptor.h - a tensor as CPU kernels take it -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_DESCRIPTOR_H
#define QDELTA_LIB_RUNTIME_DESCRIPTOR_H

#include "TensorView.h"

#include <algorithm>

namespace qdelta::runtime {

/// MLIR's strided memref descriptor, of rank at most 4: after the offset the
/// sizes, then as many strides.
struct Descriptor {
  void *base, *aligned;
  int64_t offset;
  int64_t sizesAndStrides[8];
};

inline Descriptor describeTensor(char *data, int32_t rank, const int64_t *sizes,
                                 const int64_t *strides) {
  Descriptor descriptor = {data, data, 0, {}};
  std::copy_n(sizes, rank, descriptor.sizesAndStrides);
  std::copy_n(strides, rank, descriptor.sizesAndStrides + rank);
  return descriptor;
}

inline Descriptor describeTensor(const TensorView &view) {
  return describeTensor(view.data, view.rank(), view.sizes, view.strides);
}

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_DESCRIPTOR_H

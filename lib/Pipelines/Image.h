//===- Image.h - what an image says of its kernels --------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_PIPELINES_IMAGE_H
#define QDELTA_PIPELINES_IMAGE_H

#include "qdelta-c/Runtime.h"

#include "mlir/IR/Operation.h"

#include <deque>
#include <string>
#include <vector>

namespace qdelta {

/// Owns the strings and arrays of a qdeltaImage.
class ImageBuilder {
public:
  /// Adds the kernel of entry function `func`, in any phase from buffers on,
  /// whose code starts at `entry`.
  void addKernel(mlir::Operation *func, qdeltaEntry entry);

  /// The image of all kernels added; valid while this object lives unchanged.
  const qdeltaImage &finish();

private:
  std::deque<std::string> names;
  std::deque<std::vector<qdeltaArgument>> arguments;
  std::vector<qdeltaKernelImage> kernels;
  qdeltaImage image{};
};

} // namespace qdelta

#endif // QDELTA_PIPELINES_IMAGE_H

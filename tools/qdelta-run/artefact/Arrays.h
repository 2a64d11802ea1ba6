//===- Arrays.h - tensors, without LLVM ------------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_RUN_ARTEFACT_ARRAYS_H
#define QDELTA_TOOLS_RUN_ARTEFACT_ARRAYS_H

#include "qdelta-c/dlpack.h"

#include <string>
#include <vector>

namespace qdelta::artefact {

/// A row-major tensor that owns its elements, as they are stored.
struct Array {
  DLDataType dtype = {kDLFloat, 32, 1};
  std::vector<int64_t> shape;
  std::vector<char> bytes;

  /// Makes room for the shape; false if that is 2^40 bytes or more.
  bool allocate();
  int64_t size() const;
  double get(int64_t index) const;
  void set(int64_t index, double value);
};

/// Reads a .npy file of the array's shape and element type: '<f8', '<f4',
/// '<f2', or '<V2' or '<u2' for bfloat16. Returns what is wrong, "" for
/// nothing.
std::string readNpy(const std::string &path, Array &array);

/// Writes one; returns what is wrong.
std::string writeNpy(const std::string &path, const Array &array);

/// `[1, 64, 2, 32]`.
std::string formatShape(const std::vector<int64_t> &shape);

} // namespace qdelta::artefact

#endif // QDELTA_TOOLS_RUN_ARTEFACT_ARRAYS_H

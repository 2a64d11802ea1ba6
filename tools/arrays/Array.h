//===- Array.h - a tensor of numbers, without LLVM -------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_ARRAYS_ARRAY_H
#define QDELTA_TOOLS_ARRAYS_ARRAY_H

#include "arrays/Elements.h"

#include <optional>
#include <string>
#include <vector>

namespace qdelta::tools {

/// A row-major tensor of numbers, which are rounded to the format where they
/// are stored: in a file, or for a launch.
struct Array {
  Format format = Format::F32;
  std::vector<int64_t> shape;
  std::vector<double> data;
};

/// The number of elements, if their bytes are less than 2^63.
std::optional<size_t> countElements(const std::vector<int64_t> &shape);

/// `[1, 64, 2, 32]`.
std::string formatShape(const std::vector<int64_t> &shape);

/// Reads the bytes of a .npy file, format 1 to 3, in C order and of elements of
/// the array's format: for F32 float32 or float64 (rounded), for F64 either,
/// for F16 float16, and for BF16, which NumPy has no name for, two raw bytes
/// (as ml_dtypes saves it) or uint16, all little-endian. Returns what is wrong,
/// beginning with `name`, or "" for nothing; no bytes can make it crash.
std::string parseNpy(std::string_view bytes, const std::string &name,
                     Array &array);

/// The bytes of a .npy file, format 1: '<f8', '<f4', '<f2', or '<V2' for BF16.
std::string formatNpy(const Array &array);

/// The same for files; return what is wrong, "" for nothing.
std::string readNpy(const std::string &path, Array &array);
std::string writeNpy(const std::string &path, const Array &array);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_ARRAYS_ARRAY_H

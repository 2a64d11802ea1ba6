//===- Npy.h - arrays in NumPy's .npy files --------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_NPY_H
#define QDELTA_TOOLS_DATA_NPY_H

#include "data/Elements.h"
#include "qdelta/Reference/Evaluate.h"

#include "llvm/ADT/StringRef.h"

namespace qdelta::tools {

/// Numbers of any format, each of which a double holds exactly.
using FloatTensor = reference::Tensor<double>;

/// Reads the bytes of a .npy file, format 1 to 3, in C order and of elements of
/// `format`: for F32 float32 or float64 (rounded), for F64 either, for F16
/// float16, and for BF16, which NumPy has no name for, two raw bytes (as
/// ml_dtypes saves it) or uint16, all little-endian. Anything else is an error
/// that begins with `name`; no bytes can make it crash.
llvm::Expected<FloatTensor> parseNpy(llvm::StringRef bytes,
                                     llvm::StringRef name,
                                     Format format = Format::F32);

/// The bytes of a .npy file, format 1, of `tensor` rounded to `format`: '<f8',
/// '<f4', '<f2', or '<V2' for BF16.
std::string formatNpy(const FloatTensor &tensor, Format format = Format::F32);

llvm::Expected<FloatTensor> readNpy(llvm::StringRef path, Format format);
llvm::Error writeNpy(llvm::StringRef path, const FloatTensor &tensor,
                     Format format);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_DATA_NPY_H

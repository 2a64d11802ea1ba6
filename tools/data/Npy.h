//===- Npy.h - arrays in NumPy's .npy files --------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_NPY_H
#define QDELTA_TOOLS_DATA_NPY_H

#include "qdelta/Reference/Evaluate.h"

#include "llvm/ADT/StringRef.h"

namespace qdelta::tools {

using FloatTensor = reference::Tensor<float>;

/// Reads the bytes of a .npy file, format 1 to 3, of little-endian float32 or
/// float64 (rounded) in C order. Anything else is an error that begins with
/// `name`; no bytes can make it crash.
llvm::Expected<FloatTensor> parseNpy(llvm::StringRef bytes,
                                     llvm::StringRef name);

/// The bytes of a .npy file, format 1, of float32.
std::string formatNpy(const FloatTensor &tensor);

llvm::Expected<FloatTensor> readNpy(llvm::StringRef path);
llvm::Error writeNpy(llvm::StringRef path, const FloatTensor &tensor);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_DATA_NPY_H

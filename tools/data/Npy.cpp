//===- Npy.cpp - the interpreter's tensors in .npy files -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Npy.h"
#include "arrays/Array.h"
#include "data/Failure.h"

using namespace qdelta::tools;
using llvm::StringRef;

static llvm::Expected<FloatTensor> take(const std::string &problem,
                                        Array &array) {
  if (!problem.empty())
    return userError(problem);
  return FloatTensor{std::move(array.shape), std::move(array.data)};
}

llvm::Expected<FloatTensor>
qdelta::tools::parseNpy(StringRef bytes, StringRef name, Format format) {
  Array array{format, {}, {}};
  return take(parseNpy(std::string_view(bytes), name.str(), array), array);
}

llvm::Expected<FloatTensor> qdelta::tools::readNpy(StringRef path,
                                                   Format format) {
  Array array{format, {}, {}};
  return take(readNpy(path.str(), array), array);
}

std::string qdelta::tools::formatNpy(const FloatTensor &tensor, Format format) {
  return formatNpy(Array{format, tensor.shape, tensor.data});
}

llvm::Error qdelta::tools::writeNpy(StringRef path, const FloatTensor &tensor,
                                    Format format) {
  std::string problem =
      writeNpy(path.str(), Array{format, tensor.shape, tensor.data});
  return problem.empty() ? llvm::Error::success() : userError(problem);
}

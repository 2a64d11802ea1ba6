//===- CudaDriver.h - the CUDA driver, opened at run time -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_CUDADRIVER_H
#define QDELTA_LIB_RUNTIME_CUDADRIVER_H

#include "CudaApi.h"
#include "SharedObject.h"
#include "qdelta-c/Runtime.h"

#include <memory>
#include <string>

namespace qdelta::runtime {

/// A driver that is ready.
class CudaDriver {
public:
  /// Opens libcuda.so.1, or the library that the environment variable
  /// QDELTA_LIBCUDA names, and starts it.
  static qdeltaStatus *open(std::unique_ptr<CudaDriver> &driver);

  /// Null for success; else says which call failed and why.
  qdeltaStatus *check(cuda::Result result, const char *call,
                      const std::string &details = "") const;

  cuda::Api api = {};

private:
  qdeltaStatus *findFunctions(const std::string &path);

  std::unique_ptr<SharedObject> library;
};

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_CUDADRIVER_H

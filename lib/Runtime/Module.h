//===- Module.h - what a module and its kernels hold -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_MODULE_H
#define QDELTA_LIB_RUNTIME_MODULE_H

#include "qdelta-c/Runtime.h"
#include "qdelta/Runtime/ThreadPool.h"

#include <string>
#include <vector>

struct qdeltaKernel {
  std::string name;
  /// Keeps the text that `arguments` point to.
  std::vector<std::string> argumentNames;
  std::vector<qdeltaArgument> arguments;
  qdeltaEntry entry;
  /// Shared by the module's kernels; a launch changes nothing else.
  qdelta::runtime::ThreadPool *pool;
};

struct qdeltaModule {
  std::vector<qdeltaKernel> kernels;
  qdelta::runtime::ThreadPool pool;
};

namespace qdelta::runtime {

/// How messages call an argument: `q`, `initial state S`, `output o`.
std::string describe(const qdeltaArgument &argument);

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_MODULE_H

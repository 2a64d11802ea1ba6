//===- Module.h - what a module and its kernels hold -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_MODULE_H
#define QDELTA_LIB_RUNTIME_MODULE_H

#include "Backend.h"
#include "qdelta-c/Runtime.h"
#include "qdelta/Runtime/ThreadPool.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

struct qdeltaKernel {
  std::string name;
  /// Keeps the text that `arguments` point to.
  std::vector<std::string> argumentNames;
  std::vector<qdeltaArgument> arguments;
  /// Null if the module has no CPU code that this machine can run.
  qdeltaEntry entry = nullptr;
  int64_t work = 0;
  /// Segments that CPU launches split sequences into, and the kernels of the
  /// module that they take; the last is null without vector and scalar states.
  int64_t segments = 0;
  const qdeltaKernel *run = nullptr, *summary = nullptr, *apply = nullptr,
                     *advance = nullptr;
  std::vector<qdelta::runtime::DeviceCode> codes;
  /// The module that the kernel is of; a launch changes only its pool and what
  /// its back ends keep.
  qdeltaModule *module = nullptr;
};

namespace qdelta::runtime {
class SharedObject;
} // namespace qdelta::runtime

struct qdeltaModule {
  qdeltaModule();
  ~qdeltaModule();

  /// The CPU code of an artefact; outlives the kernels that call it.
  std::unique_ptr<qdelta::runtime::SharedObject> hostCode;
  std::vector<qdeltaKernel> kernels;
  /// Of CPU code: "x86-64-v4 (cpu)"; of all code.
  std::string hostContents, contents;
  qdelta::runtime::ThreadPool pool;
  std::unique_ptr<qdelta::runtime::Backend> emulated, cuda;
};

namespace qdelta::runtime {

/// How messages call an argument: `q`, `initial state S`, `output o`.
std::string describe(const qdeltaArgument &argument);

/// The number in a caller's enumeration, which may be none of its values.
template <typename Enum>
int32_t numberOf(const Enum &value) {
  static_assert(sizeof(Enum) == sizeof(int32_t));
  int32_t number;
  std::memcpy(&number, &value, sizeof(number));
  return number;
}

/// Whether the kernel writes the argument.
bool isWritten(const qdeltaArgument &argument);

/// Whether the kernel updates the argument, a state or a pool of them, in
/// place.
bool isInPlace(const qdeltaArgument &argument);

/// Whether the argument has a row for each token.
bool isSequence(const qdeltaArgument &argument);

/// Fills in `contents`.
void describeContents(qdeltaModule &module);

/// Makes a module of a checked copy of `image`; its kernels may lack code.
qdeltaStatus *loadImage(const qdeltaImage &image,
                        std::unique_ptr<qdeltaModule> &module);

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_MODULE_H

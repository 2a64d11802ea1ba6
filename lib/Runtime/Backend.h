//===- Backend.h - what runs device kernels ---------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_BACKEND_H
#define QDELTA_LIB_RUNTIME_BACKEND_H

#include "TensorView.h"
#include "qdelta/Runtime/DeviceKernel.h"

#include <memory>
#include <string>
#include <vector>

namespace qdelta::runtime {

/// One kernel of a launch.
struct DeviceStep {
  std::string entry;
  int32_t threads = 0;
  int64_t sharedBytes = 0;
  /// CTAs of a batch entry, value head and run of tokens; 0: as many as it
  /// takes for V, with so many `columns` each.
  int64_t blocks = 0, columns = 0;
  /// Tokens of a run; 0: all.
  int64_t tokens = 0;
  /// Numbers of the kernel's arguments, and past these of workspaces.
  std::vector<int32_t> tensors;
  /// Whether it writes each of them.
  std::vector<bool> writes;
  std::vector<qdeltaTensorMap> tensorMaps;
};

/// Code of a kernel for one target, in one form.
struct DeviceCode {
  std::string target;
  qdeltaFormat format = QDELTA_FORMAT_PTX;
  /// PTX ends with a zero byte.
  std::string bytes;
  /// In place of `bytes`, for QDELTA_FORMAT_PROGRAM.
  const void *program = nullptr;
  /// At least one.
  std::vector<DeviceStep> steps;
  std::vector<qdeltaArgument> workspaces;

  int64_t sharedBytes() const;
};

/// A launch's options, with those that the caller's struct ends before.
struct LaunchOptions {
  int32_t threads = 0;
  qdeltaEngine engine = QDELTA_ENGINE_CPU;
  void *stream = nullptr;
  std::string target;
  uint64_t seed = 0;
  int32_t schedule = 0, completion = 0;
  /// Emulated: where to count, or null.
  qdeltaCounts *counts = nullptr;
  bool checkDomains = false;
};

/// Aligned as later versions of cuda.h align it.
struct alignas(2 * kTensorMapAlignment) TensorMapBytes {
  unsigned char bytes[kTensorMapBytes];
};

/// A tensor map in the terms of cuTensorMapEncodeTiled, innermost first.
struct TensorMapShape {
  const TensorView *view = nullptr;
  /// CUtensorMapDataType.
  uint32_t type = 0;
  uint64_t sizes[4] = {};
  /// In bytes, of dimensions 1 to 3.
  uint64_t strides[3] = {};
  uint32_t box[4] = {};
  uint32_t swizzle = 0;
};

/// A launch that is ready for a back end.
struct PackedLaunch {
  uint32_t ctas = 0;
  /// Parameter 0, and the tensor maps that follow it.
  std::vector<int64_t> words;
  std::vector<TensorMapBytes> maps;
  /// The tensors of the step.
  std::vector<const TensorView *> views;
};

/// The kernels of one code, loaded on one device, for the time of one launch.
class DeviceRun {
public:
  virtual ~DeviceRun();
  virtual const DeviceCode &code() const = 0;
  /// Checks that the tensors are where the device can use them.
  virtual qdeltaStatus *check(const std::vector<TensorView> &views) = 0;
  virtual qdeltaStatus *encode(const TensorMapShape &shape,
                               TensorMapBytes &map) = 0;
  /// Memory for what is launched from here on, aligned to 256 bytes; at most
  /// once.
  virtual qdeltaStatus *allocate(size_t bytes, char *&memory) = 0;
  virtual qdeltaStatus *launch(const DeviceStep &step,
                               const PackedLaunch &launch) = 0;
  virtual qdeltaStatus *copy(void *to, const void *from, size_t bytes) = 0;
  /// Copies from the device's memory to the host's once all that is in the
  /// stream is done.
  virtual qdeltaStatus *read(void *to, const void *from, size_t bytes) = 0;
};

/// What runs device kernels. Keeps what it loads; called from any thread.
class Backend {
public:
  virtual ~Backend();
  /// Loads the best code of `codes` for `device`. `kernel` is only for
  /// messages.
  virtual qdeltaStatus *open(const std::string &kernel,
                             const std::vector<DeviceCode> &codes,
                             int32_t device, const LaunchOptions &options,
                             std::unique_ptr<DeviceRun> &run) = 0;
  /// Waits for a stream.
  virtual qdeltaStatus *synchronize(int32_t device, void *stream) = 0;
};

std::unique_ptr<Backend> makeEmulatedBackend();
std::unique_ptr<Backend> makeCudaBackend();

/// What the codes are, for people: "sm_80 (PTX, cubin), sm_90a (emulated)".
std::string listCodes(const std::vector<DeviceCode> &codes);

/// The error that none of the codes runs: `wanted` says where.
qdeltaStatus *noCode(const std::string &kernel, const std::string &wanted,
                     const std::vector<DeviceCode> &codes);

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_BACKEND_H

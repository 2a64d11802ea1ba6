//===- DeviceTensors.h - copies of tensors on a CUDA device ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_ARRAYS_DEVICETENSORS_H
#define QDELTA_TOOLS_ARRAYS_DEVICETENSORS_H

#include "qdelta/Runtime/DeviceMemory.h"

#include <span>
#include <vector>

namespace qdelta::tools {

/// Row-major tensors of the CPU, copied to device 0 for a launch there.
class DeviceTensors {
public:
  qdeltaStatus *copy(std::span<DLTensor *const> tensors);

  /// The copies, for a launch.
  std::vector<DLTensor *> pointers();

  /// Waits for the default stream, then copies everything back.
  qdeltaStatus *copyBack(const qdeltaModule *module);

private:
  std::unique_ptr<runtime::DeviceMemory> memory;
  std::vector<DLTensor *> originals;
  std::vector<DLTensor> copies;
};

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_ARRAYS_DEVICETENSORS_H

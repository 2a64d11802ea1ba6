//===- DeviceTensors.h - copies of tensors on a CUDA device ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_DEVICETENSORS_H
#define QDELTA_TOOLS_DATA_DEVICETENSORS_H

#include "qdelta/Runtime/DeviceMemory.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Error.h"

#include <vector>

namespace qdelta::tools {

/// Row-major tensors of the CPU, copied to device 0 for a launch there.
class DeviceTensors {
public:
  static llvm::Expected<DeviceTensors> copy(llvm::ArrayRef<DLTensor *> tensors);

  /// The copies, for a launch.
  std::vector<DLTensor *> pointers();

  /// Waits for the default stream, then copies everything back.
  llvm::Error copyBack(const qdeltaModule *module);

private:
  std::unique_ptr<runtime::DeviceMemory> memory;
  std::vector<DLTensor *> originals;
  std::vector<DLTensor> copies;
};

/// An error of the runtime as one of a tool.
llvm::Error takeStatus(qdeltaStatus *status);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_DATA_DEVICETENSORS_H

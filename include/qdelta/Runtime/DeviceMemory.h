//===- DeviceMemory.h - memory of a CUDA device, for tools ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_RUNTIME_DEVICEMEMORY_H
#define QDELTA_RUNTIME_DEVICEMEMORY_H

#include "qdelta-c/Runtime.h"

#include <memory>

namespace qdelta::runtime {

/// Buffers on one device. Launches take memory that its owner has allocated;
/// this is for tools that have no other owner, such as a framework.
class DeviceMemory {
public:
  virtual ~DeviceMemory();

  /// Opens the driver and the device's primary context.
  static qdeltaStatus *open(int32_t device,
                            std::unique_ptr<DeviceMemory> &memory);

  /// New memory, freed with this object; at least one byte.
  virtual qdeltaStatus *allocate(size_t bytes, void *&pointer) = 0;
  virtual qdeltaStatus *upload(void *to, const void *from, size_t bytes) = 0;
  /// Waits for all that was launched on the default stream.
  virtual qdeltaStatus *download(void *to, const void *from, size_t bytes) = 0;
};

} // namespace qdelta::runtime

#endif // QDELTA_RUNTIME_DEVICEMEMORY_H

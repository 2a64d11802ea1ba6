//===- DeviceTimer.h - times on a CUDA device, for tools --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_RUNTIME_DEVICETIMER_H
#define QDELTA_RUNTIME_DEVICETIMER_H

#include "qdelta-c/Runtime.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace qdelta::runtime {

/// What the driver says of a device and of itself.
struct DeviceFacts {
  std::string name;
  /// Compute capability.
  int major = 0, minor = 0;
  /// Streaming multiprocessors and their highest clock.
  int processors = 0, kilohertz = 0;
  /// Of the second-level cache.
  int cacheBytes = 0;
  /// 12040 for CUDA 12.4.
  int driver = 0;
};

/// Times work on a device's default stream by events of the driver.
class DeviceTimer {
public:
  virtual ~DeviceTimer();

  /// Opens the driver and the device's primary context.
  static qdeltaStatus *open(int32_t device,
                            std::unique_ptr<DeviceTimer> &timer);

  virtual const DeviceFacts &facts() const = 0;

  /// The milliseconds of `repeat` runs of `work`, which puts something in the
  /// default stream; three more runs before them are not timed. Before each
  /// run, memory of twice the cache's size is overwritten, so that `work` finds
  /// nothing in the cache; meanwhile the host has time to start it. Stops at
  /// the first error, be it of `work`.
  virtual qdeltaStatus *time(const std::function<qdeltaStatus *()> &work,
                             int repeat, std::vector<double> &ms) = 0;

  /// Bytes read and written a second by a copy from memory to memory, the
  /// median of `repeat`.
  virtual qdeltaStatus *measureBandwidth(int repeat,
                                         double &bytesPerSecond) = 0;
};

} // namespace qdelta::runtime

#endif // QDELTA_RUNTIME_DEVICETIMER_H

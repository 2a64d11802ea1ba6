//===- DeviceBench.h - times of a kernel on a CUDA device ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_ARRAYS_DEVICEBENCH_H
#define QDELTA_TOOLS_ARRAYS_DEVICEBENCH_H

#include "qdelta/Runtime/DeviceTimer.h"

#include <map>

namespace qdelta::tools {

/// Launches on device 0, from tensors that stay there.
struct DeviceTimes {
  runtime::DeviceFacts device;
  /// By events, with nothing in the cache; see DeviceTimer. The spread is the
  /// distance of the quartiles as a part of the median.
  double medianMs = 0, bestMs = 0, spread = 0;
  /// Of a copy, read and written, measured in the same run.
  double bytesPerSecond = 0;
  /// The most that tensor cores do, by the datasheet's number for a processor
  /// and clock; 0 if the device is not known.
  double flopPerSecond = 0;
  /// The longer of moving every tensor once and of doing the kernel's work, at
  /// those rates.
  double floorMs = 0;
  /// B T HV.
  int64_t work = 0;

  double floorRatio() const { return medianMs / floorMs; }
  double nsPerTokenHead() const {
    return medianMs * 1e6 / static_cast<double>(work);
  }
};

/// Times `repeat` launches of the kernel on random inputs; a million numbers of
/// each are drawn and repeated. Sizes as in shapeOf; `target` as in
/// qdeltaLaunchOptions. Outputs that are not finite are an error, too. Returns
/// what is wrong, "" for nothing.
std::string timeOnDevice(const qdeltaKernel *kernel,
                         const std::map<std::string, int64_t> &sizes,
                         const std::string &target, int repeat,
                         DeviceTimes &times);

/// `0.470 ms (best 0.468, spread 0.4 %), 7.4 x floor ...`
std::string formatTimes(const DeviceTimes &times);

/// A JSON object of times, rates and device.
std::string toJson(const DeviceTimes &times);

/// Fields of a JSON object, for what was counted over so many tokens and heads.
std::string toJson(const qdeltaCounts &counts, int64_t tokens);

/// The text as a JSON string.
std::string quoteJson(std::string_view text);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_ARRAYS_DEVICEBENCH_H

//===- DeviceBench.cpp - times of a kernel on a CUDA device --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "arrays/DeviceBench.h"
#include "arrays/KernelArrays.h"
#include "qdelta/Runtime/DeviceMemory.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace qdelta::tools;
using qdelta::runtime::DeviceFacts;
using qdelta::runtime::DeviceMemory;
using qdelta::runtime::DeviceTimer;

/// Floating-point operations of a processor's tensor cores in a clock, dense,
/// of 16-bit operands with sums in f32: peak of a datasheet over processors and
/// clock. A100; A40; L40S; H100; B200; RTX PRO 6000 Blackwell.
static constexpr struct {
  int major, minor, flopPerClock;
} kTensorRates[] = {{8, 0, 2048}, {8, 6, 1024},  {8, 9, 1024},
                    {9, 0, 4096}, {10, 0, 8192}, {12, 0, 1024}};

static double findTensorRate(const DeviceFacts &device) {
  for (const auto &row : kTensorRates)
    if (row.major == device.major && row.minor == device.minor)
      return 1e3 * row.flopPerClock * device.processors * device.kilohertz;
  return 0;
}

static std::string take(qdeltaStatus *status) {
  std::string message = qdeltaStatusGetMessage(status);
  qdeltaStatusDestroy(status);
  return message;
}

namespace {
/// A tensor on the device whose rows repeat those of a smaller one.
struct Repeated {
  std::string create(const qdeltaArgument &argument, int64_t keys,
                     const std::map<std::string, int64_t> &sizes,
                     DeviceMemory &memory);
  std::string checkFinite(DeviceMemory &memory);

  DLTensor tensor = {};
  size_t bytes = 0;

private:
  std::vector<int64_t> shape;
  Array tile;
  /// The tile's elements, aligned.
  std::vector<uint64_t> elements;
  size_t tileBytes = 0;
};
} // namespace

std::string Repeated::create(const qdeltaArgument &argument, int64_t keys,
                             const std::map<std::string, int64_t> &sizes,
                             DeviceMemory &memory) {
  constexpr int64_t drawn = 1 << 20;
  if (std::string problem = shapeOf(argument, sizes, shape); !problem.empty())
    return problem;
  std::optional<size_t> count = countElements(shape);
  if (!count)
    return std::string("the sizes of ") + argument.name +
           " overflow: " + formatShape(shape);
  // All dimensions but the first, or the first two of sequences and states,
  // are a row.
  tile.format = formatOf(argument.dtype);
  ptrdiff_t leading = argument.rank > 2 ? 2 : 1;
  int64_t rows = leading == 2 ? shape[0] * shape[1] : shape[0], row = 1;
  tile.shape.assign(shape.begin() + leading, shape.end());
  for (int64_t size : tile.shape)
    row *= size;
  int64_t most = std::max<int64_t>(drawn / std::max<int64_t>(row, 1), 1);
  tile.shape.insert(tile.shape.begin(), std::min(rows, most));
  tile.data.assign(static_cast<size_t>(tile.shape[0] * row), NAN);
  if (!isWritten(argument))
    fillRandomly(describeInput(argument), keys, 0, {}, tile);
  auto width = static_cast<size_t>(argument.dtype.bits / 8);
  tileBytes = tile.data.size() * width;
  bytes = *count * width;
  elements.resize(tileBytes / sizeof(uint64_t) + 1);
  storeElements(tile.data, tile.format, elements.data());
  tensor.device = {kDLCUDA, 0};
  tensor.ndim = argument.rank;
  tensor.dtype = argument.dtype;
  tensor.shape = shape.data();
  if (std::string problem = take(memory.allocate(bytes, tensor.data));
      !problem.empty())
    return problem;
  for (size_t at = 0; at < bytes; at += tileBytes)
    if (std::string problem = take(
            memory.upload(static_cast<char *>(tensor.data) + at,
                          elements.data(), std::min(tileBytes, bytes - at)));
        !problem.empty())
      return problem;
  return "";
}

std::string Repeated::checkFinite(DeviceMemory &memory) {
  size_t width = tensor.dtype.bits / 8;
  for (size_t at = 0; at < bytes; at += tileBytes) {
    size_t size = std::min(tileBytes, bytes - at);
    if (std::string problem = take(memory.download(
            elements.data(), static_cast<char *>(tensor.data) + at, size));
        !problem.empty())
      return problem;
    std::span numbers(tile.data.data(), size / width);
    loadElements(elements.data(), tile.format, numbers);
    if (!std::ranges::all_of(numbers,
                             [](double x) { return std::isfinite(x); }))
      return "outputs are not finite";
  }
  return "";
}

/// The value a part of the way from the least to the greatest.
static double quantile(const std::vector<double> &sorted, double part) {
  return sorted[static_cast<size_t>(
      std::lround(part * static_cast<double>(sorted.size() - 1)))];
}

static std::string measure(DeviceTimer &timer,
                           const std::function<qdeltaStatus *()> &launch,
                           int repeat, DeviceTimes &times) {
  std::vector<double> ms;
  if (std::string problem = take(timer.time(launch, repeat, ms));
      !problem.empty())
    return problem;
  if (std::string problem =
          take(timer.measureBandwidth(repeat, times.bytesPerSecond));
      !problem.empty())
    return problem;
  std::ranges::sort(ms);
  times.medianMs = quantile(ms, 0.5);
  times.bestMs = ms.front();
  times.spread = (quantile(ms, 0.75) - quantile(ms, 0.25)) / times.medianMs;
  times.device = timer.facts();
  times.flopPerSecond = findTensorRate(times.device);
  return "";
}

std::string qdelta::tools::timeOnDevice(
    const qdeltaKernel *kernel, const std::map<std::string, int64_t> &sizes,
    const std::string &target, int repeat, DeviceTimes &times) {
  std::unique_ptr<DeviceTimer> timer;
  std::unique_ptr<DeviceMemory> memory;
  if (std::string problem = take(DeviceTimer::open(0, timer)); !problem.empty())
    return problem;
  if (std::string problem = take(DeviceMemory::open(0, memory));
      !problem.empty())
    return problem;
  std::vector<const qdeltaArgument *> arguments = argumentsOf(kernel);
  std::vector<Repeated> tensors(arguments.size());
  std::vector<DLTensor *> pointers;
  double bytes = 0;
  bool isSingle = true;
  // A list with levels costs as much as one for each of them.
  int64_t levels = 1;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (std::string problem =
            tensors[i].create(*arguments[i], keysOf(kernel), sizes, *memory);
        !problem.empty())
      return problem;
    pointers.push_back(&tensors[i].tensor);
    bytes += static_cast<double>(tensors[i].bytes);
    isSingle &= arguments[i]->dtype.bits == 32;
    if (arguments[i]->shape[arguments[i]->rank - 1] == QDELTA_DIM_LEVELS)
      levels = tensors[i].tensor.shape[arguments[i]->rank - 1];
    // A state counts the value heads, a sequence that is written the tokens.
    if (arguments[i]->role == QDELTA_ROLE_OUTPUT)
      times.work = tensors[i].tensor.shape[0] * tensors[i].tensor.shape[1] *
                   tensors[i].tensor.shape[2];
  }
  if (times.work == 0)
    return "expected at least one token to time";
  qdeltaLaunchOptions options = {};
  options.struct_size = sizeof(options);
  options.engine = QDELTA_ENGINE_CUDA;
  options.target = target.empty() ? nullptr : target.c_str();
  auto launch = [&] {
    return qdeltaLaunch(kernel, pointers.data(),
                        static_cast<int64_t>(pointers.size()), &options);
  };
  if (std::string problem = measure(*timer, launch, repeat, times);
      !problem.empty())
    return problem;
  for (size_t i = 0; i < arguments.size(); ++i)
    if (isWritten(*arguments[i]))
      if (std::string problem = tensors[i].checkFinite(*memory);
          !problem.empty())
        return problem + ": " + arguments[i]->name;
  double flop = static_cast<double>(qdeltaKernelGetWork(kernel)) *
                static_cast<double>(times.work * levels);
  // TF32 has half the rate.
  double rate = isSingle ? times.flopPerSecond / 2 : times.flopPerSecond;
  times.floorMs =
      1e3 * std::max(bytes / times.bytesPerSecond, rate > 0 ? flop / rate : 0);
  return "";
}

std::string qdelta::tools::quoteJson(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    char escaped[8];
    std::snprintf(escaped, sizeof(escaped), "\\u%04x", c & 255);
    bool isPlain = c != '"' && c != '\\' && (c & 255) >= ' ';
    result += isPlain ? std::string(1, c) : escaped;
  }
  return result + "\"";
}

std::string qdelta::tools::toJson(const qdeltaCounts &counts, int64_t tokens) {
  char text[512];
  auto number = [](uint64_t count) {
    return static_cast<unsigned long long>(count);
  };
  std::snprintf(text, sizeof(text),
                "\"time\": null, \"counts\": {\"tokens_heads\": %lld, "
                "\"bytes_read\": %llu, \"bytes_written\": %llu, "
                "\"mma\": %llu, \"wgmma\": %llu, \"async_copies\": %llu, "
                "\"bulk_copies\": %llu, \"barriers\": %llu}",
                static_cast<long long>(tokens), number(counts.bytes_read),
                number(counts.bytes_written), number(counts.mma),
                number(counts.wgmma), number(counts.async_copies),
                number(counts.bulk_copies), number(counts.barriers));
  return text;
}

std::string qdelta::tools::formatTimes(const DeviceTimes &times) {
  char text[256];
  std::snprintf(
      text, sizeof(text),
      "%.4f ms (best %.4f, spread %.1f %%), %.3f ns a token and head, "
      "%.2f x floor (%.2f TB/s copied, %s)",
      times.medianMs, times.bestMs, 100 * times.spread, times.nsPerTokenHead(),
      times.floorRatio(), times.bytesPerSecond * 1e-12,
      times.flopPerSecond > 0 ? "tensor peak of the datasheet"
                              : "tensor peak unknown");
  return text;
}

std::string qdelta::tools::toJson(const DeviceTimes &times) {
  const DeviceFacts &device = times.device;
  char text[1024];
  std::snprintf(
      text, sizeof(text),
      "\"compute_capability\": \"%d.%d\", \"driver\": \"%d.%d\", "
      "\"processors\": %d, \"clock_mhz\": %d, \"cache_bytes\": %d, "
      "\"ms\": %.6g, \"ms_best\": %.6g, \"spread\": %.3g, "
      "\"ns_per_token_head\": %.6g, \"floor_ms\": %.6g, "
      "\"floor_ratio\": %.4g, \"bytes_per_second\": %.4g, "
      "\"bytes_from\": \"a copy in the same run\", "
      "\"tensor_flop_per_second\": %.4g, \"tensor_flop_from\": \"%s\"}",
      device.major, device.minor, device.driver / 1000,
      device.driver % 1000 / 10, device.processors, device.kilohertz / 1000,
      device.cacheBytes, times.medianMs, times.bestMs, times.spread,
      times.nsPerTokenHead(), times.floorMs, times.floorRatio(),
      times.bytesPerSecond, times.flopPerSecond,
      times.flopPerSecond > 0
          ? "the datasheet's flop a clock, processors, clock"
          : "unknown device, so the floor is of memory alone");
  return "{\"device\": " + quoteJson(device.name) + ", " + text;
}

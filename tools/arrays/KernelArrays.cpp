//===- KernelArrays.cpp - arrays for a kernel's arguments ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "arrays/KernelArrays.h"
#include "arrays/DeviceTensors.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

using namespace qdelta::tools;
namespace reference = qdelta::reference;

std::vector<const qdeltaArgument *>
qdelta::tools::argumentsOf(const qdeltaKernel *kernel) {
  std::vector<const qdeltaArgument *> arguments;
  for (int64_t i = 0; i < qdeltaKernelGetNumArguments(kernel); ++i)
    arguments.push_back(qdeltaKernelGetArgument(kernel, i));
  return arguments;
}

bool qdelta::tools::isWritten(const qdeltaArgument &argument) {
  return argument.role == QDELTA_ROLE_OUTPUT ||
         argument.role == QDELTA_ROLE_FINAL_STATE || isInPlace(argument);
}

bool qdelta::tools::isInPlace(const qdeltaArgument &argument) {
  return argument.role == QDELTA_ROLE_STATE ||
         argument.role == QDELTA_ROLE_STATE_POOL;
}

InputDescription qdelta::tools::describeInput(const qdeltaArgument &argument) {
  return {argument.name, argument.role, argument.domain, argument.low,
          argument.high};
}

int64_t qdelta::tools::keysOf(const qdeltaKernel *kernel) {
  for (const qdeltaArgument *argument : argumentsOf(kernel))
    if ((argument->role == QDELTA_ROLE_INITIAL_STATE || isInPlace(*argument)) &&
        argument->rank >= 3)
      return argument->shape[2];
  for (const qdeltaArgument *argument : argumentsOf(kernel))
    if (argument->domain == QDELTA_DOMAIN_UNIT && argument->rank == 4)
      return argument->shape[3];
  return 1;
}

int64_t qdelta::tools::levelsFor(int64_t tokens) {
  int64_t levels = 1;
  while (tokens > 1 && levels < 64 && (tokens - 1) >> (levels - 1))
    ++levels;
  return levels;
}

std::string qdelta::tools::shapeOf(const qdeltaArgument &argument,
                                   const std::map<std::string, int64_t> &sizes,
                                   std::vector<int64_t> &shape) {
  static const char *const names[] = {"B", "T", "HV", "H", "B", "N", "L"};
  shape.clear();
  auto find = [&](const std::string &name) {
    auto size = sizes.find(name);
    return size == sizes.end() ? -1 : size->second;
  };
  auto countLevels = [&]() -> int64_t {
    int64_t levels = find("L"), tokens = find("T");
    return levels >= 0 ? levels : tokens < 0 ? -1 : levelsFor(tokens);
  };
  for (int32_t d = 0; d < argument.rank; ++d) {
    int64_t dimension = argument.shape[d];
    if (dimension == QDELTA_DIM_HEADS && argument.usual_heads)
      dimension = argument.usual_heads;
    if (dimension >= 0) {
      shape.push_back(dimension);
      continue;
    }
    if (dimension == QDELTA_DIM_LEVEL_HEADS) {
      int64_t heads = find("HV") < 0 ? find("H") : find("HV");
      if (heads < 0 || countLevels() < 0)
        return "expected --shape to give H and T";
      shape.push_back(heads * countLevels());
      continue;
    }
    std::string name = names[-1 - dimension];
    auto size = sizes.find(name);
    if (size == sizes.end() && name == "HV")
      size = sizes.find("H");
    if (name == "L" && countLevels() >= 0) {
      shape.push_back(countLevels());
      continue;
    }
    if (size == sizes.end())
      return "expected --shape to give " + name;
    shape.push_back(size->second + (dimension == QDELTA_DIM_BOUNDS));
  }
  return "";
}

qdeltaStatus *qdelta::tools::launchArrays(const qdeltaModule *module,
                                          const qdeltaKernel *kernel,
                                          std::vector<Array> &arrays,
                                          const qdeltaLaunchOptions &options) {
  // Memory of 64-bit words, which aligns elements of every format.
  std::vector<std::vector<uint64_t>> memory;
  std::vector<DLTensor> tensors;
  for (Array &array : arrays) {
    auto width = static_cast<size_t>(reference::formatBytes(array.format));
    memory.emplace_back(array.data.size() * width / sizeof(uint64_t) + 1);
    storeElements(array.data, array.format, memory.back().data());
    DLTensor &tensor = tensors.emplace_back();
    tensor = {};
    tensor.data = memory.back().data();
    tensor.device = {kDLCPU, 0};
    tensor.ndim = static_cast<int32_t>(array.shape.size());
    tensor.dtype = typeOf(array.format);
    tensor.shape = array.shape.data();
  }
  std::vector<DLTensor *> pointers;
  for (DLTensor &tensor : tensors)
    pointers.push_back(&tensor);
  auto count = static_cast<int64_t>(pointers.size());
  DeviceTensors device;
  bool isCuda = options.engine == QDELTA_ENGINE_CUDA;
  if (isCuda) {
    if (qdeltaStatus *error = device.copy(pointers))
      return error;
    pointers = device.pointers();
  }
  if (qdeltaStatus *error =
          qdeltaLaunch(kernel, pointers.data(), count, &options))
    return error;
  if (isCuda)
    if (qdeltaStatus *error = device.copyBack(module))
      return error;
  std::vector<const qdeltaArgument *> arguments = argumentsOf(kernel);
  for (size_t i = 0; i < arrays.size(); ++i)
    if (isWritten(*arguments[i]))
      loadElements(memory[i].data(), arrays[i].format, arrays[i].data);
  return nullptr;
}

std::string qdelta::tools::formatCounts(const qdeltaCounts &counts,
                                        int64_t tokens) {
  char text[256];
  double bytes = static_cast<double>(counts.bytes_read) +
                 static_cast<double>(counts.bytes_written);
  auto number = [](uint64_t count) {
    return static_cast<unsigned long long>(count);
  };
  std::snprintf(text, sizeof(text),
                "memory: %.1f bytes a token and head; instructions: %llu "
                "mma.sync, %llu wgmma, %llu cp.async, %llu bulk copies, %llu "
                "barriers",
                bytes / static_cast<double>(tokens), number(counts.mma),
                number(counts.wgmma), number(counts.async_copies),
                number(counts.bulk_copies), number(counts.barriers));
  return text;
}

/// The place of `name` in `known`; what is wrong if it is not there.
static std::string findPlace(const char *what, std::string_view name,
                             std::span<const std::string_view> known,
                             int32_t &place) {
  auto found = std::ranges::find(known, name);
  place = static_cast<int32_t>(found - known.begin());
  if (found != known.end())
    return "";
  std::string list;
  for (std::string_view value : known)
    list += (list.empty() ? "" : ", ") + std::string(value);
  return std::string("expected the ") + what + " of --emulate to be one of " +
         list + ", but got '" + std::string(name) + "'";
}

std::string qdelta::tools::parseEmulation(std::string_view text,
                                          qdeltaLaunchOptions &options) {
  static constexpr std::string_view schedules[] = {"fifo", "lifo", "random"};
  static constexpr std::string_view completions[] = {"late", "early", "random"};
  std::vector<std::string_view> parts;
  for (std::string_view rest = text;;) {
    size_t comma = rest.find(',');
    parts.push_back(rest.substr(0, comma));
    if (comma == std::string_view::npos)
      break;
    rest.remove_prefix(comma + 1);
  }
  if (parts.size() > 3)
    return "expected --emulate schedule[,completion[,seed]], but got '" +
           std::string(text) + "'";
  if (std::string problem =
          findPlace("schedule", parts[0], schedules, options.schedule);
      !problem.empty())
    return problem;
  if (parts.size() > 1)
    if (std::string problem =
            findPlace("completion", parts[1], completions, options.completion);
        !problem.empty())
      return problem;
  if (parts.size() < 3)
    return "";
  const char *end = parts[2].data() + parts[2].size();
  auto [stop, error] = std::from_chars(parts[2].data(), end, options.seed);
  if (error == std::errc() && stop == end)
    return "";
  return "expected the seed of --emulate to be a number from 0 to 2^64 - 1, "
         "but got '" +
         std::string(parts[2]) + "'";
}

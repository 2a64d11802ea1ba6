//===- Emulated.cpp - device kernels on the emulator ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Module.h"
#include "SharedObject.h"
#include "Status.h"
#include "qdelta/Emulator/Emulator.h"
#include "qdelta/Emulator/TensorMap.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

using namespace qdelta::runtime;
namespace emulator = qdelta::emulator;

namespace {
/// What any GPU that the emulator stands for allows: 227 KiB.
constexpr int64_t maxSharedBytes = 227 << 10;

/// A program, and the object that its code is in if it came from one.
struct Loaded {
  std::unique_ptr<SharedObject> object;
  std::unique_ptr<emulator::Program> program;
};

class EmulatedRun : public DeviceRun {
public:
  EmulatedRun(const DeviceCode &theCode, const emulator::Program &program,
              const LaunchOptions &options)
      : theCode(theCode), program(program), options(options) {}

  const DeviceCode &code() const override { return theCode; }
  qdeltaStatus *check(const std::vector<TensorView> &) override {
    return nullptr;
  }
  qdeltaStatus *encode(const TensorMapShape &shape,
                       TensorMapBytes &map) override;
  qdeltaStatus *allocate(size_t bytes, char *&memory) override;
  qdeltaStatus *launch(const DeviceStep &step,
                       const PackedLaunch &launch) override;
  qdeltaStatus *copy(void *to, const void *from, size_t bytes) override {
    std::memcpy(to, from, bytes);
    return nullptr;
  }
  qdeltaStatus *read(void *to, const void *from, size_t bytes) override {
    return copy(to, from, bytes);
  }

private:
  struct Free {
    void operator()(char *memory) const { std::free(memory); }
  };

  const DeviceCode &theCode;
  const emulator::Program &program;
  const LaunchOptions &options;
  std::unique_ptr<char, Free> workspaces;
};

class EmulatedBackend : public Backend {
public:
  qdeltaStatus *open(const std::string &kernel,
                     const std::vector<DeviceCode> &codes, int32_t device,
                     const LaunchOptions &options,
                     std::unique_ptr<DeviceRun> &run) override;
  qdeltaStatus *synchronize(int32_t, void *) override { return nullptr; }

private:
  qdeltaStatus *load(const std::string &kernel, const DeviceCode &code,
                     const emulator::Program *&program);

  std::mutex mutex;
  std::map<const DeviceCode *, Loaded> loaded;
};

qdeltaStatus *cannotLoad(const std::string &kernel, const DeviceCode &code,
                         const std::string &problem) {
  return makeStatus(QDELTA_ERROR_IMAGE, "",
                    "cannot load the emulator's code of kernel " + kernel +
                        " for " + code.target + ": " + problem);
}

/// The memory that a kernel may touch; views that share bytes make one buffer.
std::vector<emulator::Buffer>
buffersOf(const std::vector<const TensorView *> &views,
          const std::vector<bool> &writes) {
  std::vector<std::pair<const TensorView *, bool>> sorted;
  for (size_t i = 0; i < views.size(); ++i)
    if (!views[i]->isEmpty())
      sorted.emplace_back(views[i], writes[i]);
  std::sort(sorted.begin(), sorted.end(),
            [](auto &a, auto &b) { return a.first->low < b.first->low; });
  std::vector<emulator::Buffer> buffers;
  uintptr_t end = 0;
  for (auto [view, writable] : sorted) {
    std::string name = describe(*view->argument);
    if (buffers.empty() || view->low >= end) {
      buffers.push_back({name, reinterpret_cast<void *>(view->low),
                         view->high - view->low, writable});
      end = view->high;
      continue;
    }
    emulator::Buffer &last = buffers.back();
    end = std::max(end, view->high);
    last.name += ", " + name;
    last.bytes = end - reinterpret_cast<uintptr_t>(last.data);
    last.writable |= writable;
  }
  return buffers;
}

/// The first few reports in the message, all of them in the JSON.
qdeltaStatus *statusOf(const emulator::Outcome &outcome,
                       const std::string &kernel) {
  constexpr size_t shown = 3;
  std::string message, details = "\"reports\": [";
  for (size_t i = 0; i < outcome.reports.size(); ++i) {
    const emulator::Report &report = outcome.reports[i];
    if (i < shown)
      message += (i ? "; " : "") + report.text;
    details += (i ? ", {\"kind\": " : "{\"kind\": ") +
               quoted(emulator::name(report.kind)) +
               ", \"text\": " + quoted(report.text) +
               ", \"count\": " + std::to_string(report.count) + "}";
  }
  size_t count = outcome.reports.size() + outcome.dropped;
  if (count > shown)
    message += "; and " + std::to_string(count - shown) + " more";
  if (count == 0)
    message = "it did not complete";
  return makeStatus(QDELTA_ERROR_EMULATION, "",
                    "the emulator reports defects of kernel " + kernel + ": " +
                        message,
                    details + "]");
}
} // namespace

qdeltaStatus *EmulatedRun::encode(const TensorMapShape &shape,
                                  TensorMapBytes &bytes) {
  static_assert(sizeof(emulator::TensorMap) == sizeof(TensorMapBytes));
  emulator::TensorMap map = {};
  uint32_t elementStrides[] = {1, 1, 1, 1};
  std::string problem = emulator::encodeTiled(
      map, static_cast<emulator::TensorType>(shape.type), 4, shape.view->data,
      shape.sizes, shape.strides, shape.box, elementStrides, 0,
      static_cast<emulator::Swizzle>(shape.swizzle), 0, 0);
  if (!problem.empty())
    return makeStatus(QDELTA_ERROR_TENSOR_MAP, shape.view->argument->name,
                      "no tensor map describes " +
                          describe(*shape.view->argument) + ": " + problem);
  std::memcpy(bytes.bytes, map.opaque, sizeof(bytes.bytes));
  return nullptr;
}

qdeltaStatus *EmulatedRun::allocate(size_t bytes, char *&memory) {
  constexpr size_t alignment = 256;
  memory = static_cast<char *>(std::aligned_alloc(alignment, bytes));
  if (!memory)
    return makeStatus(QDELTA_ERROR_OUT_OF_MEMORY, "",
                      "no memory for the " + std::to_string(bytes) +
                          " bytes of sequences between kernels");
  // No number in any format: what is read before it is written shows.
  std::memset(memory, -1, bytes);
  workspaces.reset(memory);
  return nullptr;
}

qdeltaStatus *EmulatedRun::launch(const DeviceStep &step,
                                  const PackedLaunch &launch) {
  static constexpr emulator::Schedule schedules[] = {
      emulator::Schedule::Fifo, emulator::Schedule::Lifo,
      emulator::Schedule::Random};
  static constexpr emulator::Completion completions[] = {
      emulator::Completion::Lazy, emulator::Completion::Eager,
      emulator::Completion::Random};
  emulator::LaunchConfig config;
  config.grid.x = launch.ctas;
  config.block.x = static_cast<uint32_t>(step.threads);
  config.dynamicSharedBytes = static_cast<uint32_t>(step.sharedBytes);
  config.schedule = schedules[options.schedule];
  config.completion = completions[options.completion];
  config.seed = options.seed;
  config.workers = static_cast<uint32_t>(options.threads);
  std::vector<int64_t> words = launch.words;
  std::vector<TensorMapBytes> maps = launch.maps;
  std::vector<void *> arguments = {words.data()};
  for (TensorMapBytes &map : maps)
    arguments.push_back(&map);
  const emulator::Kernel &kernel = *program.find(step.entry);
  if (kernel.parameters.size() != arguments.size())
    return makeStatus(QDELTA_ERROR_IMAGE, "",
                      "expected kernel " + kernel.name + " to have " +
                          std::to_string(arguments.size()) +
                          " parameters, but it has " +
                          std::to_string(kernel.parameters.size()));
  uint64_t bytes = words.size() * sizeof(int64_t);
  if (kernel.parameters[0].bytes != bytes)
    return makeStatus(QDELTA_ERROR_IMAGE, "",
                      "expected parameter 0 of kernel " + kernel.name +
                          " to have " + std::to_string(bytes) +
                          " bytes, but it has " +
                          std::to_string(kernel.parameters[0].bytes));
  emulator::Outcome outcome = emulator::launch(
      kernel, config, buffersOf(launch.views, step.writes), arguments.data());
  if (qdeltaCounts *counts = options.counts) {
    const emulator::Counts &counted = outcome.counts;
    counts->bytes_read += counted.bytesRead;
    counts->bytes_written += counted.bytesWritten;
    counts->barriers += counted.barriers;
    counts->mma += counted.mma;
    counts->wgmma += counted.wgmma;
    counts->async_copies += counted.asyncCopies;
    counts->bulk_copies += counted.bulkCopies;
  }
  return outcome.clean() ? nullptr : statusOf(outcome, kernel.name);
}

qdeltaStatus *EmulatedBackend::load(const std::string &kernel,
                                    const DeviceCode &code,
                                    const emulator::Program *&program) {
  if (code.format == QDELTA_FORMAT_PROGRAM) {
    program = static_cast<const emulator::Program *>(code.program);
    return nullptr;
  }
  std::lock_guard<std::mutex> lock(mutex);
  Loaded &entry = loaded[&code];
  if (entry.program) {
    program = entry.program.get();
    return nullptr;
  }
  std::string problem;
  auto object = SharedObject::load(code.bytes, problem);
  if (!object)
    return cannotLoad(kernel, code, problem);
  auto *text =
      static_cast<const char *>(object->find(emulator::kDescriptionSymbol));
  if (!text)
    return cannotLoad(kernel, code, "it describes no program");
  entry.program = emulator::Program::load(
      text,
      [&](const std::string &symbol) {
        return reinterpret_cast<emulator::EntryFunction>(
            object->find(symbol.c_str()));
      },
      problem);
  if (!entry.program)
    return cannotLoad(kernel, code, problem);
  entry.object = std::move(object);
  program = entry.program.get();
  return nullptr;
}

qdeltaStatus *EmulatedBackend::open(const std::string &kernel,
                                    const std::vector<DeviceCode> &codes,
                                    int32_t, const LaunchOptions &options,
                                    std::unique_ptr<DeviceRun> &run) {
  const DeviceCode *chosen = nullptr;
  for (const DeviceCode &code : codes)
    if ((code.format == QDELTA_FORMAT_EMULATED ||
         code.format == QDELTA_FORMAT_PROGRAM) &&
        (options.target.empty() || options.target == code.target)) {
      chosen = &code;
      break;
    }
  if (!chosen)
    return noCode(kernel,
                  options.target.empty()
                      ? "engine emulated"
                      : "engine emulated and target " + options.target,
                  codes);
  if (chosen->sharedBytes() > maxSharedBytes)
    return makeStatus(QDELTA_ERROR_SHARED_MEMORY, "",
                      "kernel " + kernel + " needs " +
                          std::to_string(chosen->sharedBytes()) +
                          " bytes of shared memory, but no device has more "
                          "than " +
                          std::to_string(maxSharedBytes));
  const emulator::Program *program;
  if (qdeltaStatus *error = load(kernel, *chosen, program))
    return error;
  for (const DeviceStep &step : chosen->steps)
    if (!program->find(step.entry))
      return cannotLoad(kernel, *chosen, "it has no entry " + step.entry);
  if (qdeltaCounts *counts = options.counts)
    *counts = {counts->struct_size, 0, 0, 0, 0, 0, 0, 0};
  run = std::make_unique<EmulatedRun>(*chosen, *program, options);
  return nullptr;
}

std::unique_ptr<Backend> qdelta::runtime::makeEmulatedBackend() {
  return std::make_unique<EmulatedBackend>();
}

//===- Launch.cpp - runs a kernel on checked tensors ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Launch.h"
#include "Descriptor.h"
#include "Segments.h"
#include "Status.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

using namespace qdelta::runtime;

namespace {
constexpr int32_t maxThreads = 1024;
} // namespace

bool Launch::hasNoTokens() const {
  const SharedSize &time = shared[-QDELTA_DIM_TIME];
  return time.owner && time.size == 0;
}

/// Copies elements of views of equal sizes, from dimension `d` on.
static void copyView(const TensorView &to, const TensorView &from,
                     int64_t toOffset = 0, int64_t fromOffset = 0,
                     int32_t d = 0) {
  if (d == to.rank()) {
    auto bytes = to.elementBytes();
    std::memcpy(to.data + toOffset * bytes, from.data + fromOffset * bytes,
                static_cast<size_t>(bytes));
    return;
  }
  for (int64_t i = 0; i < to.sizes[d]; ++i)
    copyView(to, from, toOffset + i * to.strides[d],
             fromOffset + i * from.strides[d], d + 1);
}

std::vector<std::pair<const TensorView *, const TensorView *>>
Launch::states() const {
  // The initial states and the final ones pair up: loading checked it.
  std::vector<std::pair<const TensorView *, const TensorView *>> pairs;
  auto final = views.begin();
  for (const TensorView &view : views) {
    if (view.argument->role != QDELTA_ROLE_INITIAL_STATE)
      continue;
    while (final->argument->role != QDELTA_ROLE_FINAL_STATE)
      ++final;
    pairs.emplace_back(&*final++, &view);
  }
  return pairs;
}

void Launch::copyStates() const {
  for (auto [to, from] : states())
    copyView(*to, *from);
}

void Launch::run(const qdeltaKernel &kernel, int32_t threads) const {
  std::vector<int64_t> starts = segmentStarts(kernel, time());
  if (!starts.empty())
    return runSegments(kernel, views, items, starts, threads);
  std::vector<Descriptor> descriptors(views.size());
  std::vector<void *> pointers;
  for (size_t i = 0; i < views.size(); ++i) {
    descriptors[i] = describeTensor(views[i]);
    pointers.push_back(&descriptors[i]);
  }
  int64_t shares = std::min<int64_t>(threads, items);
  kernel.module->pool.run(items, static_cast<int32_t>(shares),
                          [&](int64_t begin, int64_t end) {
                            kernel.entry(pointers.data(), begin, end);
                          });
}

static qdeltaStatus *outOfRange(const char *option, int32_t from, int32_t to,
                                int32_t found) {
  return makeStatus(QDELTA_ERROR_OPTION, "",
                    std::string("expected ") + option + " from " +
                        std::to_string(from) + " to " + std::to_string(to) +
                        ", but got " + std::to_string(found));
}

static qdeltaStatus *readOptions(const qdeltaLaunchOptions *options,
                                 LaunchOptions &result) {
  constexpr size_t firstSize = offsetof(qdeltaLaunchOptions, stream);
  if (options && options->struct_size < firstSize)
    return makeStatus(QDELTA_ERROR_STRUCT_SIZE, "",
                      "expected qdeltaLaunchOptions to have struct_size at "
                      "least " +
                          std::to_string(firstSize) + ", but got " +
                          std::to_string(options->struct_size));
  qdeltaLaunchOptions given{};
  if (options)
    std::memcpy(&given, options, std::min(sizeof(given), options->struct_size));
  if (given.threads < 0 || given.threads > maxThreads)
    return outOfRange("threads", 0, maxThreads, given.threads);
  int32_t engine = numberOf(given.engine);
  if (engine < QDELTA_ENGINE_CPU || engine > QDELTA_ENGINE_CUDA)
    return outOfRange("engine", 0, QDELTA_ENGINE_CUDA, engine);
  if (given.schedule < 0 || given.schedule > 2)
    return outOfRange("schedule", 0, 2, given.schedule);
  if (given.completion < 0 || given.completion > 2)
    return outOfRange("completion", 0, 2, given.completion);
  result.threads = given.threads
                       ? given.threads
                       : std::min(ThreadPool::countCores(), maxThreads);
  result.engine = given.engine;
  result.stream = given.stream;
  result.target = given.target ? given.target : "";
  result.seed = given.seed;
  result.schedule = given.schedule;
  result.completion = given.completion;
  result.counts = given.counts;
  result.checkDomains = given.check_domains != 0;
  if (result.checkDomains && engine == QDELTA_ENGINE_CUDA)
    return makeStatus(QDELTA_ERROR_OPTION, "",
                      "expected check_domains to be 0 on engine cuda: what "
                      "tensors on a device hold is not read");
  if (given.counts && given.counts->struct_size < sizeof(qdeltaCounts))
    return makeStatus(QDELTA_ERROR_STRUCT_SIZE, "",
                      "expected qdeltaCounts to have struct_size at least " +
                          std::to_string(sizeof(qdeltaCounts)) + ", but got " +
                          std::to_string(given.counts->struct_size));
  return nullptr;
}

static qdeltaStatus *launchOnDevice(const qdeltaKernel &kernel,
                                    const Launch &launch,
                                    const LaunchOptions &options) {
  bool isCuda = options.engine == QDELTA_ENGINE_CUDA;
  if (launch.hasNoTokens() && !isCuda) {
    launch.copyStates();
    return nullptr;
  }
  Backend &backend = isCuda ? *kernel.module->cuda : *kernel.module->emulated;
  std::unique_ptr<DeviceRun> run;
  if (qdeltaStatus *error =
          backend.open(kernel.name, kernel.codes, launch.device, options, run))
    return error;
  return launch.runOnDevice(*run);
}

/// The error that there is no CPU code, or none that this machine can run.
static qdeltaStatus *noHostCode(const qdeltaKernel &kernel) {
  return makeStatus(QDELTA_ERROR_TARGET, "",
                    "kernel " + kernel.name +
                        " has no code for engine cpu on this machine; the "
                        "module holds " +
                        kernel.module->contents);
}

qdeltaStatus *qdeltaLaunch(const qdeltaKernel *kernel, DLTensor *const *tensors,
                           int64_t count, const qdeltaLaunchOptions *options) {
  if (!kernel)
    return makeStatus(QDELTA_ERROR_NULL_ARGUMENT, "",
                      "expected a kernel, but got NULL");
  try {
    LaunchOptions read;
    if (qdeltaStatus *error = readOptions(options, read))
      return error;
    if (read.engine == QDELTA_ENGINE_CPU && !kernel->entry)
      return noHostCode(*kernel);
    Launch launch;
    if (qdeltaStatus *error =
            launch.check(*kernel, tensors, count, read.engine))
      return error;
    if (read.checkDomains)
      if (qdeltaStatus *error = launch.checkDomains())
        return error;
    if (read.engine != QDELTA_ENGINE_CPU)
      return launchOnDevice(*kernel, launch, read);
    if (launch.hasNoTokens())
      launch.copyStates();
    else if (launch.items != 0)
      launch.run(*kernel, read.threads);
    return nullptr;
  } catch (...) {
    return statusOfException();
  }
}

qdeltaStatus *qdeltaSynchronize(const qdeltaModule *module, int32_t device,
                                void *stream) {
  if (!module)
    return makeStatus(QDELTA_ERROR_NULL_ARGUMENT, "",
                      "expected a module, but got NULL");
  try {
    return module->cuda->synchronize(device, stream);
  } catch (...) {
    return statusOfException();
  }
}

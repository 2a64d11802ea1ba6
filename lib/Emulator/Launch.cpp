//===- Launch.cpp - running the blocks of a grid --------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Block.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

using namespace qdelta::emulator;

Counts &Counts::operator+=(const Counts &other) {
  bytesRead += other.bytesRead;
  bytesWritten += other.bytesWritten;
  sharedAccesses += other.sharedAccesses;
  barriers += other.barriers;
  mbarrierPhases += other.mbarrierPhases;
  mma += other.mma;
  wgmma += other.wgmma;
  asyncCopies += other.asyncCopies;
  bulkCopies += other.bulkCopies;
  warpOperations += other.warpOperations;
  return *this;
}

std::string Outcome::text() const {
  std::string result;
  for (const Report &report : reports) {
    result += report.text;
    if (report.count > 1)
      result += " (" + std::to_string(report.count) + " times)";
    result += "\n";
  }
  if (dropped)
    result += std::to_string(dropped) + " more\n";
  return result;
}

/// The most shared memory of a block on any GPU, and the most threads.
static constexpr uint32_t kMaxSharedBytes = 227 * 1024;
static constexpr uint64_t kMaxThreads = 1024;

static std::string checkLaunch(const Kernel &kernel, const LaunchConfig &config,
                               uint32_t sharedBytes) {
  uint64_t threads = config.block.count();
  if (config.grid.count() == 0 || threads == 0)
    return "expected a grid and a block that are not empty";
  uint64_t most = kernel.maxThreads ? kernel.maxThreads : kMaxThreads;
  if (threads > most)
    return "expected at most " + std::to_string(most) +
           " threads in a block, but got " + std::to_string(threads);
  uint64_t counted =
      uint64_t(kernel.staticSharedBytes) + config.dynamicSharedBytes;
  if (counted > kMaxSharedBytes || sharedBytes > kSharedWindow)
    return "expected at most " + std::to_string(kMaxSharedBytes) +
           " bytes of shared memory, but got " + std::to_string(counted);
  return "";
}

namespace {
/// What the blocks have found so far.
struct Progress {
  std::atomic<uint64_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  /// By block; blocks that found nothing have none.
  std::map<uint64_t, Findings> findings;
  Counts counts;
};

/// Storage that no launch uses. Making stacks takes longer than a small launch.
class StorageCache {
public:
  std::unique_ptr<BlockStorage> take() {
    std::lock_guard<std::mutex> lock(mutex);
    if (unused.empty())
      return std::make_unique<BlockStorage>();
    std::unique_ptr<BlockStorage> storage = std::move(unused.back());
    unused.pop_back();
    return storage;
  }
  void giveBack(std::unique_ptr<BlockStorage> storage) {
    std::lock_guard<std::mutex> lock(mutex);
    if (unused.size() < kMost)
      unused.push_back(std::move(storage));
  }

private:
  static constexpr size_t kMost = 4;
  std::mutex mutex;
  std::vector<std::unique_ptr<BlockStorage>> unused;
};

StorageCache &storageCache() {
  static StorageCache cache;
  return cache;
}

void runBlocks(const LaunchPlan &plan, BlockStorage &storage,
               Progress &progress) {
  const Dim3 &grid = plan.config.grid;
  while (!progress.stop) {
    uint64_t number = progress.next++;
    if (number >= grid.count())
      return;
    Dim3 position;
    position.x = number % grid.x;
    position.y = number / grid.x % grid.y;
    position.z = number / grid.x / grid.y;
    Block block(plan, position, storage);
    if (!block.run())
      progress.stop = true;
    std::lock_guard<std::mutex> lock(progress.mutex);
    progress.counts += block.counts;
    if (!block.findings.reports().empty())
      progress.findings.emplace(number, std::move(block.findings));
  }
}

void work(const LaunchPlan &plan, Progress &progress) {
  std::unique_ptr<BlockStorage> storage = storageCache().take();
  runBlocks(plan, *storage, progress);
  storageCache().giveBack(std::move(storage));
}
} // namespace

Outcome qdelta::emulator::launch(const Kernel &kernel,
                                 const LaunchConfig &config,
                                 const std::vector<Buffer> &buffers,
                                 void *const *arguments) {
  const ProgramImpl &program = *kernel.program;
  LaunchPlan plan{&kernel,
                  config,
                  {},
                  arguments,
                  program.dynamicOffset + config.dynamicSharedBytes};
  Findings all(config.maxReports);
  for (const Report &finding : program.findings)
    all.add(finding);

  Outcome outcome;
  std::string error = checkLaunch(kernel, config, plan.sharedBytes);
  if (!error.empty()) {
    Report report;
    report.kind = ReportKind::Launch;
    report.text = std::string(name(report.kind)) + ": " + error;
    report.site.op = kernel.name;
    all.add(report);
    outcome.reports = all.reports();
    return outcome;
  }

  for (const Buffer &buffer : buffers)
    plan.memory.add(buffer, /*counted=*/true);
  for (size_t i = 0; i < kernel.parameters.size(); ++i)
    plan.memory.add({"parameter " + std::to_string(i), arguments[i],
                     kernel.parameters[i].bytes, false},
                    /*counted=*/false);
  plan.memory.sort();

  Progress progress;
  uint64_t workers =
      std::clamp<uint64_t>(config.workers, 1, config.grid.count());
  std::vector<std::thread> threads;
  for (uint64_t i = 1; i < workers; ++i)
    threads.emplace_back(work, std::cref(plan), std::ref(progress));
  work(plan, progress);
  for (std::thread &thread : threads)
    thread.join();

  for (const auto &[number, findings] : progress.findings)
    all.merge(findings);
  outcome.reports = all.reports();
  outcome.dropped = all.dropped();
  outcome.counts = progress.counts;
  outcome.completed = !progress.stop;
  return outcome;
}

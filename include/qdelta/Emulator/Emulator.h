//===- Emulator.h - runs prepared GPU kernels on the CPU --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Launches kernels that Prepare.h has made out of the LLVM IR for NVPTX, one
// fiber per GPU thread, and reports what a GPU would not say: races, missing
// fences, misuse of barriers, accesses out of bounds. Needs no LLVM.
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_EMULATOR_H
#define QDELTA_EMULATOR_EMULATOR_H

#include "qdelta/Emulator/Report.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qdelta::emulator {

/// The order in which threads that can run do run.
enum class Schedule { Fifo, Lifo, Random };

/// When an asynchronous copy writes its destination: at once, as late as the
/// memory model allows, or at a random moment between.
enum class Completion { Eager, Lazy, Random };

/// How to run a kernel.
struct LaunchConfig {
  Dim3 grid;
  Dim3 block;
  /// Bytes of the external zero-sized shared array, if the kernel has one.
  uint32_t dynamicSharedBytes = 0;

  Schedule schedule = Schedule::Fifo;
  Completion completion = Completion::Lazy;
  /// Of the random schedule and completion. Equal seeds give equal runs, for
  /// any number of workers, unless a block gets stuck.
  uint64_t seed = 1;
  /// Without the checks, shared memory is not watched for races, initialisation
  /// and proxy fences; bounds, alignment and barriers always are.
  bool check = true;
  /// Operating system threads that blocks are shared among.
  uint32_t workers = 1;
  /// Different reports kept; repetitions only count.
  uint32_t maxReports = 32;
  /// Memory accesses a thread may make without waiting for anything, after
  /// which the launch ends as a deadlock (a loop that polls in vain).
  uint64_t maxPolls = uint64_t(1) << 32;
};

/// Global memory that a kernel may touch.
struct Buffer {
  std::string name;
  void *data = nullptr;
  uint64_t bytes = 0;
  bool writable = true;
};

/// What a launch did, over all its blocks.
struct Counts {
  /// Of global memory, by loads, stores, atomics, cp.async and TMA. What TMA
  /// fills with zeros or clips does not count.
  uint64_t bytesRead = 0, bytesWritten = 0;
  /// Loads and stores of shared memory by threads.
  uint64_t sharedAccesses = 0;
  /// Completed phases of bar.sync and its relatives.
  uint64_t barriers = 0;
  /// Completed phases of mbarriers.
  uint64_t mbarrierPhases = 0;
  /// mma.sync, one for a warp; wgmma.mma_async, one for a warpgroup.
  uint64_t mma = 0, wgmma = 0;
  /// cp.async instructions, one for a thread; TMA and bulk copies.
  uint64_t asyncCopies = 0, bulkCopies = 0;
  /// Other warp-wide operations: shuffles, votes, ldmatrix.
  uint64_t warpOperations = 0;

  Counts &operator+=(const Counts &other);
};

/// The result of a launch.
struct Outcome {
  /// In the order found; blocks in order. Empty for a clean run.
  std::vector<Report> reports;
  /// Reports that did not fit `maxReports`.
  uint64_t dropped = 0;
  Counts counts;
  /// Whether every thread of every block ended.
  bool completed = false;

  bool clean() const { return completed && reports.empty(); }
  /// All reports, a line each; "" for none.
  std::string text() const;
};

/// A parameter of a kernel. A by-value aggregate (a tensor map, a struct of
/// arguments) is passed by the address of its bytes, as a scalar is.
struct Parameter {
  uint32_t bytes = 0;
  uint32_t alignment = 1;
  bool byValue = false;
};

/// A variable in shared memory. Variables are placed with the alignment they
/// ask for and never a larger one, with unused bytes between them.
struct SharedVariable {
  std::string name;
  uint32_t offset = 0, bytes = 0, alignment = 1;
};

/// The compiled code of a kernel: `context` is the emulator's, `arguments`
/// holds the addresses of the parameters.
using EntryFunction = void (*)(void *context, void *const *arguments);

struct ProgramImpl;

/// A kernel of a program.
struct Kernel {
  std::string name;
  std::vector<Parameter> parameters;
  /// Limits of the block, from the kernel's attributes; 0 where there is none.
  uint32_t maxThreads = 0;
  /// Static shared memory as ptxas counts it.
  uint32_t staticSharedBytes = 0;
  EntryFunction entry = nullptr;
  const ProgramImpl *program = nullptr;
};

/// A prepared module: code and the text that describes it.
class Program {
public:
  Program(Program &&);
  Program &operator=(Program &&);
  ~Program();

  /// Binds every operation that `description` names. `lookup` gives the entry
  /// of a kernel by its symbol; null for one that is not there. Returns null
  /// and says why in `error` when the description is malformed or from another
  /// version, or names an operation that the emulator does not know.
  static std::unique_ptr<Program>
  load(std::string_view description,
       const std::function<EntryFunction(const std::string &symbol)> &lookup,
       std::string &error);

  const std::vector<Kernel> &kernels() const;
  /// Null when there is none of this name.
  const Kernel *find(std::string_view name) const;
  const std::vector<SharedVariable> &sharedVariables() const;

private:
  explicit Program(std::unique_ptr<ProgramImpl> impl);
  std::unique_ptr<ProgramImpl> impl;
};

/// The symbol of a prepared module that holds its description, a text that
/// ends with a zero byte.
constexpr const char *kDescriptionSymbol = "qdelta_emulator_description";

/// Runs `kernel`. `arguments` holds the address of each parameter's value, as
/// for cuLaunchKernel. Blocks run in order, `config.workers` at a time, so a
/// kernel whose blocks wait for each other does not end. A configuration that
/// does not fit the kernel is itself a report, and nothing runs.
Outcome launch(const Kernel &kernel, const LaunchConfig &config,
               const std::vector<Buffer> &buffers, void *const *arguments);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_EMULATOR_H

//===- Report.h - what the emulator found -----------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_REPORT_H
#define QDELTA_EMULATOR_REPORT_H

#include <cstdint>
#include <string>

namespace qdelta::emulator {

/// Extents, or a position, in a grid or block.
struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;

  uint64_t count() const { return uint64_t(x) * y * z; }
  bool operator==(const Dim3 &) const = default;
};

/// The kinds of defect that the emulator tells apart.
enum class ReportKind {
  /// Shared memory: an access not ordered after an earlier one.
  ReadAfterWrite,
  WriteAfterRead,
  WriteAfterWrite,
  /// The async proxy touches what the generic proxy wrote, ordered, but without
  /// fence.proxy.async.
  MissingProxyFence,
  /// A read of shared memory that nothing has written.
  Uninitialised,
  SharedOutOfBounds,
  GlobalOutOfBounds,
  Misaligned,
  /// bar.sync and relatives: counts, or threads that ended.
  Barrier,
  /// An mbarrier used before its init, initialised twice, or arrived at too
  /// often.
  Mbarrier,
  /// A plain access to the bytes of an mbarrier.
  MbarrierClobber,
  /// An mbarrier in the middle of a phase when the block ends.
  MbarrierAtExit,
  /// Lanes of a warp at different .aligned operations, or a partial warp at an
  /// operation of a whole one.
  WarpDivergence,
  /// A lane outside its own member mask, or a shuffle from one outside.
  WarpMask,
  /// An operation of a whole warp, lanes of which have ended.
  ExitedLane,
  /// wgmma.mma_async with registers that wgmma.fence has not ordered.
  WgmmaFence,
  /// Accumulators touched before the wgmma that writes them is waited for.
  WgmmaAccumulator,
  /// Descriptors that differ in a warpgroup or ask for what is not modelled.
  WgmmaDescriptor,
  /// wgmma, cp.async or bulk copies not waited for when their thread ends.
  AsyncAtExit,
  /// A tensor map, or a copy with it, that the hardware would refuse.
  TensorMap,
  /// Threads wait and nothing can wake them; ends the launch.
  Deadlock,
  /// The kernel trapped; ends the thread.
  Trap,
  /// The launch does not fit the kernel or the hardware.
  Launch,
};

/// The name a report's text starts with, for example "RACE read-after-write".
const char *name(ReportKind kind);

/// One of the two sides of a conflict.
struct Site {
  /// The operation: an intrinsic without "llvm.nvvm.", a PTX mnemonic, "load".
  std::string op;
  /// `file:line:col`, or the instruction where there is no debug location.
  std::string location;
  /// "thread 5", "async copy of thread 5", "wgmma of warpgroup 1".
  std::string agent;
};

/// A finding. Equal findings (kind and both sites' locations) are one report.
struct Report {
  ReportKind kind;
  /// One line that says it all.
  std::string text;
  /// What was found faulty.
  Site site;
  /// What it conflicts with; empty fields where there is nothing.
  Site other;
  /// Linear index in its block of the thread that the first case was found in.
  uint32_t thread = 0;
  Dim3 block{0, 0, 0};
  /// Cases found.
  uint64_t count = 1;
};

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_REPORT_H

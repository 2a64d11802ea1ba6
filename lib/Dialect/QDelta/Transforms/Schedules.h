//===- Schedules.h - how a list or a prescan runs on a target ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
// What -qdelta-select-schedule chooses from: one file for CPUs, one for GPUs.
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_SCHEDULES_H
#define QDELTA_TRANSFORMS_SCHEDULES_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Target/GpuTarget.h"
#include "qdelta/Target/TargetTable.h"

namespace qdelta {

/// What the caller of the pass asks for.
struct ScheduleOptions {
  /// auto, recurrent or chunked.
  llvm::StringRef mode;
  /// Tokens of a chunk; 0 leaves them to the schedule.
  int64_t chunk;
};

/// Writes the schedule of a list on a CPU. Options and shapes are checked.
void scheduleOnCpu(AffineScanOp op, const Target &target,
                   const ScheduleOptions &options);

/// Writes the schedule of a prescan on a CPU: in rows if the lists next to it
/// do, whose schedules are there.
void scheduleOnCpu(PrescanOp op, const Target &target);

/// Writes the schedule of a list on a GPU, or says what no kernel covers. With
/// mode = auto, what chunks do not cover becomes a token loop, with a remark.
llvm::LogicalResult scheduleOnGpu(AffineScanOp op, const GpuTarget &target,
                                  const ScheduleOptions &options);

/// The same for a prescan: a warp for each run of tokens.
llvm::LogicalResult scheduleOnGpu(PrescanOp op, const GpuTarget &target);

/// Whether GPU kernels, which run one after the other, read the state's value
/// side as this op has it.
llvm::LogicalResult checkOnGpu(TransposeStateOp op);

/// Whether a CPU takes the list token by token only: a chunk of several tokens
/// would have a system for each value column, or no numbers for what states
/// become of one another.
bool needsSingleTokens(AffineScanOp op);

/// Whether the list is of a summary: products of P, one token's after the
/// other's, are never rounded (docs/Decisions/0023).
bool isOfSummary(AffineScanOp op);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_SCHEDULES_H

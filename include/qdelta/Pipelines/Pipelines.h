//===- Pipelines.h - the passes between two phases --------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_PIPELINES_PIPELINES_H
#define QDELTA_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"

namespace qdelta {

struct CompileOptions;

/// The phases of `docs/Pipelines.md`, in order.
enum class Phase { Recurrence, Affine, Chunked, Linalg, Buffers, Target };

/// The name of a phase, as tools, dumps and errors spell it.
llvm::StringRef phaseName(Phase phase);

/// The phase called `name`, if there is one.
std::optional<Phase> findPhase(llvm::StringRef name);

/// Whether the target is a row of the table of GPU targets. There is no linalg
/// phase then: the chunk form is lowered to threads.
bool isForGpu(const CompileOptions &options);

/// Adds the passes that take a module in the phase before `phase` to `phase`,
/// and the check of its invariant.
void addPassesTo(Phase phase, mlir::OpPassManager &pm,
                 const CompileOptions &options);

/// Registers `-qdelta-to-<phase>` pipelines: from the phase before it.
void registerPipelines();

} // namespace qdelta

#endif // QDELTA_PIPELINES_PIPELINES_H

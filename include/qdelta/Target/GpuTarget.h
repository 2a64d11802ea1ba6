//===- GpuTarget.h - what is known of each GPU target -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TARGET_GPUTARGET_H
#define QDELTA_TARGET_GPUTARGET_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace qdelta {

/// How a target's tensor cores are addressed.
enum class TensorCores {
  Warp,     ///< mma.sync on fragments in registers
  WarpGroup ///< wgmma: four warps, one operand in shared memory
};

/// One row of the table of GPU targets.
struct GpuTarget {
  /// LLVM's and ptxas's name of the architecture.
  llvm::StringLiteral name;
  /// PTX version to emit, as an LLVM feature.
  llvm::StringLiteral features;
  /// Dynamic shared memory that one CTA can ask for, in bytes.
  int64_t sharedBytes;
  TensorCores tensorCores;
};

/// All rows.
llvm::ArrayRef<GpuTarget> gpuTargetTable();

/// The row called `name`; null if there is none.
const GpuTarget *findGpuTarget(llvm::StringRef name);

} // namespace qdelta

#endif // QDELTA_TARGET_GPUTARGET_H

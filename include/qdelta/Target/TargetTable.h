//===- TargetTable.h - what is known of each target -------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TARGET_TARGETTABLE_H
#define QDELTA_TARGET_TARGETTABLE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace qdelta {

/// One row of the target table. Schedules are chosen from these numbers alone.
struct Target {
  llvm::StringLiteral name;
  /// LLVM's processor and feature names; empty means the machine's own.
  llvm::StringLiteral cpu, features;
  /// What an artefact says that its code needs; `canRun` of the runtime knows
  /// the same names.
  llvm::StringLiteral arch;
  /// f32 lanes of a vector register, and how many registers there are.
  int64_t lanes, registers;
  /// Bytes of the first-level data cache.
  int64_t l1Bytes;
  /// Vector registers a row of a value block should fill, if they suffice.
  int64_t vectorsPerRow;
  /// Whether it multiplies pairs of bf16 and adds both products to an f32.
  bool bf16Pairs;
};

/// All rows, best first.
llvm::ArrayRef<Target> targetTable();

/// The row called `name`, or the best one that this machine can run for
/// `host`; null if there is none.
const Target *findTarget(llvm::StringRef name);

} // namespace qdelta

#endif // QDELTA_TARGET_TARGETTABLE_H

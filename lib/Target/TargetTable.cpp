//===- TargetTable.cpp - what is known of each target ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Target/TargetTable.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

using namespace qdelta;

// A row of one vector register leaves the load ports the bottleneck on cores
// with two full-width FMA units: every multiply-add then needs a broadcast of
// its own. Two registers a row share it.
static constexpr Target kTargets[] = {
    {"avx512", "x86-64-v4", "-prefer-256-bit", 16, 32, 32 << 10, 2},
    {"avx2", "x86-64-v3", "", 8, 16, 32 << 10, 2},
    // Not a machine: the slow and obvious pipeline, which vectorises nothing.
    {"scalar", "x86-64", "", 1, 16, 32 << 10, 1},
};

llvm::ArrayRef<Target> qdelta::targetTable() { return kTargets; }

const Target *qdelta::findTarget(llvm::StringRef name) {
  if (name == "host") {
    auto features = llvm::sys::getHostCPUFeatures();
    name = features.lookup("avx512f") && features.lookup("avx512vl") ? "avx512"
                                                                     : "avx2";
  }
  for (const Target &target : kTargets)
    if (target.name == name)
      return &target;
  return nullptr;
}

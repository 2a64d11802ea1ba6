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
    {"avx512bf16", "x86-64-v4", "+avx512bf16,-prefer-256-bit",
     "x86-64-v4+avx512bf16", 16, 32, 32 << 10, 2, true},
    {"avx512", "x86-64-v4", "-prefer-256-bit", "x86-64-v4", 16, 32, 32 << 10, 2,
     false},
    {"avx2", "x86-64-v3", "", "x86-64-v3", 8, 16, 32 << 10, 2, false},
    // Not a machine: the slow and obvious pipeline, which vectorises nothing.
    {"scalar", "x86-64", "", "x86-64", 1, 16, 32 << 10, 1, false},
};

llvm::ArrayRef<Target> qdelta::targetTable() { return kTargets; }

const Target *qdelta::findTarget(llvm::StringRef name) {
  if (name == "host") {
    auto features = llvm::sys::getHostCPUFeatures();
    bool isWide = features.lookup("avx512f") && features.lookup("avx512vl") &&
                  features.lookup("avx512bw");
    name = !isWide                         ? "avx2"
           : features.lookup("avx512bf16") ? "avx512bf16"
                                           : "avx512";
  }
  for (const Target &target : kTargets)
    if (target.name == name)
      return &target;
  return nullptr;
}

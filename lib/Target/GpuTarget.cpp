//===- GpuTarget.cpp - what is known of each GPU target -------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Target/GpuTarget.h"

using namespace qdelta;

// Shared memory: CUDA C++ Programming Guide, technical specifications per
// compute capability.
static constexpr GpuTarget kTargets[] = {
    {"sm_80", "+ptx80", 163 << 10, TensorCores::Warp},
    {"sm_86", "+ptx80", 99 << 10, TensorCores::Warp},
    {"sm_89", "+ptx80", 99 << 10, TensorCores::Warp},
    {"sm_90", "+ptx80", 227 << 10, TensorCores::Warp},
    {"sm_90a", "+ptx80", 227 << 10, TensorCores::WarpGroup},
    {"sm_100a", "+ptx86", 227 << 10, TensorCores::Warp},
    {"sm_103a", "+ptx88", 227 << 10, TensorCores::Warp},
    {"sm_120a", "+ptx87", 99 << 10, TensorCores::Warp},
};

llvm::ArrayRef<GpuTarget> qdelta::gpuTargetTable() { return kTargets; }

const GpuTarget *qdelta::findGpuTarget(llvm::StringRef name) {
  for (const GpuTarget &target : kTargets)
    if (target.name == name)
      return &target;
  return nullptr;
}

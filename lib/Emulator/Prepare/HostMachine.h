//===- HostMachine.h - the machine that prepared code is for ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_PREPARE_HOSTMACHINE_H
#define QDELTA_EMULATOR_PREPARE_HOSTMACHINE_H

#include "llvm/Support/Error.h"

#include <memory>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace qdelta::emulator {

/// An x86-64 machine of the third level (AVX2, FMA, F16C), for position
/// independent code.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createHostMachine();

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_PREPARE_HOSTMACHINE_H

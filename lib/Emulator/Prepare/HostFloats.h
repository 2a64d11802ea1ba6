//===- HostFloats.h - conversions without a library -------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_PREPARE_HOSTFLOATS_H
#define QDELTA_EMULATOR_PREPARE_HOSTFLOATS_H

namespace llvm {
class Function;
} // namespace llvm

namespace qdelta::emulator {

/// Writes conversions from float to bfloat in integer arithmetic, so that they
/// need no library and are the same on machines with and without AVX512-BF16.
void expandHostFloats(llvm::Function &function);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_PREPARE_HOSTFLOATS_H

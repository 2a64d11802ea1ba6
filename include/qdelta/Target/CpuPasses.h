//===- CpuPasses.h - LLVM IR before code generation for CPUs ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TARGET_CPUPASSES_H
#define QDELTA_TARGET_CPUPASSES_H

namespace llvm {
class Module;
} // namespace llvm

namespace qdelta {

struct Target;

/// Readies a module for code generation for a row of the target table. Rows of
/// a state that fill several registers are split into these, in order of
/// address: code generation would split them too, but load and store the parts
/// in an order of its own, mostly from the last to the first, and memory serves
/// rows that are read so at half its rate. Addresses that a loop does not
/// change are computed before it, so that more of its loads are under way at
/// once.
void runCpuPasses(llvm::Module &module, const Target &target);

} // namespace qdelta

#endif // QDELTA_TARGET_CPUPASSES_H

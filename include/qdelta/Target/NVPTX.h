//===- NVPTX.h - from LLVM IR to PTX and cubins -----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TARGET_NVPTX_H
#define QDELTA_TARGET_NVPTX_H

#include "qdelta/Target/GpuTarget.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace llvm {
class Module;
} // namespace llvm

namespace qdelta {

/// The PTX of `module`, whose kernels have calling convention ptx_kernel. Runs
/// no passes on the IR, so it does not change; code generation optimises. What
/// the backend cannot select is an error.
llvm::Expected<std::string> emitPtx(const llvm::Module &module,
                                    const GpuTarget &target);

/// What ptxas says of one function.
struct FunctionUsage {
  std::string name;
  int64_t registers = 0;
  int64_t spillStores = 0, spillLoads = 0, stackBytes = 0;
  /// Static shared memory.
  int64_t sharedBytes = 0;
  /// Named barriers.
  int64_t barriers = 0;
};

/// A cubin and what ptxas said while making it.
struct Assembly {
  std::string cubin;
  std::vector<FunctionUsage> functions;
  /// Lines of warnings and of advice that costs speed (C75xx), as printed.
  std::vector<std::string> warnings;
};

/// Where ptxas may be besides PATH: CUDA_HOME/bin, /usr/local/cuda/bin and the
/// private folder that tools/dev/setup.sh fills.
std::vector<std::string> ptxasFolders();

/// The ptxas to use: from PATH, or else from these folders. The error lists
/// the places.
llvm::Expected<std::string>
findPtxas(llvm::ArrayRef<std::string> folders = ptxasFolders());

/// Assembles PTX for exactly `target`. The error holds what ptxas said.
llvm::Expected<Assembly> assemble(llvm::StringRef ptx, const GpuTarget &target);

/// The functions and warnings in what `ptxas -v` printed; lines of other kinds
/// are skipped.
Assembly parsePtxasOutput(llvm::StringRef text);

} // namespace qdelta

#endif // QDELTA_TARGET_NVPTX_H

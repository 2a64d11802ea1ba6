//===- DeviceCode.h - kernels compiled for a GPU ----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_PIPELINES_DEVICECODE_H
#define QDELTA_PIPELINES_DEVICECODE_H

#include "qdelta/Pipelines/Compile.h"
#include "qdelta/Target/NVPTX.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <memory>
#include <string>
#include <vector>

namespace llvm {
class Module;
} // namespace llvm

namespace qdelta {

namespace emulator {
class JitProgram;
} // namespace emulator

/// An argument of a kernel, as in qdeltaArgument.
struct ArgumentDescription {
  std::string name;
  qdeltaRole role = QDELTA_ROLE_TOKEN;
  DLDataType dtype = {kDLFloat, 32, 1};
  std::vector<int64_t> shape;
  qdeltaDomain domain = QDELTA_DOMAIN_ANY;
  /// Of QDELTA_DOMAIN_RANGE.
  double low = 0, high = 0;
  int32_t usualHeads = 0;
};

/// One of several kernels of a launch, as in qdeltaKernelStep.
struct DeviceStep {
  std::string entry;
  int64_t threads = 0, sharedBytes = 0;
  int64_t blocks = 1, tokens = 0;
  int64_t numInputs = 0;
  std::vector<int32_t> tensors;
  std::vector<qdeltaTensorMap> tensorMaps;
};

/// One kernel for one GPU target, in one or more forms. How it is launched and
/// what its parameters are is in qdelta/Runtime/DeviceKernel.h.
struct DeviceCode {
  /// The kernel of the module that this is code for.
  std::string kernel;
  /// A row of the table of GPU targets.
  std::string target;
  /// The symbol of the ptx_kernel.
  std::string entry;
  /// Value columns that a CTA computes.
  int64_t columns = 0;
  /// Threads of a CTA, and bytes of its dynamic shared memory.
  int64_t threads = 0, sharedBytes = 0;
  /// The tensor maps that follow the first parameter, in order.
  std::vector<qdeltaTensorMap> tensorMaps;
  /// In place of the above, if a launch is several kernels, and the sequences
  /// that they make for one another.
  std::vector<DeviceStep> steps;
  std::vector<ArgumentDescription> workspaces;

  /// The forms; empty or null where there is none.
  std::string ptx, cubin;
  /// An ELF shared object for the emulator, for artefacts.
  std::string emulated;
  /// The same in this process.
  std::shared_ptr<emulator::JitProgram> program;
  /// What ptxas said if there is a cubin: registers, spills, warnings.
  Assembly assembly;
};

/// Which forms of a kernel to make.
struct DeviceForms {
  bool ptx = true, cubin = true, emulated = true, program = false;
};

/// Called with a line about something that was left out, without a stop.
using RemarkHandler = llvm::function_ref<void(llvm::StringRef)>;

/// Makes the forms of `code` out of the LLVM IR of its kernel, which does not
/// change. `code` says the target and the entry. A cubin that ptxas cannot
/// make, or that no ptxas is there for, is a remark; everything else is an
/// error.
llvm::Error addForms(DeviceCode &code, const llvm::Module &module,
                     const DeviceForms &forms, RemarkHandler remark);

/// Compiles every kernel of `module`, which is changed on the way, for a row of
/// the table of GPU targets.
llvm::Expected<std::vector<DeviceCode>>
compileDevice(mlir::ModuleOp module, const CompileOptions &options,
              llvm::StringRef target, const DeviceForms &forms,
              RemarkHandler remark);

/// Compiles every entry function of `module`, which is changed on the way, for
/// the GPU target `options.target`.
llvm::Expected<std::unique_ptr<Executable>>
compileForGpu(mlir::ModuleOp module, const CompileOptions &options,
              const DeviceForms &forms, RemarkHandler remark);

} // namespace qdelta

#endif // QDELTA_PIPELINES_DEVICECODE_H

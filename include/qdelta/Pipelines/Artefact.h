//===- Artefact.h - writing compiled modules to files -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_PIPELINES_ARTEFACT_H
#define QDELTA_PIPELINES_ARTEFACT_H

#include "qdelta/Pipelines/DeviceCode.h"

#include "mlir/IR/BuiltinAttributes.h"

#include <string>
#include <vector>

namespace qdelta {

/// A kernel without its code.
struct KernelDescription {
  std::string name;
  std::vector<ArgumentDescription> arguments;
  int64_t work = 0;
  /// Segments that a launch on a CPU splits sequences into, and the kernels
  /// that this takes; the first is "" if it is this one, the last if there is
  /// none.
  int64_t segments = 0;
  std::string run, summary, apply, advance;
};

/// Sets an argument's domain to what its attributes in the recurrence say.
void readDomain(mlir::DictionaryAttr attrs, ArgumentDescription &argument);

/// Code for a GPU or its emulator, to be launched from memory.
std::unique_ptr<Executable>
makeExecutable(llvm::ArrayRef<KernelDescription> kernels,
               std::vector<DeviceCode> codes);

/// CPU code of all kernels of a module.
struct HostCode {
  std::string triple;
  /// LLVM's name of the processor that it was made for.
  std::string cpu;
  /// An ELF shared object with a qdeltaEntry for every kernel.
  std::string sharedObject;
  /// The symbols, in the order of the kernels.
  std::vector<std::string> entries;
};

/// The bytes of an artefact (qdelta/Runtime/ArtefactFormat.h): an entry for
/// each `host` and for each form of each of `devices` but those in memory.
llvm::Expected<std::string>
packArtefact(llvm::ArrayRef<KernelDescription> kernels,
             llvm::ArrayRef<HostCode> hosts,
             llvm::ArrayRef<DeviceCode> devices);

/// Compiles `module` for each target, a row of the target table, `host` or a
/// row of the table of GPU targets, and writes one artefact. The module does
/// not change. The file is replaced only when all is done.
llvm::Error writeArtefact(mlir::ModuleOp module, const CompileOptions &options,
                          llvm::ArrayRef<std::string> targets,
                          llvm::StringRef path, RemarkHandler remark);

} // namespace qdelta

#endif // QDELTA_PIPELINES_ARTEFACT_H

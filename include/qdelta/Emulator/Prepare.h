//===- Prepare.h - makes NVPTX kernels run on the CPU -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_PREPARE_H
#define QDELTA_EMULATOR_PREPARE_H

#include "qdelta/Emulator/Emulator.h"

#include "llvm/Support/Error.h"

namespace llvm {
class Module;
class raw_pwrite_stream;
} // namespace llvm

namespace qdelta::emulator {

/// Rewrites `module`, the LLVM IR that the NVPTX backend would get, into IR for
/// this machine: every NVPTX intrinsic, inline assembly and access to shared or
/// global memory becomes a call of the emulator, reached through the context.
/// Kernels (calling convention ptx_kernel) become entries of type
/// `EntryFunction` under their own names; the description of the module is the
/// constant `kDescriptionSymbol`. Device functions are inlined. Names every
/// operation that the emulator does not know in the error; the module is of no
/// use then.
llvm::Error prepare(llvm::Module &module);

/// Writes the relocatable x86-64 object of a prepared module, position
/// independent code without undefined symbols.
llvm::Error emitObject(llvm::Module &module, llvm::raw_pwrite_stream &stream);

/// A program in the memory of this process.
class JitProgram {
public:
  virtual ~JitProgram() = default;
  virtual const Program &program() const = 0;
};

/// Prepares `module`, compiles it and loads it into this process. The module is
/// rewritten, not kept.
llvm::Expected<std::unique_ptr<JitProgram>> jit(llvm::Module &module);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_PREPARE_H

//===- KernelRewriter.h - calls of the emulator in a kernel -----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_PREPARE_KERNELREWRITER_H
#define QDELTA_EMULATOR_PREPARE_KERNELREWRITER_H

#include "OperationTable.h"

#include "llvm/IR/IRBuilder.h"

namespace qdelta::emulator {

/// Puts calls of the emulator into one kernel, whose first argument is the
/// context.
class KernelRewriter {
public:
  KernelRewriter(llvm::Function &kernel, OperationTable &table);

  /// Rewrites the whole body.
  void run();

private:
  // Accesses.cpp
  void rewriteAccess(llvm::Instruction &access);
  void rewriteMemoryIntrinsic(llvm::CallInst &call);

  // Calls.cpp
  void rewriteCall(llvm::CallInst &call);
  void rewriteIntrinsic(llvm::CallInst &call);
  void rewriteAsm(llvm::CallInst &call);
  void rewriteRegister(llvm::CallInst &call, uint32_t number);

  /// Replaces `call` by the operation `name` on `arguments`. Returns the call
  /// of the handler.
  void replaceByOperation(llvm::CallInst &call, const std::string &name,
                          llvm::ArrayRef<llvm::Value *> arguments);
  llvm::Value *toWord(llvm::Value *value);
  llvm::Value *fromWord(llvm::Value *word, llvm::Type *type);
  /// The address of field `offset` of the context.
  llvm::Value *contextField(size_t offset);

  llvm::Function &kernel;
  OperationTable &table;
  llvm::IRBuilder<> builder;
  llvm::Type *word;
  llvm::PointerType *pointer;
  /// Loaded once, at the entry.
  llvm::Value *context, *entries, *bindings;
  /// Room for the operands of one operation.
  llvm::Value *arguments, *results;
};

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_PREPARE_KERNELREWRITER_H

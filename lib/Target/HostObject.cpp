//===- HostObject.cpp - LLVM IR to objects for CPUs -----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Target/SharedObject.h"

#include "TemporaryFiles.h"

#include "qdelta/Target/CpuPasses.h"
#include "qdelta/Target/TargetTable.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace qdelta;

llvm::Expected<std::string>
qdelta::emitHostObject(llvm::Module &module, const Target &row,
                       llvm::ArrayRef<std::string> entries) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string problem;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, problem);
  if (!target)
    return makeError(problem);
  // As for code in memory: the IR is vector code already.
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, row.cpu, row.features, {}, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
  module.setTargetTriple(triple);
  module.setDataLayout(machine->createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);
  for (llvm::Function &function : module)
    if (!function.isDeclaration() &&
        !llvm::is_contained(entries, function.getName()))
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  runCpuPasses(module, row);

  llvm::SmallString<0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr,
                                   llvm::CodeGenFileType::ObjectFile))
    return makeError("cannot make objects for " + triple.str());
  passes.run(module);
  return object.str().str();
}

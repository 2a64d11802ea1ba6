//===- NVPTX.cpp - LLVM IR to PTX -----------------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Target/NVPTX.h"

#include "TemporaryFiles.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <mutex>

using namespace qdelta;
using llvm::StringRef;

// What llvm/Support/TargetSelect.h declares for every target at once.
extern "C" {
void LLVMInitializeNVPTXTarget();
void LLVMInitializeNVPTXTargetInfo();
void LLVMInitializeNVPTXTargetMC();
void LLVMInitializeNVPTXAsmPrinter();
}

namespace {
/// Keeps the errors that a backend would print before it ends the process.
class ErrorCollector : public llvm::DiagnosticHandler {
public:
  explicit ErrorCollector(std::string &text) : text(text) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() != llvm::DS_Error)
      return true;
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    stream << (text.empty() ? "" : "; ");
    info.print(printer);
    return true;
  }

private:
  std::string &text;
};
} // namespace

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createMachine(const GpuTarget &row, const llvm::Triple &triple) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  std::string problem;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, problem);
  if (!target)
    return makeError(problem);
  // Never below Aggressive: ptxas then has to serialise wgmma and spills.
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, row.name, row.features, {}, std::nullopt, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
}

llvm::Expected<std::string> qdelta::emitPtx(const llvm::Module &source,
                                            const GpuTarget &target) {
  llvm::Triple triple("nvptx64-nvidia-cuda");
  auto machine = createMachine(target, triple);
  if (!machine)
    return machine.takeError();
  // Code generation rewrites the module.
  std::unique_ptr<llvm::Module> module = llvm::CloneModule(source);
  module->setTargetTriple(triple);
  module->setDataLayout((*machine)->createDataLayout());

  std::string errors;
  llvm::LLVMContext &context = module->getContext();
  auto previous = context.getDiagnosticHandler();
  context.setDiagnosticHandler(std::make_unique<ErrorCollector>(errors));
  llvm::SmallString<0> ptx;
  llvm::raw_svector_ostream stream(ptx);
  llvm::legacy::PassManager passes;
  bool unsupported = (*machine)->addPassesToEmitFile(
      passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile);
  if (!unsupported)
    passes.run(*module);
  context.setDiagnosticHandler(std::move(previous));
  if (unsupported)
    return makeError("the NVPTX backend cannot print PTX");
  if (!errors.empty())
    return makeError("cannot make PTX for " + target.name + ": " + errors);
  return ptx.str().str();
}

//===- Object.cpp - objects of prepared modules ---------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Emulator/Prepare.h"

#include "HostMachine.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace qdelta::emulator;
using namespace llvm;

Expected<std::unique_ptr<TargetMachine>> qdelta::emulator::createHostMachine() {
  static bool initialized = [] {
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
    return true;
  }();
  (void)initialized;
  Triple triple("x86_64-unknown-linux-gnu");
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError(error);
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(
      triple, "x86-64-v3", "", TargetOptions(), Reloc::PIC_, CodeModel::Small,
      CodeGenOptLevel::None));
}

/// Code that needs a library would need it wherever the object is loaded.
static Error checkSelfContained(MemoryBufferRef buffer) {
  Expected<std::unique_ptr<object::ObjectFile>> file =
      object::ObjectFile::createObjectFile(buffer);
  if (!file)
    return file.takeError();
  std::string missing;
  for (const object::SymbolRef &symbol : (*file)->symbols()) {
    Expected<uint32_t> flags = symbol.getFlags();
    if (!flags)
      return flags.takeError();
    if (!(*flags & object::SymbolRef::SF_Undefined))
      continue;
    Expected<StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    // The offset table is an artefact of the relocations.
    if (!name->empty() && *name != "_GLOBAL_OFFSET_TABLE_")
      missing += (missing.empty() ? "" : ", ") + name->str();
  }
  if (missing.empty())
    return Error::success();
  return createStringError("cannot emulate the module: it needs " + missing);
}

Error qdelta::emulator::emitObject(Module &module, raw_pwrite_stream &stream) {
  Expected<std::unique_ptr<TargetMachine>> machine = createHostMachine();
  if (!machine)
    return machine.takeError();
  SmallVector<char, 0> bytes;
  raw_svector_ostream buffer(bytes);
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, buffer, nullptr,
                                      CodeGenFileType::ObjectFile))
    return createStringError("this LLVM cannot write objects");
  passes.run(module);
  StringRef object(bytes.data(), bytes.size());
  if (Error error = checkSelfContained({object, "emulated kernels"}))
    return error;
  stream << object;
  return Error::success();
}

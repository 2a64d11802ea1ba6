//===- Jit.cpp - loading prepared kernels into this process ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Emulator/Prepare.h"

#include "HostMachine.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace qdelta::emulator;
using namespace llvm;

namespace {
class LoadedProgram : public JitProgram {
public:
  explicit LoadedProgram(std::unique_ptr<orc::LLJIT> jit)
      : jit(std::move(jit)) {}

  const Program &program() const override { return *loaded; }

  std::unique_ptr<orc::LLJIT> jit;
  std::unique_ptr<Program> loaded;
};
} // namespace

Expected<std::unique_ptr<JitProgram>> qdelta::emulator::jit(Module &module) {
  if (Error error = prepare(module))
    return error;
  SmallVector<char, 0> bytes;
  raw_svector_ostream stream(bytes);
  if (Error error = emitObject(module, stream))
    return error;
  auto builder = orc::LLJITBuilder();
  builder.setJITTargetMachineBuilder(
      orc::JITTargetMachineBuilder(Triple("x86_64-unknown-linux-gnu")));
  Expected<std::unique_ptr<orc::LLJIT>> engine = builder.create();
  if (!engine)
    return engine.takeError();
  auto program = std::make_unique<LoadedProgram>(std::move(*engine));
  if (Error error = program->jit->addObjectFile(
          std::make_unique<SmallVectorMemoryBuffer>(std::move(bytes))))
    return error;
  Expected<orc::ExecutorAddr> description =
      program->jit->lookup(kDescriptionSymbol);
  if (!description)
    return description.takeError();
  auto lookup = [&](const std::string &symbol) -> EntryFunction {
    Expected<orc::ExecutorAddr> address = program->jit->lookup(symbol);
    if (address)
      return address->toPtr<EntryFunction>();
    consumeError(address.takeError());
    return nullptr;
  };
  std::string error;
  program->loaded =
      Program::load(description->toPtr<const char *>(), lookup, error);
  if (!program->loaded)
    return createStringError(error);
  return program;
}

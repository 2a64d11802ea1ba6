//===- DeviceCode.cpp - the forms of a GPU kernel -------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Pipelines/DeviceCode.h"

#include "qdelta/Emulator/Prepare.h"
#include "qdelta/Target/SharedObject.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace qdelta;

static llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

static llvm::Error addEmulated(DeviceCode &code, const llvm::Module &module) {
  std::unique_ptr<llvm::Module> copy = llvm::CloneModule(module);
  if (llvm::Error error = emulator::prepare(*copy))
    return error;
  llvm::SmallString<0> object;
  llvm::raw_svector_ostream stream(object);
  if (llvm::Error error = emulator::emitObject(*copy, stream))
    return error;
  auto shared = linkSharedObject(object);
  if (!shared)
    return shared.takeError();
  code.emulated = std::move(*shared);
  return llvm::Error::success();
}

llvm::Error qdelta::addForms(DeviceCode &code, const llvm::Module &module,
                             const DeviceForms &forms, RemarkHandler remark) {
  const GpuTarget *target = findGpuTarget(code.target);
  if (!target)
    return makeError("unknown GPU target '" + code.target + "'");
  auto check = [&](const std::string &name,
                   int64_t sharedBytes) -> llvm::Error {
    const llvm::Function *entry = module.getFunction(name);
    if (!entry || entry->isDeclaration() ||
        entry->getCallingConv() != llvm::CallingConv::PTX_Kernel)
      return makeError("the module has no kernel '" + name + "'");
    if (sharedBytes > target->sharedBytes)
      return makeError("kernel '" + name + "' needs " +
                       llvm::Twine(sharedBytes) +
                       " bytes of shared memory, but " + target->name +
                       " has " + llvm::Twine(target->sharedBytes));
    return llvm::Error::success();
  };
  if (code.steps.empty())
    if (llvm::Error error = check(code.entry, code.sharedBytes))
      return error;
  for (const DeviceStep &step : code.steps)
    if (llvm::Error error = check(step.entry, step.sharedBytes))
      return error;
  if (forms.ptx || forms.cubin) {
    auto ptx = emitPtx(module, *target);
    if (!ptx)
      return ptx.takeError();
    code.ptx = std::move(*ptx);
  }
  if (forms.cubin) {
    auto assembly = assemble(code.ptx, *target);
    if (assembly) {
      code.cubin = assembly->cubin;
      code.assembly = std::move(*assembly);
    } else {
      remark("kept PTX alone: " + llvm::toString(assembly.takeError()));
    }
  }
  if (forms.emulated)
    if (llvm::Error error = addEmulated(code, module))
      return error;
  if (!forms.program)
    return llvm::Error::success();
  std::unique_ptr<llvm::Module> copy = llvm::CloneModule(module);
  auto program = emulator::jit(*copy);
  if (!program)
    return program.takeError();
  code.program = std::move(*program);
  return llvm::Error::success();
}

//===- WriteArtefact.cpp - compiles a module for several targets ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Image.h"

#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Pipelines/Artefact.h"
#include "qdelta/Target/SharedObject.h"
#include "qdelta/Target/TargetTable.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace qdelta;

static llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// Says which of several targets an error is about.
static llvm::Error aboutTarget(llvm::StringRef target, llvm::Error error) {
  return makeError("target '" + target +
                   "': " + llvm::toString(std::move(error)));
}

/// CPU code for a row of the target table. The kernels are described on the way
/// if nothing has described them yet.
static llvm::Expected<HostCode>
compileHost(ModuleOp source, CompileOptions options, const Target &row,
            std::vector<KernelDescription> &kernels) {
  OwningOpRef<ModuleOp> module(source.clone());
  options.target = row.name.str();
  if (llvm::Error error = compileToPhase(*module, options, "target"))
    return std::move(error);
  std::vector<KernelDescription> described = describeKernels(*module);
  if (kernels.empty())
    kernels = described;

  HostCode host;
  host.triple = llvm::sys::getProcessTriple();
  host.cpu = row.arch.str();
  for (auto func : module->getOps<LLVM::LLVMFuncOp>())
    if (func->hasAttr(kArgumentsAttr) && !func.isExternal())
      host.entries.push_back(entrySymbol(func.getSymName()));
  llvm::LLVMContext context;
  auto code = translate(*module, context);
  if (!code)
    return code.takeError();
  auto object = emitHostObject(**code, row, host.entries);
  if (!object)
    return object.takeError();
  auto linked = linkSharedObject(*object);
  if (!linked)
    return linked.takeError();
  host.sharedObject = std::move(*linked);
  return host;
}

static llvm::Error checkTargets(llvm::ArrayRef<std::string> targets) {
  if (targets.empty())
    return makeError("expected at least one target");
  for (auto [i, name] : llvm::enumerate(targets)) {
    if (llvm::is_contained(targets.take_front(i), name))
      return makeError("target '" + name + "' is named twice");
    if (findTarget(name) || findGpuTarget(name))
      continue;
    std::string known = "host";
    for (const Target &row : targetTable())
      known += (", " + row.name).str();
    for (const GpuTarget &row : gpuTargetTable())
      known += (", " + row.name).str();
    return makeError("unknown target '" + name + "'; targets are " + known);
  }
  return llvm::Error::success();
}

llvm::Error qdelta::writeArtefact(ModuleOp module,
                                  const CompileOptions &options,
                                  llvm::ArrayRef<std::string> targets,
                                  llvm::StringRef path, RemarkHandler remark) {
  if (llvm::Error error = checkTargets(targets))
    return error;
  std::vector<KernelDescription> kernels;
  std::vector<HostCode> hosts;
  std::vector<DeviceCode> devices;
  for (const std::string &target : targets)
    if (const Target *row = findTarget(target)) {
      auto host = compileHost(module, options, *row, kernels);
      if (!host)
        return aboutTarget(target, host.takeError());
      hosts.push_back(std::move(*host));
    }
  for (const std::string &target : targets) {
    if (!findGpuTarget(target))
      continue;
    OwningOpRef<ModuleOp> copy(module.clone());
    auto codes = compileDevice(*copy, options, target, DeviceForms(), remark);
    if (!codes)
      return aboutTarget(target, codes.takeError());
    llvm::move(*codes, std::back_inserter(devices));
    if (kernels.empty())
      kernels = describeKernels(*copy);
  }
  if (kernels.empty())
    return makeError("the module has no kernels to write");
  auto bytes = packArtefact(kernels, hosts, devices);
  if (!bytes)
    return bytes.takeError();
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &stream) {
    stream << *bytes;
    return llvm::Error::success();
  });
}

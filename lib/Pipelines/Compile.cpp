//===- Compile.cpp - from a module to code in memory ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Pipelines/Compile.h"

#include "Image.h"

#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Pipelines/Pipelines.h"
#include "qdelta/Target/CpuPasses.h"
#include "qdelta/Target/TargetTable.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
using namespace qdelta;

Executable::~Executable() = default;

namespace {

llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// Code in this process, made by ORC.
class JitExecutable : public Executable {
public:
  JitExecutable(std::unique_ptr<llvm::orc::LLJIT> jit, ImageBuilder builder)
      : jit(std::move(jit)), builder(std::move(builder)),
        finished(this->builder.finish()) {}

  const qdeltaImage &image() const override { return finished; }

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
  ImageBuilder builder;
  const qdeltaImage &finished;
};

/// Code for a GPU or its emulator.
class DeviceExecutable : public Executable {
public:
  DeviceExecutable(llvm::ArrayRef<KernelDescription> kernels,
                   std::vector<DeviceCode> theCodes)
      : codes(std::move(theCodes)) {
    for (const KernelDescription &kernel : kernels)
      builder.addKernel(kernel, nullptr);
    for (const DeviceCode &code : codes)
      builder.addDevice(code);
    builder.finish();
  }

  const qdeltaImage &image() const override { return builder.get(); }

private:
  std::vector<DeviceCode> codes;
  ImageBuilder builder;
};

/// The machine to generate code for: the one at hand, or a named row.
llvm::Expected<llvm::orc::JITTargetMachineBuilder>
targetMachine(llvm::StringRef name) {
  auto machine = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!machine)
    return machine.takeError();
  const Target *row = findTarget(name);
  if (!row)
    return makeError("unknown target '" + name + "'");
  if (name != "host") {
    // Rows stand in order, what needs most first.
    if (row < findTarget("host"))
      return makeError("this machine cannot run code for target '" + name +
                       "'");
    machine->setCPU(row->cpu.str());
    machine->getFeatures() = llvm::SubtargetFeatures(row->features);
  }
  // The IR is vector code already: only code generation optimises.
  machine->setCodeGenOptLevel(llvm::CodeGenOptLevel::Aggressive);
  return machine;
}

/// The phases to run: after `from`, up to `to`. The recurrence phase's passes
/// only fix sizes, so they run for that phase itself.
llvm::Expected<std::vector<Phase>> phasesBetween(llvm::StringRef from,
                                                 llvm::StringRef to) {
  std::optional<Phase> first = findPhase(from), last = findPhase(to);
  for (auto [phase, name] : {std::pair(first, from), std::pair(last, to)})
    if (!phase)
      return makeError("unknown phase '" + name +
                       "'; phases are recurrence, affine, chunked, linalg, "
                       "buffers, target");
  if (*last < *first)
    return makeError("cannot compile from phase '" + from +
                     "' back to phase '" + to + "'");
  std::vector<Phase> phases;
  int begin = static_cast<int>(*first) + (*first == Phase::Recurrence ? 0 : 1);
  for (int phase = begin; phase <= static_cast<int>(*last); ++phase)
    phases.push_back(static_cast<Phase>(phase));
  return phases;
}

llvm::Error dump(ModuleOp module, llvm::StringRef folder, Phase phase) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return makeError("cannot create folder '" + folder +
                     "': " + code.message());
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, phaseName(phase) + ".mlir");
  std::error_code code;
  llvm::ToolOutputFile file(path, code, llvm::sys::fs::OF_Text);
  if (code)
    return makeError("cannot write '" + path.str() + "': " + code.message());
  module.print(file.os());
  file.os() << "\n";
  file.keep();
  return llvm::Error::success();
}
} // namespace

llvm::Error qdelta::compileToPhase(ModuleOp module,
                                   const CompileOptions &options,
                                   llvm::StringRef to) {
  if (!isForGpu(options) && options.engine != "cpu" &&
      options.engine != "scalar")
    return makeError("unknown engine '" + options.engine +
                     "'; compiled engines are cpu, scalar");
  auto phases = phasesBetween(options.from, to);
  if (!phases)
    return phases.takeError();
  if (!options.dumpPhasesTo.empty() && options.from != "recurrence")
    if (auto error =
            dump(module, options.dumpPhasesTo, *findPhase(options.from)))
      return error;
  if (isForGpu(options) && options.segments > 1)
    return makeError("segments split sequences over the threads of a CPU, "
                     "which target '" +
                     options.target + "' is not");
  if (isForGpu(options) && to == phaseName(Phase::Linalg))
    return makeError("there is no linalg phase for target '" + options.target +
                     "'");
  for (Phase phase : *phases) {
    if (isForGpu(options) && phase == Phase::Linalg)
      continue;
    PassManager pm(module->getName());
    addPassesTo(phase, pm, options);
    if (failed(pm.run(module)))
      return makeError("cannot compile to phase '" + phaseName(phase) + "'");
    if (options.dumpPhasesTo.empty())
      continue;
    if (auto error = dump(module, options.dumpPhasesTo, phase))
      return error;
  }
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<llvm::Module>>
qdelta::translate(ModuleOp module, llvm::LLVMContext &context) {
  // Descriptions of kernels look at recurrences, which LLVM knows nothing of.
  auto recurrences = llvm::to_vector(module.getOps<RecurrenceOp>());
  for (RecurrenceOp recurrence : recurrences)
    recurrence->remove();
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, context);
  for (RecurrenceOp recurrence : llvm::reverse(recurrences))
    module.getBody()->push_front(recurrence);
  if (code)
    return code;
  return makeError("cannot translate to LLVM IR");
}

llvm::Expected<std::unique_ptr<Executable>>
qdelta::compile(ModuleOp module, const CompileOptions &options) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  if (auto error = compileToPhase(module, options, "target"))
    return std::move(error);
  auto machine = targetMachine(options.target);
  if (!machine)
    return machine.takeError();

  auto context = std::make_unique<llvm::LLVMContext>();
  auto code = translate(module, *context);
  if (!code)
    return code.takeError();

  auto jit = llvm::orc::LLJITBuilder()
                 .setJITTargetMachineBuilder(std::move(*machine))
                 .create();
  if (!jit)
    return jit.takeError();
  (*code)->setDataLayout((*jit)->getDataLayout());
  (*code)->setTargetTriple((*jit)->getTargetTriple());
  runCpuPasses(**code, *findTarget(options.target));
  if (auto error = (*jit)->addIRModule(
          llvm::orc::ThreadSafeModule(std::move(*code), std::move(context))))
    return std::move(error);

  ImageBuilder builder;
  for (auto func : module.getOps<LLVM::LLVMFuncOp>()) {
    if (!func->hasAttr(kArgumentsAttr) || func.isExternal())
      continue;
    auto entry = (*jit)->lookup(entrySymbol(func.getSymName()));
    if (!entry)
      return entry.takeError();
    builder.addKernel(describeKernel(func), entry->toPtr<qdeltaEntry>());
  }
  return std::make_unique<JitExecutable>(std::move(*jit), std::move(builder));
}

llvm::Expected<std::unique_ptr<Executable>>
qdelta::compileForGpu(ModuleOp module, const CompileOptions &options,
                      const DeviceForms &forms, RemarkHandler remark) {
  auto codes = compileDevice(module, options, options.target, forms, remark);
  if (!codes)
    return codes.takeError();
  return makeExecutable(describeKernels(module), std::move(*codes));
}

std::unique_ptr<Executable>
qdelta::makeExecutable(llvm::ArrayRef<KernelDescription> kernels,
                       std::vector<DeviceCode> codes) {
  return std::make_unique<DeviceExecutable>(kernels, std::move(codes));
}

//===- Engines.cpp - running a recurrence in different ways --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Engines.h"
#include "arrays/DeviceTensors.h"
#include "data/Failure.h"
#include "qdelta/Pipelines/DeviceCode.h"

#include "mlir/IR/OwningOpRef.h"

#include <cmath>

using namespace qdelta;
using namespace qdelta::tools;
using llvm::StringRef;

llvm::Error tools::takeStatus(qdeltaStatus *status) {
  if (!status)
    return llvm::Error::success();
  // Codes from 9000 on are not about anything that the user gave.
  bool isInternal = qdeltaStatusGetCode(status) >= QDELTA_ERROR_OUT_OF_MEMORY;
  std::string message = qdeltaStatusGetMessage(status);
  qdeltaStatusDestroy(status);
  if (isInternal)
    return llvm::make_error<Failure>(InternalError, message);
  return userError(message);
}

LoadedKernel::LoadedKernel(LoadedKernel &&other)
    : code(std::move(other.code)), module(std::exchange(other.module, nullptr)),
      kernel(other.kernel), engine(other.engine) {}

LoadedKernel::~LoadedKernel() { qdeltaModuleDestroy(module); }

/// What a GPU engine needs; a target of `host` means the oldest one.
static llvm::Expected<std::unique_ptr<Executable>>
compileFor(mlir::ModuleOp module, const CompileOptions &options) {
  if (options.engine != "emulated" && options.engine != "cuda")
    return qdelta::compile(module, options);
  CompileOptions forGpu = options;
  if (forGpu.target == "host")
    forGpu.target = "sm_80";
  DeviceForms forms;
  forms.ptx = forms.cubin = options.engine == "cuda";
  forms.program = options.engine == "emulated";
  forms.emulated = false;
  return compileForGpu(module, forGpu, forms, [](StringRef remark) {
    llvm::errs() << "remark: " << remark << "\n";
  });
}

llvm::Expected<LoadedKernel>
LoadedKernel::compile(mlir::ModuleOp source, const CompileOptions &options,
                      StringRef name, bool anyName) {
  mlir::OwningOpRef<mlir::ModuleOp> copy(source.clone());
  auto code = compileFor(*copy, options);
  if (!code)
    return code.takeError();
  LoadedKernel result;
  result.code = std::move(*code);
  if (options.engine == "emulated")
    result.engine = QDELTA_ENGINE_EMULATED;
  if (options.engine == "cuda")
    result.engine = QDELTA_ENGINE_CUDA;
  if (llvm::Error error =
          takeStatus(qdeltaModuleLoad(&result.code->image(), &result.module)))
    return error;
  qdeltaStatus *status =
      qdeltaModuleFindKernel(result.module, name.str().c_str(), &result.kernel);
  if (status && anyName && qdeltaModuleGetNumKernels(result.module) == 1) {
    qdeltaStatusDestroy(status);
    status = qdeltaModuleGetKernel(result.module, 0, &result.kernel);
  }
  if (llvm::Error error = takeStatus(status))
    return error;
  return result;
}

llvm::Error LoadedKernel::launch(llvm::ArrayRef<DLTensor *> tensors,
                                 int32_t threads,
                                 const Emulation &emulation) const {
  qdeltaLaunchOptions options = {};
  options.struct_size = sizeof(options);
  options.threads = threads;
  options.engine = engine;
  options.schedule = emulation.schedule;
  options.completion = emulation.completion;
  options.seed = emulation.seed;
  options.counts = emulation.counts;
  auto count = static_cast<int64_t>(tensors.size());
  if (engine != QDELTA_ENGINE_CUDA)
    return takeStatus(qdeltaLaunch(kernel, tensors.data(), count, &options));
  DeviceTensors device;
  if (llvm::Error error = takeStatus(device.copy(tensors)))
    return error;
  if (llvm::Error error = takeStatus(
          qdeltaLaunch(kernel, device.pointers().data(), count, &options)))
    return error;
  return takeStatus(device.copyBack(module));
}

DLTensor qdelta::tools::asDLTensor(std::vector<int64_t> &shape, void *data,
                                   Format format) {
  DLTensor tensor = {};
  tensor.data = data;
  tensor.device = {kDLCPU, 0};
  tensor.ndim = static_cast<int32_t>(shape.size());
  tensor.dtype = typeOf(format);
  tensor.shape = shape.data();
  return tensor;
}

static size_t countElements(llvm::ArrayRef<int64_t> shape) {
  size_t count = 1;
  for (int64_t size : shape)
    count *= static_cast<size_t>(size);
  return count;
}

llvm::Expected<std::vector<FloatTensor>>
qdelta::tools::runKernel(const LoadedKernel &kernel, const Signature &signature,
                         const Sizes &sizes, std::vector<FloatTensor> inputs,
                         int32_t threads, const Emulation &emulation) {
  std::vector<FloatTensor> tensors = std::move(inputs);
  for (const Argument &argument : signature.outputs) {
    FloatTensor output{shapeOf(argument, sizes), {}};
    output.data.assign(countElements(output.shape), NAN);
    tensors.push_back(std::move(output));
  }
  std::vector<Format> formats;
  for (const auto &arguments : {signature.inputs, signature.outputs})
    for (const Argument &argument : arguments)
      formats.push_back(argument.format);

  // Memory of 64-bit words, which aligns elements of every format.
  std::vector<std::vector<uint64_t>> memory(tensors.size());
  std::vector<DLTensor> views(tensors.size());
  std::vector<DLTensor *> pointers;
  for (size_t i = 0; i < tensors.size(); ++i) {
    memory[i].resize(tensors[i].data.size());
    storeElements(tensors[i].data, formats[i], memory[i].data());
    views[i] = asDLTensor(tensors[i].shape, memory[i].data(), formats[i]);
    pointers.push_back(&views[i]);
  }
  if (llvm::Error error = kernel.launch(pointers, threads, emulation))
    return error;
  std::vector<FloatTensor> outputs;
  for (size_t i = signature.inputs.size(); i < tensors.size(); ++i) {
    loadElements(memory[i].data(), formats[i], tensors[i].data);
    outputs.push_back(std::move(tensors[i]));
  }
  return outputs;
}

llvm::Expected<Outputs>
qdelta::tools::runReference(RecurrenceOp recurrence, StringRef function,
                            const std::vector<FloatTensor> &inputs,
                            Format dtype, llvm::ArrayRef<int64_t> cuSeqlens) {
  mlir::func::FuncOp func;
  if (!function.empty())
    func = recurrence->getParentOfType<mlir::ModuleOp>()
               .lookupSymbol<mlir::func::FuncOp>(function);
  if (dtype != Format::F64)
    return func ? reference::evaluate<double>(func, inputs, cuSeqlens)
                : reference::evaluateRecurrence<double>(recurrence, inputs,
                                                        cuSeqlens);
  auto wide = convert<long double>(inputs);
  auto outputs = func ? reference::evaluate<long double>(func, wide, cuSeqlens)
                      : reference::evaluateRecurrence<long double>(
                            recurrence, wide, cuSeqlens);
  if (!outputs)
    return outputs.takeError();
  return convert<double>(*outputs);
}

llvm::Expected<Outputs> qdelta::tools::runTokenLoop(
    RecurrenceOp recurrence, const std::vector<FloatTensor> &inputs,
    Format products, llvm::ArrayRef<int64_t> cuSeqlens) {
  if (products == Format::F64)
    return reference::evaluateRecurrence<double>(recurrence, inputs, cuSeqlens);
  auto outputs = reference::evaluateTokenLoop(
      recurrence, convert<float>(inputs), products, cuSeqlens);
  if (!outputs)
    return outputs.takeError();
  return convert<double>(*outputs);
}

//===- Engines.cpp - running a recurrence in different ways --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Engines.h"
#include "arrays/DeviceTensors.h"
#include "arrays/KernelArrays.h"
#include "data/CompileLine.h"
#include "data/Failure.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Pipelines/DeviceCode.h"

#include "mlir/IR/OwningOpRef.h"

#include <cmath>
#include <deque>

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
      kernel(other.kernel), engine(other.engine),
      checksDomains(other.checksDomains) {}

LoadedKernel::~LoadedKernel() { qdeltaModuleDestroy(module); }

/// What a GPU engine needs.
static llvm::Expected<std::unique_ptr<Executable>>
compileFor(mlir::ModuleOp module, const CompileOptions &options) {
  if (options.engine != "emulated" && options.engine != "cuda")
    return qdelta::compile(module, options);
  DeviceForms forms;
  forms.ptx = forms.cubin = options.engine == "cuda";
  forms.program = options.engine == "emulated";
  forms.emulated = false;
  return compileForGpu(
      module, withTarget(options), forms,
      [](StringRef remark) { llvm::errs() << "remark: " << remark << "\n"; });
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
  auto find = [&](const std::string &kernel) {
    return qdeltaModuleFindKernel(result.module, kernel.c_str(),
                                  &result.kernel);
  };
  qdeltaStatus *status = find(name.str());
  if (status && anyName) {
    qdeltaStatusDestroy(status);
    bool isOnly = qdeltaModuleGetNumKernels(result.module) == 1;
    status = isOnly ? qdeltaModuleGetKernel(result.module, 0, &result.kernel)
                    : find(entryPointName(name, options.entry));
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
  options.check_domains = checksDomains;
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

namespace {
/// One argument of a launch in memory of 64-bit words, which aligns elements of
/// every format.
struct Slot {
  Slot(const qdeltaArgument &argument, FloatTensor given)
      : format(formatOf(argument.dtype)), tensor(std::move(given)),
        memory(tensor.data.size()) {
    storeElements(tensor.data, format, memory.data());
    view = asDLTensor(tensor.shape, memory.data(), format);
  }
  Slot(const Slot &) = delete;

  FloatTensor read() {
    loadElements(memory.data(), format, tensor.data);
    return tensor;
  }

  Format format;
  FloatTensor tensor;
  std::vector<uint64_t> memory;
  DLTensor view;
};
} // namespace

/// States [B, ...] as a pool [B + 1, ...]: batch entry b is entry B - b, and no
/// batch entry is entry 0.
static FloatTensor makePool(const FloatTensor &states) {
  auto count = static_cast<size_t>(states.shape[0]);
  size_t size = count ? states.data.size() / count : 0;
  FloatTensor pool{states.shape, std::vector<double>((count + 1) * size, 0.5)};
  ++pool.shape[0];
  for (size_t b = 0; b < count; ++b)
    std::copy_n(states.data.begin() + b * size, size,
                pool.data.begin() + (count - b) * size);
  return pool;
}

/// The reverse of `makePool`.
static llvm::Expected<FloatTensor> takeStates(const FloatTensor &pool,
                                              StringRef name) {
  auto count = static_cast<size_t>(pool.shape[0]) - 1;
  size_t size = pool.data.size() / (count + 1);
  if (llvm::any_of(llvm::ArrayRef(pool.data).take_front(size),
                   [](double x) { return x != 0.5; }))
    return llvm::make_error<Failure>(
        WrongResult, "an entry of " + name.str() +
                         " that state_index does not name changed");
  FloatTensor states{pool.shape, std::vector<double>(count * size)};
  --states.shape[0];
  for (size_t b = 0; b < count; ++b)
    std::copy_n(pool.data.begin() + (count - b) * size, size,
                states.data.begin() + b * size);
  return states;
}

llvm::Expected<std::vector<FloatTensor>>
qdelta::tools::runKernel(const LoadedKernel &kernel, const Signature &signature,
                         const Sizes &sizes, std::vector<FloatTensor> inputs,
                         int32_t threads, const Emulation &emulation) {
  std::deque<Slot> slots;
  std::vector<DLTensor *> pointers;
  std::vector<int32_t> index;
  for (int64_t b = 0; b < sizes.at("B"); ++b)
    index.push_back(static_cast<int32_t>(sizes.at("B") - b));
  std::vector<int64_t> indexShape{sizes.at("B")};
  DLTensor indexView = asDLTensor(indexShape, index.data(), Format::F32);
  indexView.dtype = {kDLInt, 32, 1};

  std::vector<const qdeltaArgument *> arguments = argumentsOf(kernel.get());
  size_t input = 0, output = 0;
  for (const qdeltaArgument *argument : arguments) {
    switch (argument->role) {
    case QDELTA_ROLE_STATE_INDEX:
      pointers.push_back(&indexView);
      continue;
    case QDELTA_ROLE_STATE_POOL:
      slots.emplace_back(*argument, makePool(inputs[input++]));
      break;
    case QDELTA_ROLE_OUTPUT:
    case QDELTA_ROLE_FINAL_STATE: {
      FloatTensor empty{shapeOf(signature.outputs[output++], sizes), {}};
      // Sizes were checked when they were read.
      empty.data.assign(*countElements(empty.shape), NAN);
      slots.emplace_back(*argument, std::move(empty));
      break;
    }
    default:
      slots.emplace_back(*argument, std::move(inputs[input++]));
    }
    pointers.push_back(&slots.back().view);
  }
  if (llvm::Error error = kernel.launch(pointers, threads, emulation))
    return error;

  std::vector<FloatTensor> outputs, states;
  auto slot = slots.begin();
  for (const qdeltaArgument *argument : arguments) {
    if (argument->role == QDELTA_ROLE_STATE_INDEX)
      continue;
    FloatTensor found = (slot++)->read();
    if (argument->role == QDELTA_ROLE_STATE_POOL) {
      auto taken = takeStates(found, argument->name);
      if (!taken)
        return taken.takeError();
      states.push_back(std::move(*taken));
    } else if (argument->role == QDELTA_ROLE_STATE) {
      states.push_back(std::move(found));
    } else if (isWritten(*argument)) {
      outputs.push_back(std::move(found));
    }
  }
  llvm::append_range(outputs, states);
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

//===- Engines.cpp - running a recurrence in different ways --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Engines.h"
#include "data/Failure.h"

#include "mlir/IR/OwningOpRef.h"

#include <cmath>

using namespace qdelta;
using namespace qdelta::tools;
using llvm::StringRef;

/// Codes from 9000 on are not about anything that the user gave.
static llvm::Error takeStatus(qdeltaStatus *status) {
  if (!status)
    return llvm::Error::success();
  bool isInternal = qdeltaStatusGetCode(status) >= QDELTA_ERROR_OUT_OF_MEMORY;
  std::string message = qdeltaStatusGetMessage(status);
  qdeltaStatusDestroy(status);
  if (isInternal)
    return llvm::make_error<Failure>(InternalError, message);
  return userError(message);
}

LoadedKernel::LoadedKernel(LoadedKernel &&other)
    : code(std::move(other.code)), module(std::exchange(other.module, nullptr)),
      kernel(other.kernel) {}

LoadedKernel::~LoadedKernel() { qdeltaModuleDestroy(module); }

llvm::Expected<LoadedKernel>
LoadedKernel::compile(mlir::ModuleOp source, const CompileOptions &options,
                      StringRef name, bool anyName) {
  mlir::OwningOpRef<mlir::ModuleOp> copy(source.clone());
  auto code = qdelta::compile(*copy, options);
  if (!code)
    return code.takeError();
  LoadedKernel result;
  result.code = std::move(*code);
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
                                 int32_t threads) const {
  qdeltaLaunchOptions options = {};
  options.struct_size = sizeof(options);
  options.threads = threads;
  return takeStatus(qdeltaLaunch(
      kernel, tensors.data(), static_cast<int64_t>(tensors.size()), &options));
}

DLTensor qdelta::tools::asDLTensor(std::vector<int64_t> &shape, float *data) {
  DLTensor tensor = {};
  tensor.data = data;
  tensor.device = {kDLCPU, 0};
  tensor.ndim = static_cast<int32_t>(shape.size());
  tensor.dtype = {kDLFloat, 32, 1};
  tensor.shape = shape.data();
  return tensor;
}

llvm::Expected<std::vector<FloatTensor>>
qdelta::tools::runKernel(const LoadedKernel &kernel, const Signature &signature,
                         const Sizes &sizes, std::vector<FloatTensor> inputs,
                         int32_t threads) {
  std::vector<FloatTensor> outputs;
  for (const Argument &argument : signature.outputs) {
    FloatTensor output{shapeOf(argument, sizes), {}};
    size_t count = 1;
    for (int64_t size : output.shape)
      count *= static_cast<size_t>(size);
    output.data.assign(count, NAN);
    outputs.push_back(std::move(output));
  }
  std::vector<DLTensor> tensors;
  for (auto *group : {&inputs, &outputs})
    for (FloatTensor &tensor : *group)
      tensors.push_back(asDLTensor(tensor.shape, tensor.data.data()));
  std::vector<DLTensor *> pointers;
  for (DLTensor &tensor : tensors)
    pointers.push_back(&tensor);
  if (llvm::Error error = kernel.launch(pointers, threads))
    return error;
  return outputs;
}

template <typename Scalar>
llvm::Expected<Outputs>
qdelta::tools::runReference(RecurrenceOp recurrence, StringRef function,
                            const std::vector<FloatTensor> &inputs) {
  auto arguments = convert<Scalar>(inputs);
  mlir::func::FuncOp func;
  if (!function.empty())
    func = recurrence->getParentOfType<mlir::ModuleOp>()
               .lookupSymbol<mlir::func::FuncOp>(function);
  auto outputs =
      func ? reference::evaluate<Scalar>(func, arguments)
           : reference::evaluateRecurrence<Scalar>(recurrence, arguments);
  if (!outputs)
    return outputs.takeError();
  return convert<double>(*outputs);
}

template llvm::Expected<Outputs>
qdelta::tools::runReference<double>(RecurrenceOp, StringRef,
                                    const std::vector<FloatTensor> &);
template llvm::Expected<Outputs>
qdelta::tools::runReference<float>(RecurrenceOp, StringRef,
                                   const std::vector<FloatTensor> &);

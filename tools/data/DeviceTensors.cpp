//===- DeviceTensors.cpp - copies of tensors on a CUDA device ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/DeviceTensors.h"
#include "data/Failure.h"

using namespace qdelta;
using namespace qdelta::tools;

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

static size_t countBytes(const DLTensor &tensor) {
  size_t bytes = tensor.dtype.bits / 8;
  for (int32_t d = 0; d < tensor.ndim; ++d)
    bytes *= static_cast<size_t>(tensor.shape[d]);
  return bytes;
}

llvm::Expected<DeviceTensors>
DeviceTensors::copy(llvm::ArrayRef<DLTensor *> tensors) {
  DeviceTensors result;
  if (llvm::Error error =
          takeStatus(runtime::DeviceMemory::open(0, result.memory)))
    return std::move(error);
  for (DLTensor *tensor : tensors) {
    size_t bytes = countBytes(*tensor);
    DLTensor &copy = result.copies.emplace_back(*tensor);
    result.originals.push_back(tensor);
    copy.device = {kDLCUDA, 0};
    if (llvm::Error error =
            takeStatus(result.memory->allocate(bytes, copy.data)))
      return std::move(error);
    if (llvm::Error error =
            takeStatus(result.memory->upload(copy.data, tensor->data, bytes)))
      return std::move(error);
  }
  return result;
}

std::vector<DLTensor *> DeviceTensors::pointers() {
  std::vector<DLTensor *> result;
  for (DLTensor &copy : copies)
    result.push_back(&copy);
  return result;
}

llvm::Error DeviceTensors::copyBack(const qdeltaModule *module) {
  if (llvm::Error error = takeStatus(qdeltaSynchronize(module, 0, nullptr)))
    return error;
  for (auto [original, copy] : llvm::zip(originals, copies))
    if (llvm::Error error = takeStatus(
            memory->download(original->data, copy.data, countBytes(*original))))
      return error;
  return llvm::Error::success();
}

//===- DeviceTensors.cpp - copies of tensors on a CUDA device ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "arrays/DeviceTensors.h"

using namespace qdelta::tools;

static size_t countBytes(const DLTensor &tensor) {
  size_t bytes = tensor.dtype.bits / 8;
  for (int32_t d = 0; d < tensor.ndim; ++d)
    bytes *= static_cast<size_t>(tensor.shape[d]);
  return bytes;
}

qdeltaStatus *DeviceTensors::copy(std::span<DLTensor *const> tensors) {
  if (qdeltaStatus *error = runtime::DeviceMemory::open(0, memory))
    return error;
  for (DLTensor *tensor : tensors) {
    size_t bytes = countBytes(*tensor);
    DLTensor &copy = copies.emplace_back(*tensor);
    originals.push_back(tensor);
    copy.device = {kDLCUDA, 0};
    if (qdeltaStatus *error = memory->allocate(bytes, copy.data))
      return error;
    if (qdeltaStatus *error = memory->upload(copy.data, tensor->data, bytes))
      return error;
  }
  return nullptr;
}

std::vector<DLTensor *> DeviceTensors::pointers() {
  std::vector<DLTensor *> result;
  for (DLTensor &copy : copies)
    result.push_back(&copy);
  return result;
}

qdeltaStatus *DeviceTensors::copyBack(const qdeltaModule *module) {
  if (qdeltaStatus *error = qdeltaSynchronize(module, 0, nullptr))
    return error;
  for (size_t i = 0; i < originals.size(); ++i)
    if (qdeltaStatus *error = memory->download(
            originals[i]->data, copies[i].data, countBytes(*originals[i])))
      return error;
  return nullptr;
}

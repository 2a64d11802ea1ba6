//===- TensorView.cpp - a DLPack tensor checked against its argument -----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "TensorView.h"
#include "Module.h"
#include "Status.h"

#include <algorithm>

using namespace qdelta::runtime;

namespace {
std::string nameOfSize(int64_t size) {
  switch (size) {
  case QDELTA_DIM_BATCH:
    return "B";
  case QDELTA_DIM_TIME:
    return "T";
  case QDELTA_DIM_VALUE_HEADS:
    return "HV";
  case QDELTA_DIM_HEADS:
    return "H";
  case QDELTA_DIM_BOUNDS:
    return "B + 1";
  case QDELTA_DIM_POOL:
    return "N";
  case QDELTA_DIM_LEVELS:
    return "L";
  case QDELTA_DIM_LEVEL_HEADS:
    return "HV L";
  default:
    return std::to_string(size);
  }
}

template <typename Print>
std::string list(const int64_t *sizes, int32_t rank, Print print) {
  std::string result = "[";
  for (int32_t d = 0; d < rank; ++d)
    result += (d ? ", " : "") + print(sizes[d]);
  return result + "]";
}

std::string wantedShape(const qdeltaArgument &argument) {
  return list(argument.shape, argument.rank, nameOfSize);
}

std::string foundShape(const DLTensor &tensor) {
  return list(tensor.shape, tensor.ndim,
              [](int64_t size) { return std::to_string(size); });
}

std::string nameOfType(DLDataType type) {
  std::string name = type.code == kDLInt       ? "int"
                     : type.code == kDLUInt    ? "uint"
                     : type.code == kDLFloat   ? "float"
                     : type.code == kDLBfloat  ? "bfloat"
                     : type.code == kDLComplex ? "complex"
                     : type.code == kDLBool
                         ? "bool"
                         : "type code " + std::to_string(type.code) + " of ";
  name += std::to_string(type.bits);
  return type.lanes == 1
             ? name
             : name + " with " + std::to_string(type.lanes) + " lanes";
}

/// Whether the tensor is where `engine` looks for it.
bool isInMemoryOf(qdeltaEngine engine, DLDeviceType type) {
  if (engine == QDELTA_ENGINE_CUDA)
    return type == kDLCUDA || type == kDLCUDAManaged;
  return type == kDLCPU;
}

/// Checks element type, place and shape.
qdeltaStatus *checkKind(const qdeltaArgument &argument, const DLTensor &tensor,
                        qdeltaEngine engine) {
  auto fail = [&](qdeltaErrorCode code, const std::string &wanted,
                  const std::string &found) {
    return makeStatus(code, argument.name,
                      "expected " + describe(argument) + " to " + wanted +
                          ", but got " + found);
  };
  if (!isInMemoryOf(engine, tensor.device.device_type))
    return fail(QDELTA_ERROR_DEVICE,
                engine == QDELTA_ENGINE_CUDA
                    ? "be in a CUDA device's memory (device type 2)"
                    : "be in CPU memory (device type 1)",
                "device type " + std::to_string(tensor.device.device_type));
  DLDataType type = tensor.dtype;
  if (type.code != argument.dtype.code || type.bits != argument.dtype.bits ||
      type.lanes != 1)
    return fail(QDELTA_ERROR_DTYPE, "be " + nameOfType(argument.dtype),
                nameOfType(type));
  if (tensor.ndim != argument.rank)
    return fail(QDELTA_ERROR_RANK, "have shape " + wantedShape(argument),
                "rank " + std::to_string(tensor.ndim));
  if (!tensor.shape)
    return fail(QDELTA_ERROR_NULL_ARGUMENT,
                "have shape " + wantedShape(argument), "no shape");
  for (int32_t d = 0; d < argument.rank; ++d)
    if (tensor.shape[d] < 0 ||
        (argument.shape[d] >= 0 && tensor.shape[d] != argument.shape[d]))
      return fail(QDELTA_ERROR_SIZE, "have shape " + wantedShape(argument),
                  foundShape(tensor));
  return nullptr;
}

qdeltaStatus *tooLarge(const qdeltaArgument &argument, const DLTensor &tensor) {
  return makeStatus(QDELTA_ERROR_OVERFLOW, argument.name,
                    "expected " + describe(argument) +
                        " to have fewer than 2^63 bytes, but got shape " +
                        foundShape(tensor) +
                        (tensor.strides ? " with large strides" : ""));
}

/// Fills sizes and strides. Returns whether they fit 64 bits.
bool fillDims(const DLTensor &tensor, TensorView &view) {
  int64_t compact = 1;
  for (int32_t d = tensor.ndim - 1; d >= 0; --d) {
    int64_t size = tensor.shape[d];
    bool free = tensor.strides && size > 1;
    view.sizes[d] = size;
    view.strides[d] = free ? tensor.strides[d] : compact;
    if (__builtin_mul_overflow(compact, std::max<int64_t>(size, 1), &compact))
      return false;
  }
  return compact <= INT64_MAX / view.elementBytes();
}

/// Fills the range of addresses. Returns whether it fits the address space.
bool fillRange(TensorView &view) {
  int64_t below = 0, above = view.elementBytes();
  for (int32_t d = 0; d < view.rank(); ++d) {
    int64_t reach;
    if (__builtin_mul_overflow(view.sizes[d] - 1, view.strides[d], &reach) ||
        __builtin_mul_overflow(reach, view.elementBytes(), &reach))
      return false;
    int64_t &end = reach < 0 ? below : above;
    if (__builtin_add_overflow(end, reach, &end))
      return false;
  }
  auto data = reinterpret_cast<uintptr_t>(view.data);
  return !__builtin_add_overflow(data, below, &view.low) &&
         !__builtin_add_overflow(data, above, &view.high);
}
} // namespace

qdeltaStatus *qdelta::runtime::viewTensor(const qdeltaArgument &argument,
                                          const DLTensor *tensor,
                                          qdeltaEngine engine,
                                          TensorView &view) {
  if (!tensor)
    return makeStatus(QDELTA_ERROR_NULL_ARGUMENT, argument.name,
                      "expected " + describe(argument) +
                          " to be a tensor, but got NULL");
  if (qdeltaStatus *error = checkKind(argument, *tensor, engine))
    return error;
  view.argument = &argument;
  if (!fillDims(*tensor, view))
    return tooLarge(argument, *tensor);
  // An empty tensor needs no data and its strides mean nothing.
  if (std::find(view.sizes, view.sizes + view.rank(), 0) !=
      view.sizes + view.rank())
    return nullptr;

  bool isVector = engine != QDELTA_ENGINE_CPU || argument.rank == 4 ||
                  (argument.rank == 2 && argument.role == QDELTA_ROLE_PARAM);
  int32_t last = argument.rank - 1;
  if (isVector && view.sizes[last] > 1 && view.strides[last] != 1)
    return makeStatus(QDELTA_ERROR_STRIDE, argument.name,
                      "expected the last dimension of " + describe(argument) +
                          " to have stride 1, but got " +
                          std::to_string(view.strides[last]));
  if (!tensor->data)
    return makeStatus(QDELTA_ERROR_DATA, argument.name,
                      "expected " + describe(argument) + " of shape " +
                          foundShape(*tensor) + " to have data, but got NULL");
  view.data = static_cast<char *>(tensor->data) + tensor->byte_offset;
  auto alignment = static_cast<uintptr_t>(view.elementBytes());
  uintptr_t offset = reinterpret_cast<uintptr_t>(view.data) % alignment;
  if (offset)
    return makeStatus(QDELTA_ERROR_DATA, argument.name,
                      "expected the data of " + describe(argument) +
                          " to be aligned to " + std::to_string(alignment) +
                          " bytes, but got an address " +
                          std::to_string(offset) + " past a multiple of " +
                          std::to_string(alignment));
  return fillRange(view) ? nullptr : tooLarge(argument, *tensor);
}

bool qdelta::runtime::isKnownType(DLDataType type) {
  bool isHalf =
      type.bits == 16 && (type.code == kDLFloat || type.code == kDLBfloat);
  bool isWhole = (type.bits == 32 || type.bits == 64) && type.code == kDLFloat;
  return (isHalf || isWhole) && type.lanes == 1;
}

bool qdelta::runtime::isIndexType(DLDataType type) {
  return type.code == kDLInt && type.bits == 32 && type.lanes == 1;
}

//===- TensorMap.cpp - encoding tensor maps -------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "TensorMapImpl.h"

#include <cstring>

using namespace qdelta::emulator;

static constexpr uint32_t kMagic = 0x50414d51; // "QMAP"

static uint32_t bytesOf(TensorType type) {
  switch (type) {
  case TensorType::UInt8:
    return 1;
  case TensorType::UInt16:
  case TensorType::Float16:
  case TensorType::BFloat16:
    return 2;
  case TensorType::UInt64:
  case TensorType::Int64:
  case TensorType::Float64:
    return 8;
  default:
    return 4;
  }
}

static uint8_t checksum(const TensorMapContent &content) {
  TensorMapContent copy = content;
  copy.checksum = 0;
  uint8_t bytes[sizeof(copy)], sum = 0x5b;
  std::memcpy(bytes, &copy, sizeof(copy));
  for (uint8_t byte : bytes)
    sum = sum * 31 + byte;
  return sum;
}

uint32_t TensorMapContent::boxBytes() const {
  uint32_t bytes = elementBytes;
  for (uint32_t d = 0; d < rank; ++d)
    bytes *= box[d];
  return bytes;
}

std::optional<TensorMapContent> qdelta::emulator::decode(const void *map) {
  TensorMapContent content;
  std::memcpy(&content, map, sizeof(content));
  if (content.magic != kMagic || content.checksum != checksum(content))
    return std::nullopt;
  return content;
}

static std::string checkDimension(uint32_t d, uint64_t size, uint32_t box,
                                  uint32_t step) {
  std::string dimension = "dimension " + std::to_string(d);
  if (size == 0 || size > uint64_t(1) << 32)
    return "expected " + dimension + " to have 1 to 2^32 elements, but got " +
           std::to_string(size);
  if (box == 0 || box > 256)
    return "expected the box to have 1 to 256 elements in " + dimension +
           ", but got " + std::to_string(box);
  if (step == 0 || step > 8)
    return "expected an element stride of 1 to 8 in " + dimension +
           ", but got " + std::to_string(step);
  return "";
}

std::string qdelta::emulator::encodeTiled(
    TensorMap &map, TensorType type, uint32_t rank, void *globalAddress,
    const uint64_t *globalDim, const uint64_t *globalStrides,
    const uint32_t *boxDim, const uint32_t *elementStrides, uint32_t interleave,
    Swizzle swizzle, uint32_t, uint32_t oobFill) {
  std::memset(&map, 0xab, sizeof(map));
  if (rank == 0 || rank > kMaxRank)
    return "expected a rank of 1 to 5, but got " + std::to_string(rank);
  if (interleave || oobFill)
    return "expected neither interleave nor NaN fill";
  TensorMapContent content;
  std::memset(&content, 0, sizeof(content));
  content.magic = kMagic;
  content.elementBytes = bytesOf(type);
  content.rank = rank;
  content.swizzle = static_cast<uint8_t>(swizzle);
  content.base = reinterpret_cast<uint64_t>(globalAddress);
  if (content.base & 15)
    return "expected a global address that is a multiple of 16";
  for (uint32_t d = 0; d < rank; ++d) {
    uint32_t step = elementStrides ? elementStrides[d] : 1;
    std::string error = checkDimension(d, globalDim[d], boxDim[d], step);
    if (!error.empty())
      return error;
    content.sizes[d] = globalDim[d] - 1;
    content.box[d] = boxDim[d];
    content.steps[d] = step;
    content.strides[d] = d ? globalStrides[d - 1] : content.elementBytes;
    if (d && (content.strides[d] & 15 || content.strides[d] >> 40))
      return "expected strides that are multiples of 16 below 2^40, but got " +
             std::to_string(content.strides[d]) + " in dimension " +
             std::to_string(d);
  }
  uint32_t row = boxDim[0] * content.elementBytes;
  if (row & 15)
    return "expected rows of the box that are a multiple of 16 bytes, but "
           "got " +
           std::to_string(row);
  uint32_t span = swizzle == Swizzle::None ? row : 16u << content.swizzle;
  if (row > span)
    return "expected rows of the box that fit a swizzle of " +
           std::to_string(span) + " bytes, but got " + std::to_string(row);
  content.checksum = checksum(content);
  std::memcpy(&map, &content, sizeof(content));
  return "";
}

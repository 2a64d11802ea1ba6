//===- TensorMap.h - the emulator's tensor maps -----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_TENSORMAP_H
#define QDELTA_EMULATOR_TENSORMAP_H

#include <cstdint>
#include <string>

namespace qdelta::emulator {

/// Element types, with the values of CUtensorMapDataType.
enum class TensorType : uint32_t {
  UInt8 = 0,
  UInt16 = 1,
  UInt32 = 2,
  Int32 = 3,
  UInt64 = 4,
  Int64 = 5,
  Float16 = 6,
  Float32 = 7,
  Float64 = 8,
  BFloat16 = 9,
  Float32Ftz = 10,
  TFloat32 = 11,
  TFloat32Ftz = 12
};

/// Swizzles, with the values of CUtensorMapSwizzle.
enum class Swizzle : uint32_t { None = 0, B32 = 1, B64 = 2, B128 = 3 };

/// Stands for CUtensorMap: same size and alignment, passed by value to kernels.
/// Holds all there is to know, so it may be copied and outlive nothing.
struct alignas(64) TensorMap {
  uint8_t opaque[128];
};

/// Fills `map` as cuTensorMapEncodeTiled would: `globalStrides` (bytes) has
/// rank - 1 entries, the innermost dimension being dense; `interleave`,
/// `l2Promotion` and `oobFill` are CUDA's numbers, of which interleave and fill
/// must be 0 (none). Returns what the hardware would refuse, "" for nothing; a
/// refused map is not usable.
std::string encodeTiled(TensorMap &map, TensorType type, uint32_t rank,
                        void *globalAddress, const uint64_t *globalDim,
                        const uint64_t *globalStrides, const uint32_t *boxDim,
                        const uint32_t *elementStrides, uint32_t interleave,
                        Swizzle swizzle, uint32_t l2Promotion,
                        uint32_t oobFill);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_TENSORMAP_H

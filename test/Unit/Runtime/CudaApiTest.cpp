//===- CudaApiTest.cpp - our declarations against cuda.h ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Runtime/CudaApi.h"

#include "gtest/gtest.h"

#if __has_include(<cuda.h>)
#include <cuda.h>
#elif __has_include("/usr/local/cuda/include/cuda.h")
#include "/usr/local/cuda/include/cuda.h"
#endif

TEST(CudaApi, Numbers) {
#ifdef CUDA_VERSION
  namespace cuda = qdelta::runtime::cuda;
  EXPECT_EQ(cuda::kSuccess, CUDA_SUCCESS);
  EXPECT_EQ(cuda::kErrorInvalidValue, CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuda::kComputeCapabilityMajor,
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  EXPECT_EQ(cuda::kComputeCapabilityMinor,
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  EXPECT_EQ(cuda::kClockRate, CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
  EXPECT_EQ(cuda::kMultiprocessorCount,
            CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  EXPECT_EQ(cuda::kL2CacheSize, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
  EXPECT_EQ(cuda::kMaxSharedMemoryPerBlockOptin,
            CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  EXPECT_EQ(cuda::kMaxDynamicSharedSizeBytes,
            CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
  EXPECT_EQ(cuda::kJitErrorLogBuffer, CU_JIT_ERROR_LOG_BUFFER);
  EXPECT_EQ(cuda::kJitErrorLogBufferSizeBytes,
            CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
  EXPECT_EQ(cuda::kPointerDeviceOrdinal, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL);
  EXPECT_EQ(cuda::kL2Promotion128B, CU_TENSOR_MAP_L2_PROMOTION_L2_128B);
  EXPECT_EQ(cuda::kPinnedAllocation, CU_MEM_ALLOCATION_TYPE_PINNED);
  EXPECT_EQ(cuda::kDeviceLocation, CU_MEM_LOCATION_TYPE_DEVICE);
  EXPECT_EQ(cuda::kReleaseThreshold, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD);
  using Properties = cuda::MemoryPoolProperties;
  static_assert(sizeof(CUmemPoolProps) == sizeof(Properties));
  static_assert(offsetof(CUmemPoolProps, location) ==
                offsetof(Properties, locationType));
  static_assert(sizeof(CUtensorMap) == 128 && alignof(CUtensorMap) <= 128);
  static_assert(sizeof(CUdeviceptr) == sizeof(cuda::DevicePtr));
  static_assert(CU_TENSOR_MAP_DATA_TYPE_FLOAT16 == 6 &&
                CU_TENSOR_MAP_DATA_TYPE_FLOAT32 == 7 &&
                CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 == 9);
#else
  GTEST_SKIP() << "no cuda.h";
#endif
}

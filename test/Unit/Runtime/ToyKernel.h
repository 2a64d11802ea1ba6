//===- ToyKernel.h - a kernel in C++ to launch in tests --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TEST_UNIT_RUNTIME_TOYKERNEL_H
#define QDELTA_TEST_UNIT_RUNTIME_TOYKERNEL_H

#include "qdelta-c/Runtime.h"

#include <string>
#include <vector>

namespace toy {

/// An argument of a kernel, of f32 unless `type` says otherwise.
qdeltaArgument describe(const char *name, qdeltaRole role,
                        const std::vector<int64_t> &shape,
                        DLDataType type = {kDLFloat, 32, 1});

/// A kernel of these arguments, which must live as long, and nothing else.
qdeltaKernelImage describeKernel(const char *name,
                                 const std::vector<qdeltaArgument> &arguments,
                                 qdeltaEntry entry);

/// The image of kernel `toy` with K = 4, V = 3 and the arguments q [B, T, H,
/// 4], v [B, T, H, 3], g [B, T, H], scale [HV], w [HV, 4], state S [B, HV, 4,
/// 3], output o [B, T, HV, 3] and final state S. Its entry computes o = scale *
/// v and S_final = 2 S for its items.
const qdeltaImage &image();

enum Index { q, v, g, scale, w, S, o, SFinal, numArguments };

/// A tensor that owns its memory, filled with 0, 1, 2, ...
struct Array {
  explicit Array(std::vector<int64_t> shape);
  /// The tensor, pointing into this object.
  DLTensor *tensor();

  std::vector<int64_t> shape, strides;
  std::vector<float> data;
  DLTensor dl;
};

/// The toy kernel with arguments of matching sizes, ready to be spoilt.
class Call {
public:
  Call(int64_t B = 2, int64_t T = 3, int64_t H = 2, int64_t HV = 4);
  Call(const Call &) = delete;
  ~Call();

  /// Launches; returns the message, or "" when all is fine.
  std::string launch(int32_t threads = 1);

  std::vector<Array> arrays;
  qdeltaErrorCode code = QDELTA_OK;
  std::string json;

private:
  qdeltaModule *module = nullptr;
};

} // namespace toy

#endif // QDELTA_TEST_UNIT_RUNTIME_TOYKERNEL_H

//===- ScaleKernel.h - a small GPU kernel in LLVM IR ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TEST_UNIT_PIPELINES_SCALEKERNEL_H
#define QDELTA_TEST_UNIT_PIPELINES_SCALEKERNEL_H

#include "../Runtime/ToyKernel.h"

#include "qdelta/Pipelines/Artefact.h"

namespace scale {

/// Kernel `scale` with the arguments v [B, T, H, 6], f [HV], state S [B, HV, 3,
/// 6], output o [B, T, HV, 6] and final state S. It computes o = f v and
/// S_final = 2 S; on the CPU o = exp(f) v.
qdelta::KernelDescription description();

enum Index { v, f, S, o, SFinal, numArguments };

/// Code for `target`: CTAs of 32 threads for 4 columns. With a tensor map, the
/// kernel has one over v that it does not use. With a defect, it also writes
/// before the start of o.
llvm::Expected<qdelta::DeviceCode> deviceCode(const char *target,
                                              const qdelta::DeviceForms &forms,
                                              bool hasTensorMap = false,
                                              bool hasDefect = false);

/// Launches the kernel twice: of v it makes a sequence, and of that o = f f v.
void makeSteps(qdelta::DeviceCode &code);

llvm::Expected<qdelta::HostCode> hostCode();

/// An artefact with CPU code and code for sm_80 and sm_90a.
llvm::Expected<std::string> artefact();

/// Arguments of matching sizes, to be spoilt.
class Call {
public:
  Call(int64_t B = 2, int64_t T = 5, int64_t H = 1, int64_t HV = 2);

  /// Launches kernel `scale` of the module; returns the message, or "".
  std::string launch(const qdeltaModule *module);
  /// Whether outputs are the formula's, with o = `factor` f v.
  bool isRight(float (*factor)(float)) const;

  qdeltaLaunchOptions options = {};
  std::vector<toy::Array> arrays;
  qdeltaErrorCode code = QDELTA_OK;
  std::string json;
};

} // namespace scale

#endif // QDELTA_TEST_UNIT_PIPELINES_SCALEKERNEL_H

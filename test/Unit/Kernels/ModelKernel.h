//===- ModelKernel.h - a model's kernel on guarded memory ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TEST_UNIT_KERNELS_MODELKERNEL_H
#define QDELTA_TEST_UNIT_KERNELS_MODELKERNEL_H

#include "GuardedBuffer.h"
#include "Model.h"
#include "arrays/KernelArrays.h"

namespace qdelta::test {

using Arrays = std::vector<tools::Array>;

/// A model of lib/Models, compiled, and seeded inputs for it.
class ModelKernel {
public:
  /// `sizes` has B, T, H and HV.
  static llvm::Expected<std::unique_ptr<ModelKernel>>
  get(llvm::StringRef model, const CompileOptions &options,
      const std::map<std::string, int64_t> &sizes);

  std::vector<const qdeltaArgument *> arguments() const {
    return tools::argumentsOf(kernel->get());
  }
  /// An array for each argument; outputs are NaN.
  const Arrays &arrays() const { return seeded; }

  /// Launches on copies of the arrays in guarded memory, and returns them with
  /// what was written. Fails if a byte around a buffer or of an input changed.
  llvm::Expected<Arrays> run(const Arrays &arrays, Side side) const;

private:
  ModelKernel() = default;

  std::unique_ptr<Model> model;
  std::unique_ptr<tools::LoadedKernel> kernel;
  Arrays seeded;
};

} // namespace qdelta::test

#endif // QDELTA_TEST_UNIT_KERNELS_MODELKERNEL_H

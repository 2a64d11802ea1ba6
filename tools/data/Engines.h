//===- Engines.h - running a recurrence in different ways ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_ENGINES_H
#define QDELTA_TOOLS_DATA_ENGINES_H

#include "data/Comparison.h"
#include "data/Npy.h"
#include "data/Sizes.h"
#include "qdelta/Pipelines/Compile.h"

#include "mlir/IR/BuiltinOps.h"

namespace qdelta::tools {

/// In which order the emulated engine does what a GPU may do in any order; the
/// numbers of qdeltaLaunchOptions.
struct Emulation {
  int32_t schedule = 0, completion = 0;
  uint64_t seed = 0;
  /// Filled in by the launch if not null.
  qdeltaCounts *counts = nullptr;
};

/// A kernel that the runtime has loaded.
class LoadedKernel {
public:
  /// Compiles a copy of the module and finds the kernel `name`. If there is
  /// none of that name and `anyName` is set, that is the only kernel, or the
  /// entry function of the recurrence `name` that the options ask for.
  static llvm::Expected<LoadedKernel> compile(mlir::ModuleOp module,
                                              const CompileOptions &options,
                                              llvm::StringRef name,
                                              bool anyName);
  LoadedKernel(LoadedKernel &&other);
  ~LoadedKernel();

  /// Launches on tensors in the order inputs, outputs.
  llvm::Error launch(llvm::ArrayRef<DLTensor *> tensors, int32_t threads,
                     const Emulation &emulation = {}) const;

  /// Lives as long as this object.
  const qdeltaKernel *get() const { return kernel; }

private:
  LoadedKernel() = default;

  std::unique_ptr<Executable> code;
  qdeltaModule *module = nullptr;
  const qdeltaKernel *kernel = nullptr;
  qdeltaEngine engine = QDELTA_ENGINE_CPU;
};

/// An error of the runtime as one of a tool.
llvm::Error takeStatus(qdeltaStatus *status);

/// A row-major tensor of elements of `format` in DLPack's form; `shape` and
/// `data` must outlive it.
DLTensor asDLTensor(std::vector<int64_t> &shape, void *data, Format format);

/// Launches the kernel on tensors in their arguments' formats; outputs start as
/// NaN. States that the kernel updates in place are its final states. In pools
/// they lie in reverse order, after an entry that no index names: a kernel that
/// changes that one is an error.
llvm::Expected<std::vector<FloatTensor>>
runKernel(const LoadedKernel &kernel, const Signature &signature,
          const Sizes &sizes, std::vector<FloatTensor> inputs, int32_t threads,
          const Emulation &emulation = {});

/// The reference interpreter: in float64, or wider for a `dtype` of F64. If
/// `function` names a function of the recurrence's module, that is evaluated,
/// else the recurrence itself.
llvm::Expected<Outputs> runReference(RecurrenceOp recurrence,
                                     llvm::StringRef function,
                                     const std::vector<FloatTensor> &inputs,
                                     Format dtype,
                                     llvm::ArrayRef<int64_t> cuSeqlens = {});

/// The token loop that an engine's error is measured by, with what it
/// multiplies in the format `products`.
llvm::Expected<Outputs> runTokenLoop(RecurrenceOp recurrence,
                                     const std::vector<FloatTensor> &inputs,
                                     Format products,
                                     llvm::ArrayRef<int64_t> cuSeqlens = {});

/// The same numbers in the other element type.
template <typename To, typename From>
std::vector<reference::Tensor<To>>
convert(const std::vector<reference::Tensor<From>> &tensors) {
  std::vector<reference::Tensor<To>> result;
  for (const reference::Tensor<From> &tensor : tensors)
    result.push_back({tensor.shape,
                      std::vector<To>(tensor.data.begin(), tensor.data.end())});
  return result;
}

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_DATA_ENGINES_H

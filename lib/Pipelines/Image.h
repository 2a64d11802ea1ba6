//===- Image.h - what an image says of its kernels --------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_PIPELINES_IMAGE_H
#define QDELTA_PIPELINES_IMAGE_H

#include "qdelta-c/Runtime.h"
#include "qdelta/Pipelines/Artefact.h"

#include "mlir/IR/BuiltinOps.h"

#include <deque>
#include <string>
#include <vector>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace qdelta {

/// The kernel of entry function `func`, in any phase from buffers on.
KernelDescription describeKernel(mlir::Operation *func);

/// The kernels of all entry functions of a module, in any phase from buffers
/// on.
std::vector<KernelDescription> describeKernels(mlir::ModuleOp module);

/// The symbol of the qdeltaEntry of an entry function.
std::string entrySymbol(llvm::StringRef function);

/// The LLVM IR of a module in the target phase.
llvm::Expected<std::unique_ptr<llvm::Module>>
translate(mlir::ModuleOp module, llvm::LLVMContext &context);

/// Owns the strings and arrays of a qdeltaImage.
class ImageBuilder {
public:
  /// Adds a kernel whose CPU code starts at `entry`; null for none.
  void addKernel(const KernelDescription &kernel, qdeltaEntry entry);

  /// Adds every form of the code, whose bytes must outlive the image.
  void addDevice(const DeviceCode &code);

  /// The image of all kernels added; valid while this object lives unchanged.
  const qdeltaImage &finish();
  const qdeltaImage &get() const { return image; }

private:
  std::vector<qdeltaArgument> &
  addArguments(const std::vector<ArgumentDescription> &described);

  std::deque<std::string> names;
  std::deque<std::vector<qdeltaArgument>> arguments;
  std::deque<std::vector<qdeltaKernelStep>> steps;
  std::vector<qdeltaKernelImage> kernels;
  std::vector<qdeltaDeviceKernelImage> devices;
  qdeltaImage image{};
};

} // namespace qdelta

#endif // QDELTA_PIPELINES_IMAGE_H

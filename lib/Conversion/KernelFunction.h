//===- KernelFunction.h - the function of a GPU kernel ---------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_KERNELFUNCTION_H
#define QDELTA_CONVERSION_KERNELFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace qdelta {

/// How a kernel is launched.
struct KernelLaunch {
  int64_t threads = 0;     ///< of a CTA
  int64_t sharedBytes = 0; ///< of dynamic shared memory
  int64_t columns = 0;     ///< value columns of a CTA
  int64_t blocks = 1;      ///< CTAs of a batch entry, head and run of tokens
  int64_t tokens = 0;      ///< of a run; 0: all
  /// States in place: which argument each of the last results replaces.
  llvm::SmallVector<int64_t> replaced;
  /// The arguments that have a tensor map, in the maps' order.
  llvm::SmallVector<int64_t> maps;
};

/// An `llvm.func` without a body in front of the entry function `func`, with
/// its name, schedule and description. Parameters are those of
/// qdelta/Runtime/DeviceKernel.h: the block of words, then the tensor maps.
mlir::LLVM::LLVMFuncOp createKernelFunction(mlir::func::FuncOp func,
                                            const KernelLaunch &launch);

} // namespace qdelta

#endif // QDELTA_CONVERSION_KERNELFUNCTION_H

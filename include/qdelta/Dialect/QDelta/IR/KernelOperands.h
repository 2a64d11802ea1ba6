//===- KernelOperands.h - what a list's kernel works on ---------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_DIALECT_QDELTA_IR_KERNELOPERANDS_H
#define QDELTA_DIALECT_QDELTA_IR_KERNELOPERANDS_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

namespace qdelta {

/// The operands of a list or prescan as its kernel for GPUs finds them in
/// memory: in place of a transposed state the state itself and, last, the index
/// that the transpose takes it by.
llvm::SmallVector<mlir::Value> kernelOperands(mlir::Operation *op);

} // namespace qdelta

#endif // QDELTA_DIALECT_QDELTA_IR_KERNELOPERANDS_H

//===- Elementwise.h - a step's arithmetic on one number -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_LISTTOGPU_ELEMENTWISE_H
#define QDELTA_CONVERSION_LISTTOGPU_ELEMENTWISE_H

#include "../ChunkToGpu/Emitter.h"

namespace qdelta::gpu {

/// e^x within 2 ulp, 0 below 2^-126.
Num exponential(Num x);

/// What an elementwise op of a step, or `scale`, makes of one number of each
/// operand. Functions that a GPU has no instruction for stay `math` ops, for
/// -qdelta-expand-math. Fails with an error at any other op.
mlir::FailureOr<Num> makeElement(Emitter &e, mlir::Operation &op,
                                 llvm::ArrayRef<Num> operands);

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_LISTTOGPU_ELEMENTWISE_H

//===- Passes.h - passes that evaluate what they check ----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_REFERENCE_PASSES_H
#define QDELTA_REFERENCE_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace qdelta {
#define GEN_PASS_DECL
#include "qdelta/Reference/Passes.h.inc"

/// Checks that `function`, which names its recurrence in the attribute
/// `qdelta.recurrence`, equals that recurrence's token loop at `draws` random
/// points of each size; `seed` says where the points start. With `erase`, a
/// third of the inputs that are `qdelta.log_decay` is -inf. A difference is
/// reported as an error on the function.
mlir::LogicalResult checkDerivation(mlir::func::FuncOp function, uint64_t seed,
                                    unsigned draws, bool erase = false);

/// Registers the passes of this library.
void registerReferencePasses();
} // namespace qdelta

#endif // QDELTA_REFERENCE_PASSES_H

//===- ItemLoop.h - lists and prescans, head by head ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_ITEMLOOP_H
#define QDELTA_TRANSFORMS_ITEMLOOP_H

#include "mlir/IR/Operation.h"
#include "mlir/Support/LogicalResult.h"

namespace qdelta {

/// Replaces `ops`, lists and prescans of one block of which each may use what
/// those before it make, by one loop over batch entries and heads (and value
/// blocks, if a list is a kernel). Sequences that no other op uses are an
/// item's own: they never exist for more than one head at a time. Emits an
/// error if an op has no chunk form.
mlir::LogicalResult createItemLoop(llvm::ArrayRef<mlir::Operation *> ops);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_ITEMLOOP_H

//===- HalveRows.h - rows whose halves meet, in halves ----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_HALVEROWS_H
#define QDELTA_CONVERSION_HALVEROWS_H

#include "mlir/IR/Block.h"

namespace qdelta {

/// Where shuffles of a block take rows apart into halves or put them together,
/// as a rotation does, makes two ops on halves of each op on such rows. Does
/// nothing if the block has an op on them that this is not known for.
void halveRows(mlir::Block &block);

} // namespace qdelta

#endif // QDELTA_CONVERSION_HALVEROWS_H

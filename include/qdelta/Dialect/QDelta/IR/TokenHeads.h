//===- TokenHeads.h - which heads a token usually has -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_DIALECT_QDELTA_IR_TOKENHEADS_H
#define QDELTA_DIALECT_QDELTA_IR_TOKENHEADS_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// Whether a token of that dimension and with those attributes usually has a
/// vector or number for each value head: all have but key vectors that are no
/// decay, which groups of value heads share.
bool hasValueHeads(TokenDim dim, mlir::DictionaryAttr attrs);

} // namespace qdelta

#endif // QDELTA_DIALECT_QDELTA_IR_TOKENHEADS_H

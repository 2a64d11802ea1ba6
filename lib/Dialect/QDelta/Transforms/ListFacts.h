//===- ListFacts.h - what the derivation knows about a list -----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_LISTFACTS_H
#define QDELTA_TRANSFORMS_LISTFACTS_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// The facts of a finished list. `attrOf` finds an attribute of the
/// recurrence's argument that a value of the list's region stands for.
FactsAttr findFacts(
    AffineScanOp op,
    llvm::function_ref<mlir::Attribute(mlir::Value, llvm::StringRef)> attrOf);

/// The Gram matrices that the chunk form of `op`'s list needs: distinct
/// products of a base that is read with a key that is written. Decays per
/// channel are part of the product, so with them places count too.
int64_t countGrams(AffineScanOp op);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_LISTFACTS_H

//===- LevelLoop.h - a head's list, level by level --------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_LEVELLOOP_H
#define QDELTA_TRANSFORMS_LEVELLOOP_H

#include "ChunkLoops.h"

namespace qdelta {

/// Where the blocks of a list with levels come from.
FenwickOp fenwickOf(AffineScanOp list);

/// What only the lists with levels among `ops` take: it has no use after them.
llvm::SmallVector<mlir::Operation *>
definitionsOfLevels(llvm::ArrayRef<mlir::Operation *> ops);

/// Creates at `b` the loop over levels of one head, around its chunk loops
/// (`createHead`): for each level the token scalars of its blocks, made for the
/// head itself, and outputs added to what earlier levels left of them. `total`
/// is T. `slices` are those of `createHead`, but for states, which are those of
/// all levels, [1, L, K, V].
mlir::LogicalResult createLevels(mlir::OpBuilder &b, mlir::Location loc,
                                 HeadContext context, mlir::Value total,
                                 llvm::SmallVectorImpl<mlir::Value> &slices);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_LEVELLOOP_H

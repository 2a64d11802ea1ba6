//===- TokenTiles.h - token-local values as tiles of a chunk ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_TOKENTILES_H
#define QDELTA_TRANSFORMS_TOKENTILES_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// Where in the sequences a chunk stands, for one batch entry and value head.
struct ChunkPlace {
  /// For each step argument, the batch entry of its sequence.
  llvm::ArrayRef<mlir::Value> batches;
  mlir::Value first;
  /// For each step argument, the head of its sequence or parameter.
  llvm::ArrayRef<mlir::Value> heads;
  /// The first value column of the block, and how many it has.
  mlir::Value column;
  int64_t columns = 0;
  /// For each sequence, the token that is first in its memory; null, or no
  /// entry, for the item's first one.
  llvm::ArrayRef<mlir::Value> bases = {};
};

/// Makes the token-local values of an affine list for the tokens of one chunk,
/// on demand and each once: a scalar becomes tensor<C>, a vector tensor<C x D>,
/// and `arith` and `math` ops apply to tiles as they did to tokens.
class TokenTiles {
public:
  TokenTiles(AffineScanOp list, int64_t chunk, int64_t keys,
             const llvm::DenseMap<mlir::Value, TokenDim> &dims,
             ChunkPlace place)
      : list(list), chunk(chunk), keys(keys), dims(dims), place(place) {}

  /// The tile of `value`, created at `b`; null (with an error at the op) if an
  /// op does not apply to tiles.
  mlir::Value get(mlir::OpBuilder &b, mlir::Value value);

  /// Like `get`, but null stands for the constant 1.
  mlir::Value getUnlessOne(mlir::OpBuilder &b, mlir::Value value);

  /// Like `get` for a scalar, [C], with 0 for the tokens that `valid` says do
  /// not exist.
  mlir::Value getWhere(mlir::OpBuilder &b, mlir::Value value,
                       mlir::Value valid);

  /// Whether a `get` failed.
  bool hasFailed() const { return failed; }

  /// Makes `tile` stand for `value` from here on.
  void set(mlir::Value value, mlir::Value tile) { tiles[value] = tile; }

private:
  mlir::RankedTensorType tileType(mlir::Value value);
  mlir::Value constantTile(mlir::OpBuilder &b, mlir::Value value,
                           mlir::Attribute constant,
                           mlir::RankedTensorType type);

  AffineScanOp list;
  int64_t chunk, keys;
  const llvm::DenseMap<mlir::Value, TokenDim> &dims;
  ChunkPlace place;
  bool failed = false;
  llvm::DenseMap<mlir::Value, mlir::Value> tiles;
};

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_TOKENTILES_H

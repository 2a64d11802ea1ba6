//===- TileParts.h - tiles as rows and scalars ------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_TILEPARTS_H
#define QDELTA_TRANSFORMS_TILEPARTS_H

#include "mlir/IR/Builders.h"

namespace qdelta {

/// The parts of expanded tiles: a tile [C] is C scalars, a tile [C x W] is C
/// vectors of W elements, an interaction matrix [C x C] is C * C scalars, row
/// by row, of which null ones are structurally 0. A tensor that was never
/// expanded is memory: its parts are loaded right after its definition when
/// asked for.
class TileParts {
public:
  explicit TileParts(mlir::OpBuilder &b) : b(b) {}

  void set(mlir::Value tile, mlir::ValueRange parts);
  void setMatrix(mlir::Value tile, mlir::ValueRange parts);
  /// A splat constant tile.
  void setConstant(mlir::Location loc, mlir::Value tile,
                   mlir::DenseElementsAttr value);

  bool isExpanded(mlir::Value tile) const;
  bool isMatrix(mlir::Value tile) const { return kinds.lookup(tile) == Matrix; }

  llvm::SmallVector<mlir::Value> scalars(mlir::Value tile);
  llvm::SmallVector<mlir::Value> rows(mlir::Value tile);
  llvm::SmallVector<mlir::Value> matrix(mlir::Value tile);

  /// `tile` as a tensor: itself, or a new one that its parts are stored to.
  mlir::Value memory(mlir::Value tile);
  /// Stores the parts of `tile` into `dest` at `at`; returns the new tensor.
  mlir::Value store(mlir::Location loc, mlir::Value tile, mlir::Value dest,
                    llvm::ArrayRef<mlir::Value> at);

  mlir::Value readRow(mlir::Location loc, mlir::Value source,
                      mlir::ValueRange at, int64_t width);
  mlir::Value writeRow(mlir::Location loc, mlir::Value row, mlir::Value dest,
                       mlir::ValueRange at);
  /// `scalar` in every lane of a vector like `row`.
  mlir::Value broadcast(mlir::Location loc, mlir::Value scalar,
                        mlir::Value row);
  /// Zeros like the rows of a tile [C x W].
  mlir::Value zeroRow(mlir::Location loc, mlir::RankedTensorType tileType);
  mlir::Value one(mlir::Location loc, mlir::Type type);
  /// lhs * rhs of scalars or of rows, without multiplying by the constant 1.
  mlir::Value multiply(mlir::Location loc, mlir::Value lhs, mlir::Value rhs);
  /// Elementwise `op` on one part of each operand. Null parts are 0.
  mlir::Value applyToParts(mlir::Location loc, mlir::Operation *op,
                           llvm::ArrayRef<mlir::Value> operands,
                           mlir::RankedTensorType tileType);

private:
  enum Kind { None, Scalars, Rows, Matrix };

  llvm::SmallVector<mlir::Value> get(mlir::Value tile, Kind kind);

  mlir::OpBuilder &b;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> parts;
  llvm::DenseMap<mlir::Value, Kind> kinds;
};

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_TILEPARTS_H

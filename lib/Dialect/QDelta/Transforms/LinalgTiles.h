//===- LinalgTiles.h - tiles as linalg ops make them -------------*- C++
//-*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_LINALGTILES_H
#define QDELTA_TRANSFORMS_LINALGTILES_H

#include "mlir/IR/PatternMatch.h"

namespace qdelta {

mlir::RankedTensorType typeOf(mlir::Value tile);
mlir::Value index(mlir::OpBuilder &b, mlir::Location loc, int64_t value);
mlir::Value emptyLike(mlir::OpBuilder &b, mlir::Location loc,
                      mlir::RankedTensorType type);
mlir::Value filled(mlir::OpBuilder &b, mlir::Location loc,
                   mlir::RankedTensorType type, double value);

/// A constant tile of ones.
mlir::Value onesOf(mlir::OpBuilder &b, mlir::Location loc,
                   mlir::RankedTensorType type);

/// A scalar or tile in another element type: wider, or rounded.
mlir::Value convert(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value,
                    mlir::Type element);

/// init + lhs * rhs.
mlir::Value multiply(mlir::OpBuilder &b, mlir::Location loc, mlir::Value lhs,
                     mlir::Value rhs, mlir::Value init);

/// init + factor * tile, with a number for the factor.
mlir::Value addMultiple(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value factor, mlir::Value tile, mlir::Value init);

/// A tile's transpose.
mlir::Value transposed(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value tile);

/// Row `at` of a tile [R x D], as [D] or with `keepRank` as [1 x D].
mlir::Value rowOf(mlir::OpBuilder &b, mlir::Location loc, mlir::Value tile,
                  mlir::OpFoldResult at, bool keepRank = false);
/// Column `at` of a tile [R x D], as [R].
mlir::Value columnOf(mlir::OpBuilder &b, mlir::Location loc, mlir::Value tile,
                     mlir::OpFoldResult at);
/// `tile` with row `at` replaced by `row`, [D] or [1 x D].
mlir::Value withRow(mlir::OpBuilder &b, mlir::Location loc, mlir::Value row,
                    mlir::Value tile, mlir::OpFoldResult at);
/// `tile` with column `at` replaced by `column`, [R].
mlir::Value withColumn(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value column, mlir::Value tile,
                       mlir::OpFoldResult at);

/// `tile` with its rows (`along` = 0) or columns (1) times the entries of `by`,
/// in the tile's own buffer, so that a loop may carry it. `by` may be narrower.
mlir::Value scaledInPlace(mlir::OpBuilder &b, mlir::Location loc,
                          mlir::Value tile, mlir::Value by, unsigned along);

/// Lowers chunk_apply.
void populateApplyToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// Lowers chunk_decay and chunk_gram.
void populateDecayToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// Lowers chunk_transfer.
void populateTransferToLinalgPatterns(mlir::RewritePatternSet &patterns);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_LINALGTILES_H

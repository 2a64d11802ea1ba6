//===- Widths.h - how a warp shares the vectors of a prescan ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_PRESCANTOGPU_WIDTHS_H
#define QDELTA_CONVERSION_PRESCANTOGPU_WIDTHS_H

#include "../ListToGpu/Layout.h"

namespace qdelta::gpu {

/// The dimensions of a prescan's vectors, and the pieces that each thread of a
/// warp has of a vector of one dimension. A piece is a run of adjacent
/// channels; the lanes' runs follow one another, so that a warp reads whole
/// lines. Channels that are rotated by pairs are laid out as their half is,
/// twice, so that a thread has both of a pair and its angle.
class Widths {
public:
  /// Fails with an error at an op whose dimension is not known, or that is none
  /// of a row's.
  static mlir::FailureOr<Widths> get(PrescanOp op);

  /// The dimension of a vector of the region; 0 for a scalar.
  int64_t widthOf(mlir::Value value) const { return widths.lookup(value); }

  /// A lane's pieces of a vector, and of a scalar the one element.
  llvm::SmallVector<Piece> pieces(Emitter &e, int64_t width, Num lane) const;
  /// How many numbers a lane has of a vector: 1 for a scalar.
  size_t count(int64_t width) const;

private:
  struct Part {
    int64_t first; ///< before the lanes' runs
    int64_t run;
    bool whole; ///< every lane has one
  };
  llvm::SmallVector<Part> partsOf(int64_t width) const;

  llvm::DenseMap<mlir::Value, int64_t> widths;
  llvm::SmallDenseSet<int64_t> rotated;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_PRESCANTOGPU_WIDTHS_H

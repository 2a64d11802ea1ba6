//===- Layout.h - what each thread holds of a value block ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_LISTTOGPU_LAYOUT_H
#define QDELTA_CONVERSION_LISTTOGPU_LAYOUT_H

#include "../ChunkToGpu/Emitter.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta::gpu {

/// The K x W block of a CTA, over its threads. A thread has `lanes` adjacent
/// value columns of `rows` key channels. The `split` threads of a warp that
/// share columns have the other channels; `across` groups of them stand side by
/// side in a warp. Channels come in runs of `run` adjacent ones, the runs of a
/// column's threads by turns:
///
///     channel = (j split + key) run + i,   j < rows / run, i < run
///
/// so that a row of the state and a key vector are both read in whole pieces.
struct Layout {
  static Layout get(AffineScanOp op);

  int64_t keys = 0, values = 0; ///< K and V
  int64_t columns = 0;          ///< W
  int64_t lanes = 0, split = 0;
  int64_t run = 0, rows = 0;
  /// Columns that are read and written at once: they divide V.
  int64_t unit = 0;

  int64_t across() const { return 32 / split; }
  int64_t threads() const { return columns / lanes * split; }
  int64_t blocks() const { return llvm::divideCeil(values, columns); }
};

/// `length` adjacent elements of a row in memory.
struct Piece {
  Num first;   ///< element of the row, i32
  Num present; ///< whether the row has them; null where that is known
  int64_t length;
};

/// A thread's place in the block, as fresh arithmetic that the optimizer cannot
/// keep in registers from one use to the next.
class Place {
public:
  Place(Emitter &e, const Layout &layout);

  llvm::SmallVector<Piece> keys, columns;
  /// Whether the thread is the first of those that share its columns.
  Num isFirst;
  /// What to combine a sum over the threads that share columns with: lanes
  /// apart by these.
  llvm::SmallVector<int64_t> partners;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_LISTTOGPU_LAYOUT_H

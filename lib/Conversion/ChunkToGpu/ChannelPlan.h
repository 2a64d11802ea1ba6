//===- ChannelPlan.h - what decays per key channel make --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_CHANNELPLAN_H
#define QDELTA_CONVERSION_CHUNKTOGPU_CHANNELPLAN_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta::gpu {

/// A key tile as an operand that decays, at a place of each token: rows of
/// reads decay from an earlier token to it, those of writes from it to a later
/// one.
struct KeyOperand {
  mlir::Value keys;
  int64_t place;
  bool isWrite;
  bool operator==(const KeyOperand &other) const = default;
};

/// A Gram matrix with decays inside, by the numbers of its operands.
struct DecayedGram {
  mlir::Value matrix;
  unsigned read, write;
  /// Whether a token's write stands before its read, and its decay in between.
  bool inclusive, decaysBetween;
};

/// The ops of a chunk that have to do with a decay per key channel, of which a
/// list has one a token.
class ChannelPlan {
public:
  /// Takes in one op after the other. Fails with an error at what kernels do
  /// not cover; ops of other kinds are none of its business.
  mlir::LogicalResult add(mlir::Operation *op);

  static bool isPerChannel(mlir::ValueRange logs);
  /// Whether a tile holds the logs of decays.
  static bool isLog(LoadTileOp load);

  /// Whether products centred in a block of 16 tokens stay in range.
  bool allowsCentre() const;

  /// The logs; null if there are no such decays.
  LoadTileOp log;
  /// None of them is below it, if there is such a number.
  std::optional<double> lower;
  llvm::SmallVector<KeyOperand> operands;
  llvm::SmallVector<DecayedGram> grams;
  /// Decayed tiles of the whole chunk, by the number of their operand.
  llvm::MapVector<mlir::Value, unsigned> tiles;
  /// The whole chunk's decay, [1 x K].
  mlir::Value total;

private:
  mlir::FailureOr<LoadTileOp> loadOf(mlir::Operation *op, mlir::Value tile);
  unsigned operand(mlir::Value keys, int64_t place, bool isWrite);
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_CHANNELPLAN_H

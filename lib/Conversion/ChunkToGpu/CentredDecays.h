//===- CentredDecays.h - bounded decays as centred products ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_CENTREDDECAYS_H
#define QDELTA_CONVERSION_CHUNKTOGPU_CENTREDDECAYS_H

#include "ChannelGrams.h"

namespace qdelta::gpu {

/// For logs with a lower bound: a block on the diagonal is one product of reads
/// and writes that are scaled by what decays between them and the centre of all
/// that may decay in a block, some of them upwards. A log below the bound is
/// taken as the bound.
class CentredDecays : public ChannelGrams {
public:
  using ChannelGrams::ChannelGrams;

  void create() override;

private:
  /// Sums of logs, base 2, of a block's tokens from its first one on: up to and
  /// with each token, and to its end. All that this thread has of eight
  /// channels: as the rows of a tile, and two channels.
  struct Sums {
    Fragment to, end;
    /// Without the token's own log; made where a place asks for it, else empty.
    Fragment before;
  };
  /// Eight channels: of this warp's block the sums, the operands, and those
  /// scaled to and from the block's middle; of the other block the sums and the
  /// writes. Factors from the middle to the block's start and end, two
  /// channels.
  struct Piece {
    Num number;
    Sums own, other;
    llvm::DenseMap<unsigned, Fragment> operands, scaled, otherWrites;
    Fragment toEnd;
  };

  void createSums(Num first);
  void createBlocks(const Pass &pass, bool isFirst);
  Fragment addSpan(const Pass &pass, bool isFirst, Num first,
                   llvm::ArrayRef<Num> values);
  Piece load(const Pass &pass, Num number);
  Sums loadSums(const Pass &pass, Num warp, Num piece);
  Fragment loadSumPair(Num row, Num piece);
  void addOwn(const Pass &pass, Piece &piece, llvm::MutableArrayRef<Num> sums);
  void addBelow(const Pass &pass, Piece &piece,
                llvm::MutableArrayRef<Num> sums);
  void store(const Pass &pass, Piece &piece, bool isFirst);
  Fragment scaled(unsigned number, llvm::ArrayRef<Num> values, const Sums &sums,
                  llvm::ArrayRef<Num> centre);
  void addProduct(llvm::ArrayRef<Num> reads, llvm::ArrayRef<Num> writes,
                  llvm::MutableArrayRef<Num> sums);
  Fragment product(const DecayedGram &gram, llvm::ArrayRef<Num> sums);
  /// Half of what a block's logs add up to at most, base 2.
  double centre() const;
  /// What raises an operand on its way to TF32, base 2.
  double raise() const;
  bool hasOther() const { return plan.gramWarps == 2; }
  /// Where the sums of a span of channels are.
  Num sumsStart();
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_CENTREDDECAYS_H

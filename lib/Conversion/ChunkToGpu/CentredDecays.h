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
/// and writes that are scaled by what decays between them and the block's
/// middle, upwards on one side of it. A log below the bound is taken as the
/// bound.
class CentredDecays : public ChannelGrams {
public:
  using ChannelGrams::ChannelGrams;

  void create() override;

private:
  /// Sums of logs, base 2, of a block's tokens from its first one on: up to and
  /// with each token, up to its middle and to its end. All that this thread has
  /// of eight channels: as the rows of a tile, and two channels.
  struct Sums {
    Fragment to, middle, end;
    /// Without the token's own log; made where a place asks for it.
    Fragment before;
  };
  /// An operand of the block on the diagonal, as numbers and as registers.
  struct Operand {
    Fragment values, rounded;
  };

  void createSums(Num first);
  void createBlocks(const Pass &pass, bool isFirst);
  Fragment addSpan(const Pass &pass, bool isFirst, Num first,
                   llvm::ArrayRef<Num> values);
  Fragment addChannels(const Pass &pass, bool isFirst, Num piece,
                       llvm::ArrayRef<Num> values);
  Sums loadSums(Num warp, Num piece);
  Fragment loadSumPair(Num row, Num piece);
  const Fragment &sumsAt(const KeyOperand &operand, Sums &sums, Num warp,
                         Num piece);
  Operand scaleOperand(const KeyOperand &operand, Sums &sums,
                       llvm::ArrayRef<Num> centre, Num warp, Num piece);
  void addBelow(const Pass &pass, llvm::DenseMap<unsigned, Operand> &operands,
                llvm::ArrayRef<Num> fromStart, Sums &other, Num piece,
                llvm::MutableArrayRef<Num> sums);
  void addProduct(llvm::ArrayRef<Num> reads, llvm::ArrayRef<Num> writes,
                  llvm::MutableArrayRef<Num> sums);
  Fragment product(const DecayedGram &gram, llvm::ArrayRef<Num> sums);
  /// Where the sums of a span of channels are.
  Num sumsStart();
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_CENTREDDECAYS_H

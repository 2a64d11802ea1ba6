//===- ChannelDecays.h - keys and Grams that decay per channel -*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_CHANNELDECAYS_H
#define QDELTA_CONVERSION_CHUNKTOGPU_CHANNELDECAYS_H

#include "Kernel.h"

namespace qdelta::gpu {

/// What decays per key channel make of one chunk, by the warps of the Gram
/// role, 16 tokens each: Gram matrices, the decayed tiles of keys and the decay
/// of the whole chunk, which go to the slot. Every decay is a product of those
/// in between, so none is above 1 and none is divided by.
class ChannelDecays {
public:
  ChannelDecays(Kernel &kernel, Num index, Num slot);

  /// Makes everything. Barriers of the role are inside; one has to follow
  /// before other warps read the tiles.
  void create();
  /// A product of `create`, as MatrixValues holds them.
  Fragment product(const DecayedGram &gram) const;

private:
  /// A few Gram matrices at a time, as registers allow.
  struct Pass {
    llvm::SmallVector<DecayedGram> grams;
    llvm::SmallVector<unsigned> operands;
  };
  /// Of a token and its decays for two channels of two tokens: element 2 h + i
  /// is token g + 8 h of the warp's 16, channel 2 q + i of 8.
  struct Operand {
    unsigned number;
    Fragment raw, values;
  };
  /// Decays within groups of a power of two tokens.
  struct Decays {
    Fragment own, before, after, whole;
  };
  llvm::SmallVector<Pass> passes() const;
  void createBlocks(const Pass &pass, bool isFirst);
  Fragment addChannels(const Pass &pass, bool isFirst, Num piece,
                       llvm::ArrayRef<Num> sums);
  void addToken(const DecayedGram &gram, llvm::ArrayRef<Operand> operands,
                const Decays &decays, llvm::MutableArrayRef<Num> dots);
  void addPairs(int64_t apart, const Fragment &reads, const Fragment &writes,
                llvm::MutableArrayRef<Num> sums);
  void widen(Decays &decays, int64_t apart);
  void storeOperand(const Operand &operand, const Decays &decays, Num piece);
  void storeTotal(const Decays &decays, Num piece);
  Fragment diagonal(const DecayedGram &gram, llvm::ArrayRef<Num> sums);
  /// What joins the blocks of two warps.
  void createBelow();
  void addBelow(const DecayedGram &gram, llvm::MutableArrayRef<Num> sum);
  void widenTiles();
  void scaleTiles(bool ofWrites, Num other);

  Fragment loadPair(const Tile &tile, Num row, Num piece);
  Fragment loadOperandPair(Num start, Num row, Num piece);
  void storePair(Num start, Num row, Num piece, Num first, Num second);
  /// Where a whole tile of an operand is in the slot.
  Num tileOf(unsigned operand) const;
  bool hasTile(unsigned operand) const;
  Num row(int64_t half) { return x.warp * 16 + x.group + 8 * half; }
  Num totals(Num warp) {
    return kernel.shared + (warp * (4 * plan.keys) + plan.channelsAt);
  }
  void syncRole();

  Kernel &kernel;
  Emitter &e;
  Plan &plan;
  ChannelPlan &channels;
  Lane x;
  Num index, slot;
  llvm::DenseMap<mlir::Value, Fragment> diagonals, belows;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_CHANNELDECAYS_H

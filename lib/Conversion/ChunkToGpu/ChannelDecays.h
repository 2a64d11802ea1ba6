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

  /// Makes everything. A barrier of the role has to follow before other warps
  /// read the tiles.
  void create();
  /// A product of `create`, as MatrixValues holds them.
  const Fragment &product(const DecayedGram &gram) const {
    return products.find(gram.matrix)->second;
  }

private:
  /// A few Gram matrices at a time, as registers allow.
  struct Pass {
    llvm::SmallVector<DecayedGram> grams;
    llvm::SmallVector<unsigned> operands;
  };
  /// Two channels of two tokens of an operand: element 2 h + i is token g + 8 h
  /// of the warp's 16, channel 2 q + i of 8. As loaded, at its place, and the
  /// same on its way to TF32.
  struct Operand {
    unsigned number;
    Fragment raw, values, raised;
  };
  /// Decays of the same, a token's own, and within groups of a power of two
  /// tokens: before it, after it, and of the whole group.
  struct Decays {
    Fragment own, before, after, whole;
  };
  llvm::SmallVector<Pass> passes() const;
  void createBlocks(const Pass &pass, bool isFirst);
  Fragment addChannels(const Pass &pass, bool isFirst, Num piece,
                       llvm::ArrayRef<Num> values);
  Decays loadDecays(Num warp, Num piece);
  Operand loadOperand(unsigned number, Num warp, const Decays &decays,
                      Num piece);
  Fragment decayed(const Operand &operand, const Decays &decays, bool round);
  Fragment raised(llvm::ArrayRef<Num> values);
  Num roundOperand(Num value);
  void addToken(const DecayedGram &gram, llvm::ArrayRef<Operand> operands,
                llvm::MutableArrayRef<Num> dots);
  void addPairs(int64_t apart, const Fragment &reads, const Fragment &writes,
                llvm::MutableArrayRef<Num> sums);
  void addBelow(const Pass &pass, llvm::ArrayRef<Operand> operands,
                const Decays &decays, const Decays &other, Num piece,
                llvm::MutableArrayRef<Num> sums);
  void widen(Decays &decays, int64_t apart);
  void storeOperand(const Operand &operand, const Decays &decays,
                    const Decays &other, Num piece);
  void storeTotal(const Decays &decays, const Decays &other, Num piece);
  Fragment product(llvm::ArrayRef<Num> sums);

  Fragment loadRows(const Tile &tile, Num warp, Num piece);
  Fragment loadPair(const Tile &tile, Num row, Num piece);
  void storePair(Num start, Num row, Num piece, Num first, Num second);
  Num rowOf(Num warp, int64_t half) { return warp * 16 + x.group + 8 * half; }
  Num otherWarp() { return e.i32(1) - x.warp; }

  Kernel &kernel;
  Emitter &e;
  Plan &plan;
  ChannelPlan &channels;
  Lane x;
  Num index, slot;
  llvm::DenseMap<mlir::Value, Fragment> products;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_CHANNELDECAYS_H

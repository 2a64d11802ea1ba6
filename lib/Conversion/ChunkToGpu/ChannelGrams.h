//===- ChannelGrams.h - Gram matrices that decay per channel ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_CHANNELGRAMS_H
#define QDELTA_CONVERSION_CHUNKTOGPU_CHANNELGRAMS_H

#include "Kernel.h"

#include <memory>

namespace qdelta::gpu {

/// What decays per key channel make of one chunk, by the warps of the Gram
/// role, 16 tokens each: Gram matrices, the decayed tiles of keys and the decay
/// of the whole chunk, which go to the slot. The warps go over the key channels
/// eight at a time.
class ChannelGrams {
public:
  /// With blocks on the diagonal as centred products where the plan says so.
  static std::unique_ptr<ChannelGrams> get(Kernel &kernel, Num index, Num slot);
  ChannelGrams(Kernel &kernel, Num index, Num slot);
  virtual ~ChannelGrams() = default;

  /// Makes everything. A barrier of the role has to follow before other warps
  /// read the tiles.
  virtual void create() = 0;
  /// A product of `create`, as MatrixValues holds them.
  const Fragment &product(const DecayedGram &gram) const {
    return products.find(gram.matrix)->second;
  }

protected:
  /// A few Gram matrices at a time, as registers allow.
  struct Pass {
    llvm::SmallVector<DecayedGram> grams;
    llvm::SmallVector<unsigned> operands;
  };
  /// With at most `count` Gram matrices each.
  llvm::SmallVector<Pass> passes(size_t count) const;

  /// A register of an operand in TF32. Of bf16 sequences its number has been
  /// multiplied by `kRaise`.
  Num roundOperand(Num value);
  bool isRaised() const { return plan.format == Format::BF16; }
  /// Rounding to TF32 takes three instructions. Hardware drops the bits that
  /// TF32 has not, an error of one sign up to 2^-10; raised by half of it
  /// before, what TF32 holds exactly stays so, and the rest is off to both
  /// sides. That will do for a matrix that is stored in bf16.
  static constexpr double kRaise = 1 + 0x1p-11;

  /// Two channels, 8 piece + 2 q and the next one, of two tokens of a tile:
  /// element 2 h + i is token g + 8 h of the warp's 16, channel 2 q + i.
  Fragment loadRows(const Tile &tile, Num warp, Num piece);
  Fragment loadPair(const Tile &tile, Num row, Num piece);
  /// The same numbers of an operand to the tiles that it makes in the slot.
  void storeTiles(unsigned operand, const Fragment &values, Num piece);
  /// The chunk's decay of two channels, which all lanes of them have.
  void storeTotal(Num first, Num second, Num piece);

  /// A warp's rows of a Gram matrix: its block on the diagonal, `own`, and with
  /// two warps the columns of the first block before it, `below` for the second
  /// warp and its own for the first.
  Fragment ofBothBlocks(llvm::ArrayRef<Num> own,
                        llvm::ArrayRef<Num> below) const;

  Num rowOf(Num warp, int64_t half) { return warp * 16 + x.group + 8 * half; }
  Num otherWarp() { return e.i32(1) - x.warp; }

  Kernel &kernel;
  Emitter &e;
  Plan &plan;
  ChannelPlan &channels;
  Lane x;
  Num index, slot;
  llvm::DenseMap<mlir::Value, Fragment> products;

private:
  void storePair(Num start, Num row, Num piece, Num first, Num second);
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_CHANNELGRAMS_H

//===- ChannelDecays.h - keys and Grams that decay per channel -*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_CHANNELDECAYS_H
#define QDELTA_CONVERSION_CHUNKTOGPU_CHANNELDECAYS_H

#include "ChannelGrams.h"

namespace qdelta::gpu {

/// Every decay is a product of those in between, so none is above 1 and none is
/// divided by: for any log at most 0, -inf included.
class ChannelDecays : public ChannelGrams {
public:
  using ChannelGrams::ChannelGrams;

  void create() override;

private:
  /// As loaded, at its place, and the same on its way to TF32.
  struct Operand {
    unsigned number;
    Fragment raw, values, raised;
  };
  /// Decays of the same, a token's own, and within groups of a power of two
  /// tokens: before it, after it, and of the whole group.
  struct Decays {
    Fragment own, before, after, whole;
  };
  void createBlocks(const Pass &pass, bool isFirst);
  Fragment addChannels(const Pass &pass, bool isFirst, Num piece,
                       llvm::ArrayRef<Num> values);
  Decays loadDecays(Num warp, Num piece);
  Operand loadOperand(unsigned number, Num warp, const Decays &decays,
                      Num piece);
  Fragment decayed(const Operand &operand, const Decays &decays, bool round);
  Fragment raised(llvm::ArrayRef<Num> values);
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
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_CHANNELDECAYS_H

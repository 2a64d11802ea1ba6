//===- ChannelDecays.cpp - keys and Grams that decay per channel ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Entry (t, s) of a Gram matrix is the sum over channels of x_t a_s times what
// decays from s to t. Let m be the highest bit in which t and s differ. Then t
// lies in the right half of a group of 2 m tokens and s in the left half, and
// the decay is one from s to the middle times one from the middle to t. Both
// are products of decays, at most 1, and the second is t's alone: a product of
// matrices for each m makes all entries. Groups of 2 m follow from those of m:
// in the right half, what came before a token gains the left half's decay, and
// the other way round. A warp does so for its 16 tokens, whose channels its
// lanes have side by side, and products are in TF32 with sums in f32. Within a
// token the sum is taken as it stands.
//
// Two warps' blocks of 16 are a group of 32. Each warp also goes over the logs
// of the other one's tokens, and the second over the first one's writes: that
// costs less than to wait for what the other warp makes, and rounds the tiles
// once.
//
//===----------------------------------------------------------------------===//

#include "ChannelDecays.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

static constexpr double kLog2E = 1.4426950408889634;
/// Tokens of a warp's block.
static constexpr int64_t kBlock = 16;
/// Sums of a Gram matrix in a thread: two blocks of 16 x 8 for entries whose
/// tokens are 1, 2 and 4 apart, of which the first has room for 8, two tokens'
/// own, and two blocks of 16 x 8 for columns of the other warp's tokens.
static constexpr size_t kBlockSums = 4, kPairSums = 3 * 2 * kBlockSums,
                        kBelowSums = 2 * kBlockSums,
                        kSums = kPairSums + 2 + kBelowSums;

void ChannelDecays::create() {
  constexpr size_t kGrams = 2;
  for (auto [number, pass] : llvm::enumerate(passes(kGrams)))
    createBlocks(pass, /*isFirst=*/number == 0);
}

//===-- One warp's tokens -------------------------------------------------===//

void ChannelDecays::createBlocks(const Pass &pass, bool isFirst) {
  x = kernel.lane(/*gramRole=*/true);
  Fragment sums(kSums * pass.grams.size(), e.f32(0));
  sums = e.loop(e.i32(0), e.i32(plan.keys / 8), 1, sums,
                [&](Num piece, ArrayRef<Num> values) {
                  return addChannels(pass, isFirst, piece, values);
                });
  for (auto [i, gram] : llvm::enumerate(pass.grams))
    products[gram.matrix] = product(ArrayRef(sums).slice(i * kSums, kSums));
}

/// Eight key channels, number `piece`.
Fragment ChannelDecays::addChannels(const Pass &pass, bool isFirst, Num piece,
                                    ArrayRef<Num> values) {
  Fragment sums(values);
  Decays decays = loadDecays(x.warp, piece);
  SmallVector<Operand> operands;
  for (unsigned number : pass.operands)
    operands.push_back(loadOperand(number, x.warp, decays, piece));
  auto sumsOf = [&](size_t gram) {
    return MutableArrayRef(sums).slice(gram * kSums, kSums);
  };
  for (auto [i, gram] : llvm::enumerate(pass.grams))
    addToken(gram, operands, sumsOf(i).slice(kPairSums, 2));
  for (int64_t apart = 1; apart < kBlock; apart *= 2) {
    llvm::DenseMap<unsigned, Fragment> rounded;
    for (const Operand &operand : operands)
      rounded[operand.number] = decayed(operand, decays, /*round=*/true);
    for (auto [i, gram] : llvm::enumerate(pass.grams))
      addPairs(apart, rounded[gram.read], rounded[gram.write], sumsOf(i));
    widen(decays, apart);
  }
  Decays other;
  if (plan.gramWarps == 2) {
    other = loadDecays(otherWarp(), piece);
    for (int64_t apart = 1; apart < kBlock; apart *= 2)
      widen(other, apart);
    addBelow(pass, operands, decays, other, piece, sums);
  }
  for (const Operand &operand : operands)
    storeOperand(operand, decays, other, piece);
  if (isFirst)
    storeTotal(decays, other, piece);
  return sums;
}

ChannelDecays::Decays ChannelDecays::loadDecays(Num warp, Num piece) {
  Decays decays;
  for (Num log : loadRows(plan.tileOf(channels.log), warp, piece))
    decays.own.push_back(e.exp2(log * e.f32(kLog2E)));
  decays.before = decays.after = Fragment(4, e.f32(1));
  decays.whole = decays.own;
  return decays;
}

ChannelDecays::Operand ChannelDecays::loadOperand(unsigned number, Num warp,
                                                  const Decays &decays,
                                                  Num piece) {
  const KeyOperand &operand = channels.operands[number];
  Fragment raw = loadRows(plan.tileOf(operand.keys), warp, piece), values = raw;
  // The token's own decay stands before a read, or after a write.
  if (operand.isWrite == (operand.place == 0))
    for (auto [value, decay] : llvm::zip(values, decays.own))
      value = value * decay;
  return {number, raw, values, raised(values)};
}

Fragment ChannelDecays::raised(ArrayRef<Num> values) {
  Fragment all(values);
  if (isRaised())
    for (Num &value : all)
      value = value * e.f32(kRaise);
  return all;
}

/// To or from the middle of the group.
Fragment ChannelDecays::decayed(const Operand &operand, const Decays &decays,
                                bool round) {
  bool isWrite = channels.operands[operand.number].isWrite;
  Fragment all;
  for (auto [value, decay] :
       llvm::zip(round ? operand.raised : operand.values,
                 isWrite ? decays.after : decays.before)) {
    Num product = value * decay;
    all.push_back(round ? roundOperand(product) : product);
  }
  return all;
}

/// The second block's rows by the first one's; the first warp's are not used.
void ChannelDecays::addBelow(const Pass &pass, ArrayRef<Operand> operands,
                             const Decays &decays, const Decays &other,
                             Num piece, MutableArrayRef<Num> sums) {
  llvm::DenseMap<unsigned, Fragment> rounded;
  for (const Operand &operand : operands) {
    if (!channels.operands[operand.number].isWrite) {
      rounded[operand.number] = decayed(operand, decays, /*round=*/true);
      continue;
    }
    Operand writes = loadOperand(operand.number, otherWarp(), other, piece);
    rounded[operand.number] = decayed(writes, other, /*round=*/true);
  }
  for (auto [i, gram] : llvm::enumerate(pass.grams)) {
    const Fragment &reads = rounded[gram.read], &writes = rounded[gram.write];
    Fragment a{reads[0], reads[2], reads[1], reads[3]};
    for (size_t block = 0; block < 2; ++block)
      e.product(Format::TF32,
                sums.slice((i + 1) * kSums - kBelowSums + block * kBlockSums,
                           kBlockSums),
                a, writes[2 * block], writes[2 * block + 1]);
  }
}

/// What a token's read sees of its own write.
void ChannelDecays::addToken(const DecayedGram &gram,
                             ArrayRef<Operand> operands,
                             MutableArrayRef<Num> dots) {
  if (!gram.inclusive)
    return;
  auto find = [&](unsigned number) -> const Operand & {
    return *llvm::find_if(operands, [&](const Operand &operand) {
      return operand.number == number;
    });
  };
  const Operand &read = find(gram.read), &write = find(gram.write);
  const Fragment &reads = gram.decaysBetween ? read.values : read.raw;
  for (size_t n = 0; n < 4; ++n)
    dots[n / 2] = e.fma(reads[n], write.raw[n], dots[n / 2]);
}

/// Adds to entries whose tokens differ in the bit `apart` and none above. Of
/// the two blocks on the diagonal of 16 x 16, 16 x 8 each, only the 8 rows
/// there count; the others are left for tokens 8 apart, in the first block.
void ChannelDecays::addPairs(int64_t apart, const Fragment &reads,
                             const Fragment &writes,
                             MutableArrayRef<Num> sums) {
  Num zero = e.i32(0);
  Fragment upper{reads[0], zero, reads[1], zero};
  Fragment lower{zero, reads[2], zero, reads[3]};
  auto add = [&](size_t block, const Fragment &a, Num b0, Num b1) {
    e.product(Format::TF32, sums.slice(block * kBlockSums, kBlockSums), a, b0,
              b1);
  };
  if (apart == 8) {
    // Its zeros meet writes that decay over tokens behind the rows above.
    Fragment above(sums.take_front(2));
    add(0, lower, writes[0], writes[1]);
    llvm::copy(above, sums.begin());
    return;
  }
  size_t first = apart == 1 ? 0 : apart == 2 ? 2 : 4;
  add(first, upper, writes[0], writes[1]);
  add(first + 1, lower, writes[2], writes[3]);
}

/// From groups of `apart` tokens to groups of twice as many.
void ChannelDecays::widen(Decays &decays, int64_t apart) {
  if (apart == 8) {
    for (size_t i = 0; i < 2; ++i) {
      decays.before[2 + i] = decays.before[2 + i] * decays.whole[i];
      decays.after[i] = decays.after[i] * decays.whole[2 + i];
      decays.whole[i] = decays.whole[i] * decays.whole[2 + i];
    }
    return;
  }
  Num isRight = e.num(e.b.createOrFold<arith::CmpIOp>(
      arith::CmpIPredicate::ne, x.group & apart, e.i32(0)));
  for (size_t n = 0; n < 4; ++n) {
    // Tokens of a lane are its number's upper bits.
    Num other = e.shuffleXor(decays.whole[n], 4 * apart);
    decays.before[n] = decays.before[n] * e.select(isRight, other, e.f32(1));
    decays.after[n] = decays.after[n] * e.select(isRight, e.f32(1), other);
    decays.whole[n] = decays.whole[n] * other;
  }
}

/// `other` is empty if there is no other block.
void ChannelDecays::storeOperand(const Operand &operand, const Decays &decays,
                                 const Decays &other, Num piece) {
  bool isWrite = channels.operands[operand.number].isWrite;
  Fragment values = decayed(operand, decays, /*round=*/false);
  // The other block comes before a read of the second one, or after a write of
  // the first.
  Num isPassed = equals(x.warp, isWrite ? 0 : 1);
  for (size_t n = 0; n < values.size() && !other.whole.empty(); ++n)
    values[n] = values[n] * e.select(isPassed, other.whole[n % 2], e.f32(1));
  storeTiles(operand.number, values, piece);
}

void ChannelDecays::storeTotal(const Decays &decays, const Decays &other,
                               Num piece) {
  Fragment total(ArrayRef(decays.whole).take_front(2));
  for (size_t i = 0; i < 2 && !other.whole.empty(); ++i)
    total[i] = total[i] * other.whole[i];
  ChannelGrams::storeTotal(total[0], total[1], piece);
}

/// A thread's entries, those of its warp's block on the diagonal last.
Fragment ChannelDecays::product(ArrayRef<Num> sums) {
  Fragment own(sums.slice(kPairSums, 2));
  for (Num &dot : own)
    for (int64_t lane = 1; lane < 4; lane *= 2)
      dot = dot + e.shuffleXor(dot, lane);
  Fragment all;
  for (int64_t block = 0; block < 2; ++block)
    for (int64_t half = 0; half < 2; ++half)
      for (int64_t i = 0; i < 2; ++i) {
        auto at = static_cast<size_t>(2 * half + i);
        if (block != half) {
          all.push_back(half ? sums[at] : e.f32(0));
          continue;
        }
        auto level = [&](int64_t number) {
          return sums[static_cast<size_t>(2 * number + block) * kBlockSums +
                      at];
        };
        Num column = x.quad * 2 + i, differ = x.group ^ column;
        Num value = e.select(differ < 2, level(0),
                             e.select(differ < 4, level(1), level(2)));
        value = e.select(column < x.group, value, e.f32(0));
        all.push_back(
            e.select(equals(differ, 0), own[static_cast<size_t>(half)], value));
      }
  return ofBothBlocks(all, sums.take_back(kBelowSums));
}

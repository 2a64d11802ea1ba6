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
// Two warps' blocks of 16 are joined the same way, but through the tiles in
// shared memory: their product is in the format of all operands, and then each
// is scaled by what the other block decays.
//
//===----------------------------------------------------------------------===//

#include "ChannelDecays.h"

#include "Gram.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

static constexpr double kLog2E = 1.4426950408889634;
/// Tokens of a warp's block.
static constexpr int64_t kBlock = 16;
/// Sums of a Gram matrix in a thread: two blocks of 16 x 8 for entries whose
/// tokens are 1, 2 and 4 apart, of which the first has room for 8, and two
/// tokens' own.
static constexpr size_t kBlockSums = 4, kPairSums = 3 * 2 * kBlockSums,
                        kSums = kPairSums + 2;

ChannelDecays::ChannelDecays(Kernel &kernel, Num index, Num slot)
    : kernel(kernel), e(kernel.e), plan(kernel.plan),
      channels(kernel.plan.channels), x(kernel.lane(/*gramRole=*/true)),
      index(index), slot(slot) {}

void ChannelDecays::syncRole() {
  e.syncGroup(kGramBarrier, 32 * plan.gramWarps);
}

SmallVector<ChannelDecays::Pass> ChannelDecays::passes() const {
  constexpr size_t kGrams = 2;
  SmallVector<Pass> all(1);
  auto addOperand = [&](unsigned operand) {
    if (!llvm::is_contained(all.back().operands, operand))
      all.back().operands.push_back(operand);
  };
  for (const DecayedGram &gram : channels.grams) {
    if (all.back().grams.size() == kGrams)
      all.emplace_back();
    all.back().grams.push_back(gram);
    addOperand(gram.read);
    addOperand(gram.write);
  }
  for (unsigned operand = 0; operand < channels.operands.size(); ++operand)
    if (llvm::none_of(all, [&](const Pass &pass) {
          return llvm::is_contained(pass.operands, operand);
        }))
      addOperand(operand);
  return all;
}

void ChannelDecays::create() {
  for (auto [number, pass] : llvm::enumerate(passes()))
    createBlocks(pass, /*isFirst=*/number == 0);
  if (plan.gramWarps == 1)
    return;
  syncRole();
  createBelow();
  syncRole();
  widenTiles();
}

Fragment ChannelDecays::product(const DecayedGram &gram) const {
  const Fragment &own = diagonals.find(gram.matrix)->second;
  if (plan.gramWarps == 1)
    return own;
  // Columns of the first block, which is the first warp's own.
  const Fragment &below = belows.find(gram.matrix)->second;
  Fragment all;
  for (auto [mine, other] : llvm::zip(own, below))
    all.push_back(e.select(equals(x.warp, 0), mine, other));
  all.append(own);
  return all;
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
    diagonals[gram.matrix] =
        diagonal(gram, ArrayRef(sums).slice(i * kSums, kSums));
}

/// Eight key channels, number `piece`.
Fragment ChannelDecays::addChannels(const Pass &pass, bool isFirst, Num piece,
                                    ArrayRef<Num> values) {
  Fragment sums(values);
  auto loadAll = [&](LoadTileOp load) {
    Fragment all;
    for (int64_t half = 0; half < 2; ++half)
      all.append(loadPair(plan.tileOf(load), row(half), piece));
    return all;
  };
  Decays decays;
  for (Num log : loadAll(channels.log))
    decays.own.push_back(e.exp2(log * e.f32(kLog2E)));
  decays.before = decays.after = Fragment(4, e.f32(1));
  decays.whole = decays.own;
  SmallVector<Operand> operands;
  for (unsigned number : pass.operands) {
    const KeyOperand &operand = channels.operands[number];
    Fragment raw = loadAll(operand.load), placed = raw;
    // The token's own decay stands before a read, or after a write.
    if (operand.isWrite == (operand.place == 0))
      for (auto [value, decay] : llvm::zip(placed, decays.own))
        value = value * decay;
    operands.push_back({number, raw, placed});
  }
  auto sumsOf = [&](size_t gram) {
    return MutableArrayRef(sums).slice(gram * kSums, kSums);
  };
  for (auto [i, gram] : llvm::enumerate(pass.grams))
    addToken(gram, operands, decays, sumsOf(i).drop_front(kPairSums));
  for (int64_t apart = 1; apart < kBlock; apart *= 2) {
    llvm::DenseMap<unsigned, Fragment> rounded;
    for (const Operand &operand : operands) {
      const Fragment &by = channels.operands[operand.number].isWrite
                               ? decays.after
                               : decays.before;
      for (auto [value, decay] : llvm::zip(operand.values, by))
        rounded[operand.number].push_back(
            e.roundTf32(apart == 1 ? value : value * decay));
    }
    for (auto [i, gram] : llvm::enumerate(pass.grams))
      addPairs(apart, rounded[gram.read], rounded[gram.write], sumsOf(i));
    widen(decays, apart);
  }
  for (const Operand &operand : operands)
    storeOperand(operand, decays, piece);
  if (isFirst)
    storeTotal(decays, piece);
  return sums;
}

/// What a token's read sees of its own write.
void ChannelDecays::addToken(const DecayedGram &gram,
                             ArrayRef<Operand> operands, const Decays &decays,
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
  if (apart == 8)
    return add(0, lower, writes[0], writes[1]);
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

void ChannelDecays::storeOperand(const Operand &operand, const Decays &decays,
                                 Num piece) {
  if (!hasTile(operand.number))
    return;
  bool isWrite = channels.operands[operand.number].isWrite;
  const Fragment &by = isWrite ? decays.after : decays.before;
  for (int64_t half = 0; half < 2; ++half)
    storePair(tileOf(operand.number), row(half), piece,
              operand.values[2 * half] * by[2 * half],
              operand.values[2 * half + 1] * by[2 * half + 1]);
}

/// All lanes of two channels have it.
void ChannelDecays::storeTotal(const Decays &decays, Num piece) {
  Num to = plan.gramWarps == 1 ? slot + plan.handedOver.lookup(channels.total)
                               : totals(x.warp);
  e.when(equals(x.group, 0), [&] {
    e.storeSharedPair(to + piece * 32 + x.quad * 8, decays.whole[0],
                      decays.whole[1]);
  });
}

/// A thread's entries of its warp's block on the diagonal.
Fragment ChannelDecays::diagonal(const DecayedGram &gram, ArrayRef<Num> sums) {
  Fragment own(sums.drop_front(kPairSums));
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
        Num value = e.select(
            differ < 2, level(0), e.select(differ < 4, level(1), level(2)));
        value = e.select(column < x.group, value, e.f32(0));
        all.push_back(
            e.select(equals(differ, 0), own[static_cast<size_t>(half)], value));
      }
  return all;
}

//===-- Two warps' tokens -------------------------------------------------===//

void ChannelDecays::createBelow() {
  x = kernel.lane(/*gramRole=*/true);
  Fragment all = e.branchOrZeros(equals(x.warp, 1), [&] {
    Fragment sums;
    for (const DecayedGram &gram : channels.grams) {
      Fragment sum(8, e.f32(0));
      addBelow(gram, sum);
      sums.append(sum);
    }
    return sums;
  });
  for (auto [i, gram] : llvm::enumerate(channels.grams))
    belows[gram.matrix] = Fragment(ArrayRef(all).slice(8 * i, 8));
}

/// The second block's rows by the first one's.
void ChannelDecays::addBelow(const DecayedGram &gram,
                             MutableArrayRef<Num> sum) {
  Num reads = tileOf(gram.read), writes = tileOf(gram.write);
  int64_t rows = plan.chunk;
  if (plan.format == Format::TF32) {
    auto load = [&](Num tile, Num row, int64_t column) {
      Fragment pair = e.loadSharedMany(
          kernel.elementAddress(tile, rows, row, x.quad * 2 + column), 2);
      return Fragment{e.roundTf32(pair[0]), e.roundTf32(pair[1])};
    };
    for (int64_t k = 0; k < plan.keys; k += 8) {
      Fragment low = load(reads, x.group + kBlock, k);
      Fragment high = load(reads, x.group + (kBlock + 8), k);
      Fragment a{low[0], high[0], low[1], high[1]};
      for (int64_t n = 0; n < 2; ++n) {
        Fragment b = load(writes, x.group + 8 * n, k);
        e.product(plan.format, sum.slice(4 * n, 4), a, b[0], b[1]);
      }
    }
    return;
  }
  Num rowOfA = (x.matrix & 1) * 8 + x.row + kBlock;
  Num rowOfB = (x.matrix >> 1) * 8 + x.row;
  for (int64_t k = 0; k < plan.keys / 16; ++k) {
    Fragment a = e.loadMatrices(
        kernel.tileAddress(reads, rows, rowOfA, x.row, x.matrix >> 1, 2 * k),
        /*transposed=*/false);
    Fragment b = e.loadMatrices(
        kernel.tileAddress(writes, rows, rowOfB, x.row, x.matrix & 1, 2 * k),
        /*transposed=*/false);
    e.product(plan.format, sum.take_front(4), a, b[0], b[1]);
    e.product(plan.format, sum.drop_front(4), a, b[2], b[3]);
  }
}

/// Reads of the second block decay through the first one, writes of the first
/// through the second.
void ChannelDecays::widenTiles() {
  x = kernel.lane(/*gramRole=*/true);
  e.branch(
      equals(x.warp, 0),
      [&] {
        scaleTiles(/*ofWrites=*/true, e.i32(1));
        return Fragment();
      },
      [&] {
        scaleTiles(/*ofWrites=*/false, e.i32(0));
        return Fragment();
      });
}

void ChannelDecays::scaleTiles(bool ofWrites, Num other) {
  e.loop(e.i32(0), e.i32(plan.keys / 8), 1, {},
         [&](Num piece, ArrayRef<Num>) {
           Num at = piece * 32 + x.quad * 8;
           Fragment by = e.loadSharedMany(totals(other) + at, 2);
           for (auto [tile, operand] : channels.tiles) {
             if (channels.operands[operand].isWrite != ofWrites)
               continue;
             Num start = slot + plan.handedOver.lookup(tile);
             for (int64_t half = 0; half < 2; ++half) {
               Fragment pair = loadOperandPair(start, row(half), piece);
               storePair(start, row(half), piece, pair[0] * by[0],
                         pair[1] * by[1]);
             }
           }
           if (!ofWrites)
             return Fragment();
           Fragment own = e.loadSharedMany(totals(e.i32(0)) + at, 2);
           Num to = slot + plan.handedOver.lookup(channels.total) + at;
           e.when(equals(x.group, 0), [&] {
             e.storeSharedPair(to, own[0] * by[0], own[1] * by[1]);
           });
           return Fragment();
         });
}

//===-- Shared memory -----------------------------------------------------===//

bool ChannelDecays::hasTile(unsigned operand) const {
  return llvm::any_of(channels.tiles,
                      [&](auto &tile) { return tile.second == operand; });
}

Num ChannelDecays::tileOf(unsigned operand) const {
  const auto *tile = llvm::find_if(
      channels.tiles, [&](auto &tile) { return tile.second == operand; });
  assert(tile != channels.tiles.end() && "a Gram matrix of a vector that "
                                         "neither reads nor writes the state");
  return slot + plan.handedOver.lookup(tile->first);
}

/// Channels 8 piece + 2 q and the next one of a token's row.
Fragment ChannelDecays::loadPair(const Tile &tile, Num row, Num piece) {
  Num start = kernel.tile(tile, index);
  if (tile.elementBytes == 4)
    return e.loadSharedMany(
        kernel.elementAddress(start, plan.chunk, row, piece * 8 + x.quad * 2),
        2);
  LoadTileOp load = tile.load;
  Type element = getElementTypeOrSelf(load.getSource().getType());
  Format format = element.isBF16() ? Format::BF16 : Format::F16;
  Num address = kernel.tileAddress(start, plan.chunk, row, piece) + x.quad * 4;
  Num packed = e.load(e.sharedPointer(address), e.i32Type());
  return {e.unpackLow(format, packed), e.unpackHigh(format, packed)};
}

Fragment ChannelDecays::loadOperandPair(Num start, Num row, Num piece) {
  if (plan.format == Format::TF32)
    return e.loadSharedMany(
        kernel.elementAddress(start, plan.chunk, row, piece * 8 + x.quad * 2),
        2);
  Num address = kernel.tileAddress(start, plan.chunk, row, piece) + x.quad * 4;
  Num packed = e.load(e.sharedPointer(address), e.i32Type());
  return {e.unpackLow(plan.format, packed), e.unpackHigh(plan.format, packed)};
}

void ChannelDecays::storePair(Num start, Num row, Num piece, Num first,
                              Num second) {
  if (plan.format == Format::TF32)
    return e.storeSharedPair(
        kernel.elementAddress(start, plan.chunk, row, piece * 8 + x.quad * 2),
        first, second);
  Num address = kernel.tileAddress(start, plan.chunk, row, piece) + x.quad * 4;
  e.store(e.pack(plan.format, first, second), e.sharedPointer(address));
}

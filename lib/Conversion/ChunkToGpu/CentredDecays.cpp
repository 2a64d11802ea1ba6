//===- CentredDecays.cpp - bounded decays as centred products -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Let c(t) be the sum of a channel's logs over a block's tokens from the first
// one to t, and m that to the block's middle. What decays from s to t is
// e^(c(t) - m) e^(m - c(s)). One of the two may be above 1; but with no log
// below L both exponents are at most 8 |L| in size, and the plan has seen to it
// that this is little (docs/Decisions/0035).
//
// First each warp sums its tokens' logs, a lane two channels and token by
// token. A sum that is no number stays one for all later tokens and reaches no
// earlier one, but for the middle's: any number in reach will do there, since
// it is taken off on both sides. Entries above the diagonal may overflow. They
// are masked by a select and meet nothing else.
//
//===----------------------------------------------------------------------===//

#include "CentredDecays.h"

#include "Gram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

static constexpr double kLog2E = 1.4426950408889634;
/// log2 of what raises an operand on its way to TF32.
static constexpr double kLog2Raise = 0.00070426901;
/// Tokens of a warp's block.
static constexpr int64_t kBlock = 16;
/// Sums of a Gram matrix in a thread: the block on the diagonal, and the one
/// below it, 16 x 8 twice each.
static constexpr size_t kBlockSums = 4, kOwnSums = 2 * kBlockSums,
                        kSums = 2 * kOwnSums;

void CentredDecays::create() {
  constexpr size_t kGrams = 4;
  for (auto [number, pass] : llvm::enumerate(passes(kGrams)))
    createBlocks(pass, /*isFirst=*/number == 0);
}

//===-- Sums of logs ------------------------------------------------------===//

Num CentredDecays::sumsStart() {
  return plan.sumsAt ? kernel.shared + *plan.sumsAt
                     : kernel.tile(plan.tileOf(channels.log), index);
}

/// Of `plan.sumChannels` channels from `first` on; in place of logs in f32.
void CentredDecays::createSums(Num first) {
  const Tile &tile = plan.tileOf(channels.log);
  LoadTileOp load = tile.load;
  Type element = getElementTypeOrSelf(load.getSource().getType());
  Num start = kernel.tile(tile, index), sumsStart = this->sumsStart();
  Num lower = e.f32(*channels.lower), scale = e.f32(kLog2E);
  auto loadLogs = [&](Num row, Num channel) -> Fragment {
    if (tile.elementBytes == 4)
      return e.loadSharedMany(
          kernel.elementAddress(start, plan.chunk, row, channel), 2);
    Num at = kernel.tileAddress(start, plan.chunk, row, channel >> 3) +
             ((channel & 7) << 1);
    Format format = element.isBF16() ? Format::BF16 : Format::F16;
    Num packed = e.load(e.sharedPointer(at), e.i32Type());
    return {e.unpackLow(format, packed), e.unpackHigh(format, packed)};
  };
  e.loop(x.lane * 2, e.i32(plan.sumChannels), 64, {},
         [&](Num channel, ArrayRef<Num>) {
           Fragment sums(2, e.f32(0));
           for (int64_t token = 0; token < kBlock; ++token) {
             Num row = x.warp * kBlock + token;
             Fragment logs = loadLogs(row, first + channel);
             for (auto [sum, log] : llvm::zip(sums, logs))
               sum = e.fma(e.maximum(log, lower), scale, sum);
             e.storeSharedPair(
                 kernel.elementAddress(sumsStart, plan.chunk, row, channel),
                 sums[0], sums[1]);
           }
           return Fragment();
         });
  e.syncGroup(kGramBarrier, 32 * plan.gramWarps);
}

/// Of channels 8 piece + 2 q and the next one of the span.
Fragment CentredDecays::loadSumPair(Num row, Num piece) {
  Num inSpan =
      plan.sumChannels == plan.keys ? piece : piece % (plan.sumChannels / 8);
  return e.loadSharedMany(kernel.elementAddress(sumsStart(), plan.chunk, row,
                                                inSpan * 8 + x.quad * 2),
                          2);
}

CentredDecays::Sums CentredDecays::loadSums(Num warp, Num piece) {
  Sums sums;
  for (int64_t half = 0; half < 2; ++half)
    sums.to.append(loadSumPair(rowOf(warp, half), piece));
  sums.end = loadSumPair(warp * kBlock + (kBlock - 1), piece);
  sums.middle = loadSumPair(warp * kBlock + (kBlock / 2 - 1), piece);
  // What tokens before the first bad one are taken to.
  Num least = e.f32(*channels.lower * kBlock / 2 * kLog2E);
  for (Num &sum : sums.middle)
    sum = e.num(e.b.createOrFold<arith::MaxNumFOp>(sum, least));
  return sums;
}

/// The sums up to an operand's place.
const Fragment &CentredDecays::sumsAt(const KeyOperand &operand, Sums &sums,
                                      Num warp, Num piece) {
  if (operand.place != 0)
    return sums.to;
  if (!sums.before.empty())
    return sums.before;
  for (int64_t half = 0; half < 2; ++half) {
    // Of the first token, none.
    Num row = rowOf(warp, half) - 1;
    Num isFirst = equals(x.group, 0);
    if (half == 0)
      row = e.select(isFirst, warp * kBlock, row);
    for (Num sum : loadSumPair(row, piece))
      sums.before.push_back(half == 0 ? e.select(isFirst, e.f32(0), sum) : sum);
  }
  return sums.before;
}

//===-- Eight channels ----------------------------------------------------===//

void CentredDecays::createBlocks(const Pass &pass, bool isFirst) {
  x = kernel.lane(/*gramRole=*/true);
  Fragment sums(kSums * pass.grams.size(), e.f32(0));
  bool isWhole = plan.sumChannels == plan.keys;
  if (isWhole) {
    if (isFirst)
      createSums(e.i32(0));
    sums = addSpan(pass, isFirst, e.i32(0), sums);
  } else {
    sums = e.loop(e.i32(0), e.i32(plan.keys), plan.sumChannels, sums,
                  [&](Num first, ArrayRef<Num> values) {
                    createSums(first);
                    Fragment all = addSpan(pass, isFirst, first, values);
                    e.syncGroup(kGramBarrier, 32 * plan.gramWarps);
                    return all;
                  });
  }
  for (auto [i, gram] : llvm::enumerate(pass.grams))
    products[gram.matrix] =
        product(gram, ArrayRef(sums).slice(i * kSums, kSums));
}

Fragment CentredDecays::addSpan(const Pass &pass, bool isFirst, Num first,
                                ArrayRef<Num> values) {
  Num begin = first / 8;
  return e.loop(begin, begin + plan.sumChannels / 8, 1, values,
                [&](Num piece, ArrayRef<Num> sums) {
                  return addChannels(pass, isFirst, piece, sums);
                });
}

/// Key channels 8 piece and following.
Fragment CentredDecays::addChannels(const Pass &pass, bool isFirst, Num piece,
                                    ArrayRef<Num> values) {
  Fragment sums(values);
  Sums own = loadSums(x.warp, piece), other;
  bool hasOther = plan.gramWarps == 2;
  // The middle as operands see it that are raised on their way to TF32.
  Fragment ofReads(own.middle), ofWrites(own.middle);
  for (size_t i = 0; i < 2 && isRaised(); ++i) {
    ofReads[i] = own.middle[i] - e.f32(kLog2Raise);
    ofWrites[i] = own.middle[i] + e.f32(kLog2Raise);
  }
  llvm::DenseMap<unsigned, Operand> operands;
  for (unsigned number : pass.operands) {
    const KeyOperand &operand = channels.operands[number];
    operands[number] = scaleOperand(
        operand, own, operand.isWrite ? ofWrites : ofReads, x.warp, piece);
  }
  for (auto [i, gram] : llvm::enumerate(pass.grams))
    addProduct(operands[gram.read].rounded, operands[gram.write].rounded,
               MutableArrayRef(sums).slice(i * kSums, kOwnSums));
  // From the middle to the block's start and end, and over the other block.
  Fragment fromStart, toEnd, total, whole;
  for (size_t i = 0; i < 2; ++i) {
    fromStart.push_back(e.exp2(ofReads[i]));
    toEnd.push_back(e.exp2(own.end[i] - ofWrites[i]));
    if (isFirst)
      total.push_back(e.exp2(own.end[i]));
  }
  if (hasOther) {
    other = loadSums(otherWarp(), piece);
    addBelow(pass, operands, fromStart, other, piece, sums);
    // It comes before reads of the second block, and after writes of the first.
    Num isSecond = equals(x.warp, 1), one = e.f32(1);
    for (size_t i = 0; i < 2; ++i) {
      whole.push_back(e.exp2(other.end[i]));
      fromStart[i] = fromStart[i] * e.select(isSecond, whole[i], one);
      toEnd[i] = toEnd[i] * e.select(isSecond, one, whole[i]);
      if (isFirst)
        total[i] = total[i] * whole[i];
    }
  }
  for (unsigned number : pass.operands) {
    Fragment tile = operands[number].values;
    const Fragment &rest =
        channels.operands[number].isWrite ? toEnd : fromStart;
    for (size_t n = 0; n < tile.size(); ++n)
      tile[n] = tile[n] * rest[n % 2];
    storeTiles(number, tile, piece);
  }
  if (isFirst)
    storeTotal(total[0], total[1], piece);
  return sums;
}

/// To a read from the centre, or from a write to it.
CentredDecays::Operand CentredDecays::scaleOperand(const KeyOperand &operand,
                                                   Sums &sums,
                                                   ArrayRef<Num> centre,
                                                   Num warp, Num piece) {
  Operand made;
  Fragment raw = loadRows(plan.tileOf(operand.keys), warp, piece);
  for (auto [n, sum] : llvm::enumerate(sumsAt(operand, sums, warp, piece))) {
    Num exponent = operand.isWrite ? centre[n % 2] - sum : sum - centre[n % 2];
    made.values.push_back(raw[n] * e.exp2(exponent));
    made.rounded.push_back(roundOperand(made.values.back()));
  }
  return made;
}

/// The second block's rows by the first one's; the first warp's are not used.
void CentredDecays::addBelow(const Pass &pass,
                             llvm::DenseMap<unsigned, Operand> &operands,
                             ArrayRef<Num> fromStart, Sums &other, Num piece,
                             MutableArrayRef<Num> sums) {
  llvm::DenseMap<unsigned, Fragment> rounded;
  Fragment end(other.end), start(fromStart);
  for (size_t i = 0; i < 2 && isRaised(); ++i) {
    end[i] = end[i] + e.f32(kLog2Raise);
    start[i] = start[i] * e.f32(kRaise);
  }
  for (unsigned number : pass.operands) {
    const KeyOperand &operand = channels.operands[number];
    if (operand.isWrite) {
      rounded[number] =
          scaleOperand(operand, other, end, otherWarp(), piece).rounded;
      continue;
    }
    for (auto [n, value] : llvm::enumerate(operands[number].values))
      rounded[number].push_back(roundOperand(value * start[n % 2]));
  }
  for (auto [i, gram] : llvm::enumerate(pass.grams))
    addProduct(rounded[gram.read], rounded[gram.write],
               sums.slice(i * kSums + kOwnSums, kOwnSums));
}

/// Onto a block of 16 x 16.
void CentredDecays::addProduct(ArrayRef<Num> reads, ArrayRef<Num> writes,
                               MutableArrayRef<Num> sums) {
  Fragment a{reads[0], reads[2], reads[1], reads[3]};
  for (size_t block = 0; block < 2; ++block)
    e.product(Format::TF32, sums.slice(block * kBlockSums, kBlockSums), a,
              writes[2 * block], writes[2 * block + 1]);
}

/// A thread's entries, those of its warp's block on the diagonal last.
Fragment CentredDecays::product(const DecayedGram &gram, ArrayRef<Num> sums) {
  Fragment own;
  for (int64_t block = 0; block < 2; ++block)
    for (int64_t half = 0; half < 2; ++half)
      for (int64_t i = 0; i < 2; ++i) {
        Num value = sums[static_cast<size_t>(4 * block + 2 * half + i)];
        Num column = x.quad * 2 + i;
        Num isSeen = gram.inclusive ? column <= x.group : column < x.group;
        own.push_back(block < half   ? value
                      : block > half ? e.f32(0)
                                     : e.select(isSeen, value, e.f32(0)));
      }
  if (plan.gramWarps == 1)
    return own;
  // Columns of the first block, which is the first warp's own.
  Fragment whole;
  for (auto [mine, below] : llvm::zip(own, sums.take_back(kOwnSums)))
    whole.push_back(e.select(equals(x.warp, 0), mine, below));
  whole.append(own);
  return whole;
}

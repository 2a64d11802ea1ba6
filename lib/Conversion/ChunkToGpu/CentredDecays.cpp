//===- CentredDecays.cpp - bounded decays as centred products -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Let c(t) be the sum of a channel's logs over a block's tokens from the first
// one to t. What decays from s to t is e^(c(t) - m) e^(m - c(s)) for any m. One
// of the two may be above 1; but with no log below L, c is from 16 L to 0, for
// m = 8 L both exponents are at most 8 |L| in size, and the plan has seen to it
// that this is little (docs/Decisions/0035). Neither depends on what comes
// after its token, and a sum that is NaN or infinite is so from one token on:
// tokens before it keep their bits. Entries above the diagonal may overflow.
// They are masked by a select and meet nothing else.
//
// First each warp sums its tokens' logs, a lane two channels and token by
// token.
//
//===----------------------------------------------------------------------===//

#include "CentredDecays.h"

#include "Gram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>

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

double CentredDecays::centre() const {
  return *channels.lower * (kBlock / 2) * kLog2E;
}
double CentredDecays::raise() const { return isRaised() ? kLog2Raise : 0; }

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

CentredDecays::Sums CentredDecays::loadSums(const Pass &pass, Num warp,
                                            Num piece) {
  Sums sums;
  for (int64_t half = 0; half < 2; ++half)
    sums.to.append(loadSumPair(rowOf(warp, half), piece));
  sums.end = loadSumPair(warp * kBlock + (kBlock - 1), piece);
  if (llvm::none_of(pass.operands, [&](unsigned number) {
        return channels.operands[number].place == 0;
      }))
    return sums;
  for (int64_t half = 0; half < 2; ++half) {
    // Of the first token, none.
    Num row = rowOf(warp, half) - 1;
    Num isFirst = equals(x.group, 0);
    if (half == 0)
      row = e.select(isFirst, warp * kBlock, row);
    for (Num sum : loadSumPair(row, piece))
      sums.before.push_back(half == 0 ? e.select(isFirst, e.f32(0), sum) : sum);
  }
  return sums;
}

//===-- Key channels ------------------------------------------------------===//

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

/// Two pieces a turn: what one waits for hides behind the other. Stores come
/// last, since nothing tells that loads do not meet them.
Fragment CentredDecays::addSpan(const Pass &pass, bool isFirst, Num first,
                                ArrayRef<Num> values) {
  Num begin = first / 8;
  return e.loop(begin, begin + plan.sumChannels / 8, 2, values,
                [&](Num number, ArrayRef<Num> values) {
                  Fragment sums(values);
                  Piece pieces[2] = {load(pass, number),
                                     load(pass, number + 1)};
                  for (Piece &piece : pieces) {
                    addOwn(pass, piece, sums);
                    if (hasOther())
                      addBelow(pass, piece, sums);
                  }
                  for (Piece &piece : pieces)
                    store(pass, piece, isFirst);
                  return sums;
                });
}

CentredDecays::Piece CentredDecays::load(const Pass &pass, Num number) {
  Piece piece;
  piece.number = number;
  piece.own = loadSums(pass, x.warp, number);
  if (hasOther())
    piece.other = loadSums(pass, otherWarp(), number);
  for (unsigned operand : pass.operands) {
    const Tile &tile = plan.tileOf(channels.operands[operand].keys);
    piece.operands[operand] = loadRows(tile, x.warp, number);
    if (hasOther() && channels.operands[operand].isWrite)
      piece.otherWrites[operand] = loadRows(tile, otherWarp(), number);
  }
  return piece;
}

/// To a read from the centre, or from a write to it.
Fragment CentredDecays::scaled(unsigned number, ArrayRef<Num> values,
                               const Sums &sums, ArrayRef<Num> centre) {
  const KeyOperand &operand = channels.operands[number];
  Fragment all;
  for (auto [n, sum] :
       llvm::enumerate(operand.place == 0 ? sums.before : sums.to)) {
    Num exponent = operand.isWrite ? centre[n % 2] - sum : sum - centre[n % 2];
    all.push_back(values[n] * e.exp2(exponent));
  }
  return all;
}

void CentredDecays::addOwn(const Pass &pass, Piece &piece,
                           MutableArrayRef<Num> sums) {
  Fragment ofReads(2, e.f32(centre() - raise())),
      ofWrites(2, e.f32(centre() + raise()));
  llvm::DenseMap<unsigned, Fragment> rounded;
  for (unsigned number : pass.operands) {
    bool isWrite = channels.operands[number].isWrite;
    piece.scaled[number] = scaled(number, piece.operands[number], piece.own,
                                  isWrite ? ofWrites : ofReads);
    for (Num value : piece.scaled[number])
      rounded[number].push_back(roundOperand(value));
  }
  for (auto [i, gram] : llvm::enumerate(pass.grams))
    addProduct(rounded[gram.read], rounded[gram.write],
               sums.slice(i * kSums, kOwnSums));
  for (size_t i = 0; i < 2; ++i)
    piece.toEnd.push_back(e.exp2(piece.own.end[i] - ofWrites[i]));
}

/// The second block's rows by the first one's; the first warp's are not used.
void CentredDecays::addBelow(const Pass &pass, Piece &piece,
                             MutableArrayRef<Num> sums) {
  llvm::DenseMap<unsigned, Fragment> rounded;
  Fragment end(piece.other.end);
  for (size_t i = 0; i < 2 && isRaised(); ++i)
    end[i] = end[i] + e.f32(kLog2Raise);
  // They are raised already.
  Num fromStart = e.f32(std::exp2(centre()));
  for (unsigned number : pass.operands) {
    Fragment values = piece.scaled[number];
    if (channels.operands[number].isWrite)
      values = scaled(number, piece.otherWrites[number], piece.other, end);
    else
      for (Num &value : values)
        value = value * fromStart;
    for (Num value : values)
      rounded[number].push_back(roundOperand(value));
  }
  for (auto [i, gram] : llvm::enumerate(pass.grams))
    addProduct(rounded[gram.read], rounded[gram.write],
               sums.slice(i * kSums + kOwnSums, kOwnSums));
}

void CentredDecays::store(const Pass &pass, Piece &piece, bool isFirst) {
  Fragment start(2, e.f32(std::exp2(centre() - raise()))), end(piece.toEnd),
      total;
  for (Num factor : end)
    total.push_back(factor * e.f32(std::exp2(centre() + raise())));
  // The other block comes before reads of the second one, and after writes of
  // the first.
  Num isSecond = equals(x.warp, 1), one = e.f32(1);
  for (size_t i = 0; i < 2 && hasOther(); ++i) {
    Num whole = e.exp2(piece.other.end[i]);
    start[i] = start[i] * e.select(isSecond, whole, one);
    end[i] = end[i] * e.select(isSecond, one, whole);
    total[i] = total[i] * whole;
  }
  for (unsigned number : pass.operands) {
    Fragment tile = piece.scaled[number];
    const Fragment &rest = channels.operands[number].isWrite ? end : start;
    for (size_t n = 0; n < tile.size(); ++n)
      tile[n] = tile[n] * rest[n % 2];
    storeTiles(number, tile, piece.number);
  }
  if (isFirst)
    storeTotal(total[0], total[1], piece.number);
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
  return ofBothBlocks(own, sums.take_back(kOwnSums));
}

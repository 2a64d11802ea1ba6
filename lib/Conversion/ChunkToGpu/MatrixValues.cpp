//===- MatrixValues.cpp - [C x C] values, 16 rows a warp ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Element 4 j + 2 h + i of a fragment is row 16 w + g + 8 h, column 8 j + 2 q +
// i for warp w, group g and quad q: the accumulator of mma.sync.
//
//===----------------------------------------------------------------------===//

#include "Gram.h"
#include "GroupMatrix.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

/// Whether an element of `value` depends on its place.
static bool isDecayed(Value value) {
  Operation *op = value.getDefiningOp();
  return op && (isa<ChunkDecayOp>(op) ||
                (!isa<ChunkGramOp>(op) &&
                 llvm::any_of(op->getOperands(), isDecayed)));
}

/// A sum with a product that is used nowhere else: it adds up onto the rest.
static ChunkGramOp productToAdd(Operation *op, Value &rest) {
  if (!isa<arith::AddFOp>(op))
    return nullptr;
  for (unsigned side = 0; side < 2; ++side) {
    auto gram = op->getOperand(side).getDefiningOp<ChunkGramOp>();
    rest = op->getOperand(1 - side);
    if (gram && gram.getLogs().empty() && gram->hasOneUse() && !isDecayed(rest))
      return gram;
  }
  return nullptr;
}

/// Fresh lane arithmetic and loads for what comes next.
void MatrixValues::start() {
  x = kernel.lane(/*gramRole=*/true);
  rows.clear();
  rowFactors.clear();
  columns.clear();
  isWarp.clear();
  for (int64_t i = 0; i < plan.gramWarps; ++i)
    isWarp.push_back(equals(x.warp, i));
}

void MatrixValues::startProduct(Value value) {
  Operation *op = value.getDefiningOp();
  if (!byGroup() || !op || plan.kindOf(value) != Kind::Matrix)
    return;
  Value rest;
  if (isa<ChunkGramOp>(op))
    (void)makeProducts(value);
  else if (productToAdd(op, rest))
    startProduct(rest);
  else if (op->getNumOperands())
    startProduct(op->getOperand(0));
}

LogicalResult MatrixValues::makeProducts(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || products.contains(value) || plan.kindOf(value) != Kind::Matrix ||
      matchPattern(op, m_Constant()))
    return success();
  auto size = static_cast<size_t>(plan.chunk / 2);
  if (auto gramOp = dyn_cast<ChunkGramOp>(op)) {
    Fragment sum(size, e.f32(0));
    gram(gramOp, sum);
    products[value] = sum;
    return success();
  }
  Value rest;
  if (ChunkGramOp added = productToAdd(op, rest)) {
    if (failed(makeProducts(rest)))
      return failure();
    finishProducts(rest);
    start();
    loadRows(rest);
    Fragment sum;
    for (size_t i = 0; i < size; ++i) {
      auto index = static_cast<int64_t>(i);
      auto made =
          element(rest, {Part::Below, index / 4, index / 2 % 2, index % 2});
      if (failed(made))
        return failure();
      sum.push_back(*made);
    }
    gram(added, sum);
    products[value] = sum;
    return success();
  }
  for (Value operand : op->getOperands())
    if (failed(makeProducts(operand)))
      return failure();
  return success();
}

bool MatrixValues::hasProducts(Value value) const {
  Operation *op = value.getDefiningOp();
  if (!op || products.contains(value) || plan.kindOf(value) != Kind::Matrix)
    return true;
  return !isa<ChunkGramOp>(op) &&
         llvm::all_of(op->getOperands(),
                      [&](Value operand) { return hasProducts(operand); });
}

void MatrixValues::finishProducts(Value value) {
  auto product = products.find(value);
  if (product != products.end())
    return group.finish(product->second);
  if (Operation *op = value.getDefiningOp())
    for (Value operand : op->getOperands())
      finishProducts(operand);
}

/// Element of a [C] vector at byte `offset` of shared memory for a row.
Num MatrixValues::rowValue(int64_t offset, int64_t half) {
  Num &known = rows[{offset, half}];
  if (!known)
    known = e.loadShared(kernel.shared + offset + row(half) * 4);
  return known;
}

Num MatrixValues::firstColumn(Element at) {
  Num local = x.quad * 2 + 8 * at.block;
  return at.part == Part::Diagonal ? x.warp * 16 + local : local;
}

/// The same for a column; a thread's two columns lie side by side.
Num MatrixValues::columnValue(Num start, int64_t offset, Element at) {
  Fragment &known = columns[{offset, at.block}];
  if (known.empty())
    known = e.loadSharedMany(start + firstColumn(at) * 4, 2);
  return known[at.i];
}

/// By the four warps of the role together.
void MatrixValues::gramByGroup(Num reads, Num writes, Fragment &sum) {
  group.begin(sum);
  Num a = group.descriptor(reads, 16), b = group.descriptor(writes, 16);
  for (int64_t k = 0; k < plan.keys / 16; ++k) {
    int64_t offset = ((k >> 2) * (plan.chunk * 128) + (k & 3) * 32) / 16;
    group.multiply(sum, plan.chunk, {a + offset}, b + offset,
                   /*across=*/false);
  }
  group.commit(sum);
}

void MatrixValues::gram(ChunkGramOp op, Fragment &sum) {
  Num reads = stage + plan.tileOf(op.getReads()).offset;
  Num writes = stage + plan.tileOf(op.getWrites()).offset;
  int64_t rows = plan.chunk;
  if (byGroup())
    return gramByGroup(reads, writes, sum);
  x = kernel.lane(/*gramRole=*/true);
  if (plan.format == Format::TF32) {
    // The k index of both operands is renamed so that a thread's two are
    // adjacent.
    for (int64_t k = 0; k < plan.keys; k += 8) {
      Num column = x.quad * 2 + k;
      auto load = [&](Num tile, Num row) {
        Fragment pair =
            e.loadSharedMany(kernel.elementAddress(tile, rows, row, column), 2);
        return Fragment{e.roundTf32(pair[0]), e.roundTf32(pair[1])};
      };
      Fragment low = load(reads, x.warp * 16 + x.group);
      Fragment high = load(reads, x.warp * 16 + x.group + 8);
      Fragment a{low[0], high[0], low[1], high[1]};
      for (int64_t j = 0; j < rows / 8; ++j) {
        Fragment b = load(writes, x.group + 8 * j);
        e.product(plan.format, MutableArrayRef(sum).slice(4 * j, 4), a, b[0],
                  b[1]);
      }
    }
    return;
  }
  Num rowOfA = x.warp * 16 + (x.matrix & 1) * 8 + x.row;
  Num rowOfB = (x.matrix >> 1) * 8 + x.row;
  for (int64_t k = 0; k < plan.keys / 16; ++k) {
    Fragment a = e.loadMatrices(
        kernel.tileAddress(reads, rows, rowOfA, x.row, x.matrix >> 1, 2 * k),
        /*transposed=*/false);
    for (int64_t n = 0; n < rows / 16; ++n) {
      Fragment b =
          e.loadMatrices(kernel.tileAddress(writes, rows, rowOfB + 16 * n,
                                            x.row, x.matrix & 1, 2 * k),
                         /*transposed=*/false);
      auto at = MutableArrayRef(sum).slice(8 * n, 8);
      e.product(plan.format, at.take_front(4), a, b[0], b[1]);
      e.product(plan.format, at.drop_front(4), a, b[2], b[3]);
    }
  }
}

int64_t MatrixValues::cumulativeAt(ChunkDecayOp op, int64_t place) {
  return plan.cumulativesAt +
         4 * plan.chunk * plan.cumulativeIndex(op.getLogs(), place);
}

void MatrixValues::loadRows(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || products.contains(value) || plan.kindOf(value) != Kind::Matrix)
    return;
  if (isa<ScaleOp>(op))
    for (int64_t half = 0; half < 2; ++half)
      rowValue(plan.scratchAt + plan.rowVectors.lookup(op->getOperand(1)),
               half);
  if (auto decayOp = dyn_cast<ChunkDecayOp>(op);
      decayOp && !decayOp.getLogs().empty()) {
    int64_t to = cumulativeAt(decayOp, *decayOp.getTo());
    Num first =
        e.loadShared(kernel.shared + cumulativeAt(decayOp, 0) + x.warp * 64);
    for (int64_t half = 0; half < 2; ++half)
      rowFactors[{to, half}] = e.exp2(rowValue(to, half) - first);
  }
  for (Value operand : op->getOperands())
    loadRows(operand);
}

/// Zero where a decay is of an earlier token to a later one.
Num MatrixValues::masked(ChunkDecayOp op, Element at, Num value) {
  if (at.part == Part::Below || !isMasked)
    return value;
  Num column = x.quad * 2 + (8 * at.block + at.i), row = x.group + 8 * at.half;
  Num stands = op.getInclusive() ? column <= row : column < row;
  return e.select(stands, value, e.f32(0));
}

Num MatrixValues::decay(ChunkDecayOp op, Element at) {
  ValueRange logs = op.getLogs();
  if (at.part == Part::Below) {
    if (logs.empty())
      return e.f32(1);
    int64_t index = plan.factorIndex(logs, *op.getFrom());
    return rowFactors[{cumulativeAt(op, *op.getTo()), at.half}] *
           columnValue(kernel.factors(index, x.warp), index, at);
  }
  if (logs.empty())
    return e.f32(1);
  int64_t from = cumulativeAt(op, *op.getFrom());
  return e.exp2(rowValue(cumulativeAt(op, *op.getTo()), at.half) -
                columnValue(kernel.shared + from, from, at));
}

Num MatrixValues::productElement(const Fragment &product, Element at) {
  int64_t index = 4 * at.block + 2 * at.half + at.i;
  Num value = product[index];
  for (int64_t i = 1; i < plan.gramWarps && at.part == Part::Diagonal; ++i)
    value = e.select(isWarp[i], product[8 * i + index], value);
  return value;
}

FailureOr<Num> MatrixValues::element(Value value, Element at) {
  auto product = products.find(value);
  if (product != products.end())
    return productElement(product->second, at);
  Operation *op = value.getDefiningOp();
  DenseElementsAttr splat;
  if (matchPattern(op, m_Constant(&splat)) && splat.isSplat())
    return e.f32(splat.getSplatValue<APFloat>().convertToDouble());
  if (auto decayOp = dyn_cast<ChunkDecayOp>(op))
    return masked(decayOp, at, decay(decayOp, at));
  if (isa<ScaleOp>(op)) {
    FailureOr<Num> scaled = element(op->getOperand(0), at);
    if (failed(scaled))
      return failure();
    int64_t vector = plan.rowVectors.lookup(op->getOperand(1));
    return *scaled * rowValue(plan.scratchAt + vector, at.half);
  }
  if (!isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::NegFOp>(op)) {
    op->emitError("is not lowered for GPUs yet as a matrix of the chunk");
    return failure();
  }
  // What a decay masks may be no number: the product is masked, not the factor.
  SmallVector<Value> operands;
  SmallVector<ChunkDecayOp> masks;
  for (Value operand : op->getOperands()) {
    auto factor = operand.getDefiningOp<ChunkDecayOp>();
    bool isFactor = factor && isa<arith::MulFOp>(op);
    FailureOr<Num> made = isFactor ? decay(factor, at) : element(operand, at);
    if (failed(made))
      return failure();
    operands.push_back(*made);
    if (isFactor)
      masks.push_back(factor);
  }
  Operation *made = e.b.create(op->getLoc(), op->getName().getIdentifier(),
                               operands, e.f32Type(), op->getAttrs());
  Num result = e.num(made->getResult(0));
  for (ChunkDecayOp mask : masks)
    result = masked(mask, at, result);
  return result;
}

LogicalResult MatrixValues::forEachPair(Value value, Store store) {
  if (failed(makeProducts(value)))
    return failure();
  finishProducts(value);
  start();
  loadRows(value);
  // All of them first: loads stay behind a store that may be of what they read.
  struct Pair {
    Element at;
    Num first, second, keep;
  };
  SmallVector<Pair> pairs;
  auto addBlocks = [&](Part part, int64_t first, Num keep) -> LogicalResult {
    for (int64_t block : {first, first + 1})
      for (int64_t half = 0; half < 2; ++half) {
        FailureOr<Num> left = element(value, {part, block, half, 0});
        FailureOr<Num> right = element(value, {part, block, half, 1});
        if (failed(left) || failed(right))
          return failure();
        pairs.push_back({{part, block, half, 0}, *left, *right, keep});
      }
    return success();
  };
  for (int64_t block = 0; block + 1 < plan.gramWarps; ++block)
    if (failed(addBlocks(Part::Below, 2 * block, e.i32(block) < x.warp)))
      return failure();
  columns.clear();
  if (failed(addBlocks(Part::Diagonal, 0, Num())))
    return failure();
  for (const Pair &pair : pairs)
    store(pair.at, pair.first, pair.second, pair.keep);
  return success();
}

LogicalResult MatrixValues::storeOperand(Value value, Num tile) {
  int64_t rows = plan.chunk;
  isMasked = true;
  auto kept = [&](Num value, Num keep) {
    Num zero = value.type().isF32() ? e.f32(0) : e.i32(0);
    return keep ? e.select(keep, value, zero) : value;
  };
  return forEachPair(value, [&](Element at, Num first, Num second, Num keep) {
    if (plan.format == Format::TF32) {
      e.storeSharedPair(
          kernel.elementAddress(tile, rows, row(at.half), firstColumn(at)),
          kept(first, keep), kept(second, keep));
      return;
    }
    Num to = at.part == Part::Diagonal
                 ? kernel.tileAddress(tile, rows, row(at.half),
                                      x.warp * 2 + at.block)
                 : kernel.tileAddress(tile, rows, row(at.half), x.group,
                                      e.i32(at.block & 1), at.block & ~1);
    e.store(kept(e.pack(plan.format, first, second), keep),
            e.sharedPointer(to + x.quad * 4));
  });
}

LogicalResult MatrixValues::storeSystem(Value value, Num system, int64_t block,
                                        int64_t unknown) {
  int64_t pitch = plan.systemPitch() * 4;
  // With one unknown write a token nothing above the diagonal is read. With
  // more, a block of the system may be zero on its diagonal, below the
  // system's.
  isMasked = unknown > 1;
  return forEachPair(value, [&](Element at, Num first, Num second, Num) {
    Num to = system + (row(at.half) * unknown + block / unknown) * pitch +
             (firstColumn(at) * unknown + block % unknown) * 4;
    if (unknown == 1)
      return e.storeSharedPair(to, first, second);
    e.storeShared(first, to);
    e.storeShared(second, to + 4 * unknown);
  });
}

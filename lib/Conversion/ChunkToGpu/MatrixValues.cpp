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

/// A sum with a product that is used nowhere else: it adds up onto the rest.
static ChunkGramOp productToAdd(Operation *op, Value &rest) {
  if (!isa<arith::AddFOp>(op))
    return nullptr;
  for (unsigned side = 0; side < 2; ++side) {
    auto gram = op->getOperand(side).getDefiningOp<ChunkGramOp>();
    rest = op->getOperand(1 - side);
    if (gram && gram->hasOneUse())
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
    start();
    loadRows(rest);
    Fragment sum;
    for (size_t i = 0; i < size; ++i) {
      auto index = static_cast<int64_t>(i);
      auto made =
          element(rest, {index / 4, index / 2 % 2, index % 2}, Part::Diagonal);
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

/// Element of a [C] vector at byte `offset` of shared memory for a row.
Num MatrixValues::rowValue(int64_t offset, Element at) {
  Num &known = rows[{offset, at.half}];
  if (!known)
    known = e.loadShared(kernel.shared + offset + row(at) * 4);
  return known;
}

/// The same for a column; a thread's two columns lie side by side.
Num MatrixValues::columnValue(Num start, int64_t offset, Element at) {
  Fragment &known = columns[{offset, at.block}];
  if (known.empty())
    known = e.loadSharedMany(start + (x.quad * 2 + 8 * at.block) * 4, 2);
  return known[at.i];
}

/// By the four warps of the role together.
void MatrixValues::gramByGroup(Num reads, Num writes, Fragment &sum) {
  GroupMatrix matrix(e, plan.format);
  matrix.begin(sum);
  Num a = matrix.descriptor(reads, 16), b = matrix.descriptor(writes, 16);
  for (int64_t k = 0; k < plan.keys / 16; ++k) {
    int64_t offset = ((k >> 2) * (plan.chunk * 128) + (k & 3) * 32) / 16;
    matrix.multiply(sum, plan.chunk, {a + offset}, b + offset,
                    /*across=*/false);
  }
  matrix.commit();
  matrix.wait(0);
  matrix.pin(sum);
}

void MatrixValues::gram(ChunkGramOp op, Fragment &sum) {
  Num reads = stage + plan.tileOf(op.getReads()).offset;
  Num writes = stage + plan.tileOf(op.getWrites()).offset;
  int64_t rows = plan.chunk;
  if (plan.byGroups && plan.gramWarps == 4)
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

/// Where this warp's column factors of cumulative decay number `index` are.
Num MatrixValues::factorsOfWarp(int64_t index) {
  int64_t each = 4 * plan.chunk;
  return kernel.shared + (plan.factorsAt + index * plan.gramWarps * each) +
         x.warp * each;
}

void MatrixValues::makeFactors() {
  start();
  for (auto [i, sum] : llvm::enumerate(plan.cumulatives)) {
    Num first =
        e.loadShared(kernel.shared +
                     (plan.cumulativesAt +
                      4 * plan.chunk * plan.cumulativeIndex(sum.logs, 0)) +
                     x.warp * 64);
    auto index = static_cast<int64_t>(i);
    for (int64_t j = 0; j < TokenValues::perLane(plan); ++j) {
      Num token = TokenValues::tokenOf(plan, x, j) * 4;
      Num own =
          e.loadShared(kernel.shared +
                       (plan.cumulativesAt + 4 * plan.chunk * index) + token);
      // Columns from the row block on are not read.
      Num factor = e.exp2(e.minimum(first - own, e.f32(0)));
      if (plan.chunk >= 32)
        e.storeShared(factor, factorsOfWarp(index) + token);
      else
        e.when(x.lane < plan.chunk,
               [&] { e.storeShared(factor, factorsOfWarp(index) + token); });
    }
  }
  e.syncWarp();
}

void MatrixValues::loadRows(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || products.contains(value) || plan.kindOf(value) != Kind::Matrix)
    return;
  if (isa<ScaleOp>(op))
    for (int64_t half = 0; half < 2; ++half)
      rowValue(plan.scratchAt + plan.rowVectors.lookup(op->getOperand(1)),
               {0, half, 0});
  if (auto decayOp = dyn_cast<ChunkDecayOp>(op);
      decayOp && !decayOp.getLogs().empty()) {
    int64_t to = cumulativeAt(decayOp, *decayOp.getTo());
    Num first =
        e.loadShared(kernel.shared + cumulativeAt(decayOp, 0) + x.warp * 64);
    for (int64_t half = 0; half < 2; ++half)
      rowFactors[{to, half}] = e.exp2(rowValue(to, {0, half, 0}) - first);
  }
  for (Value operand : op->getOperands())
    loadRows(operand);
}

Num MatrixValues::decay(ChunkDecayOp op, Element at, Part part) {
  Num value = e.f32(1), column = x.quad * 2 + (8 * at.block + at.i);
  if (!op.getLogs().empty()) {
    int64_t to = cumulativeAt(op, *op.getTo());
    int64_t from = cumulativeAt(op, *op.getFrom());
    if (part == Part::Below) {
      int64_t index = plan.cumulativeIndex(op.getLogs(), *op.getFrom());
      return rowFactors[{to, at.half}] *
             columnValue(factorsOfWarp(index), from, at);
    }
    value =
        e.exp2(rowValue(to, at) - columnValue(kernel.shared + from, from, at));
  }
  if (part == Part::Below)
    return value;
  Num stands = op.getInclusive() ? column <= row(at) : column < row(at);
  return e.select(stands, value, e.f32(0));
}

FailureOr<Num> MatrixValues::element(Value value, Element at, Part part) {
  auto product = products.find(value);
  if (product != products.end())
    return product->second[at.index()];
  Operation *op = value.getDefiningOp();
  DenseElementsAttr splat;
  if (matchPattern(op, m_Constant(&splat)) && splat.isSplat())
    return e.f32(splat.getSplatValue<APFloat>().convertToDouble());
  if (auto decayOp = dyn_cast<ChunkDecayOp>(op))
    return decay(decayOp, at, part);
  if (isa<ScaleOp>(op)) {
    FailureOr<Num> scaled = element(op->getOperand(0), at, part);
    if (failed(scaled))
      return failure();
    int64_t vector = plan.rowVectors.lookup(op->getOperand(1));
    return *scaled * rowValue(plan.scratchAt + vector, at);
  }
  if (!isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::NegFOp>(op)) {
    op->emitError("is not lowered for GPUs yet as a matrix of the chunk");
    return failure();
  }
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    FailureOr<Num> made = element(operand, at, part);
    if (failed(made))
      return failure();
    operands.push_back(*made);
  }
  Operation *made = e.b.create(op->getLoc(), op->getName().getIdentifier(),
                               operands, e.f32Type(), op->getAttrs());
  return e.num(made->getResult(0));
}

/// Calls `store` for every pair of elements that lie side by side on or below
/// the diagonal of 16 x 16 blocks. What is above stays zero.
LogicalResult
MatrixValues::forEachPair(Value value,
                          llvm::function_ref<void(Element, Num, Num)> store) {
  if (failed(makeProducts(value)))
    return failure();
  start();
  loadRows(value);
  bool failed_ = false;
  auto storeBlocks = [&](int64_t blockOfSixteen, Part part) {
    columns.clear();
    for (int64_t block : {2 * blockOfSixteen, 2 * blockOfSixteen + 1})
      for (int64_t half = 0; half < 2; ++half) {
        FailureOr<Num> first = element(value, {block, half, 0}, part);
        FailureOr<Num> second = element(value, {block, half, 1}, part);
        if (failed(first) || failed(second)) {
          failed_ = true;
          return;
        }
        store({block, half, 0}, *first, *second);
      }
  };
  for (int64_t block = 0; block < plan.gramWarps; ++block)
    e.branch(
        e.i32(block) < x.warp,
        [&] {
          storeBlocks(block, Part::Below);
          return Fragment();
        },
        [&] {
          e.when(equals(x.warp, block),
                 [&] { storeBlocks(block, Part::Diagonal); });
          return Fragment();
        });
  return failure(failed_);
}

LogicalResult MatrixValues::storeOperand(Value value, Num tile) {
  int64_t rows = plan.chunk;
  return forEachPair(value, [&](Element at, Num first, Num second) {
    if (plan.format == Format::TF32) {
      Num column = x.quad * 2 + 8 * at.block;
      e.storeSharedPair(kernel.elementAddress(tile, rows, row(at), column),
                        first, second);
      return;
    }
    Num to = kernel.tileAddress(tile, rows, row(at), x.group,
                                e.i32(at.block & 1), at.block & ~1) +
             x.quad * 4;
    e.store(e.pack(plan.format, first, second), e.sharedPointer(to));
  });
}

LogicalResult MatrixValues::storeSystem(Value value, Num system, int64_t block,
                                        int64_t unknown) {
  int64_t pitch = plan.systemPitch() * 4;
  return forEachPair(value, [&](Element at, Num first, Num second) {
    Num column = x.quad * 2 + 8 * at.block;
    Num to = system + (row(at) * unknown + block / unknown) * pitch +
             (column * unknown + block % unknown) * 4;
    if (unknown == 1)
      return e.storeSharedPair(to, first, second);
    e.storeShared(first, to);
    e.storeShared(second, to + 4 * unknown);
  });
}

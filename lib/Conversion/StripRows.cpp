//===- StripRows.cpp - long rows in strips of a vector register -----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//
//
// A row of key channels is one long vector, of many registers. Code generation
// would finish each op on the whole row before the next, and keep every row in
// between in memory. Here the ops of a block that work on rows become a loop
// over strips of one register, in which all of them follow one another.
//
// Functions that have nothing to do with one another get a loop each: it has
// registers for wider strips than all of them together.
//
// A sum over a row is complete only after its loop. What depends on one comes
// in a later loop: every op has a level, the number of such sums before it.
// Rows that a later loop needs are loaded again, or kept in a buffer.
//
// Before that, rows that are rotated become rows of half their length, so that
// the two numbers of a pair are in the same lane of two strips.
//
//===----------------------------------------------------------------------===//

#include "HalveRows.h"
#include "LaneOps.h"

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "llvm/ADT/EquivalenceClasses.h"

namespace qdelta {
#define GEN_PASS_DEF_STRIPROWS
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

/// The buffer that a memref is a part of.
Value rootOf(Value memref) {
  while (Operation *op = memref.getDefiningOp()) {
    auto view = dyn_cast<ViewLikeOpInterface>(op);
    if (!view)
      break;
    memref = view.getViewSource();
  }
  return memref;
}

/// Whether column 0 of a memref is that of the buffer it is a part of.
bool startsAtColumnZero(Value memref) {
  while (Operation *op = memref.getDefiningOp()) {
    auto subview = dyn_cast<memref::SubViewOp>(op);
    if (!subview)
      return !isa<ViewLikeOpInterface>(op);
    unsigned last = subview.getSourceType().getRank() - 1;
    if (getConstantIntValue(subview.getMixedOffsets()[last]) != 0 ||
        subview.getDroppedDims().test(last))
      return false;
    memref = subview.getSource();
  }
  return true;
}

/// One block whose rows become strips.
class BlockStrips {
public:
  BlockStrips(Block &block, int64_t lanes) : block(block), lanes(lanes) {}

  /// Whether there are rows, and nothing but ops that strips are known for.
  bool analyse();
  void rewrite();

private:
  int64_t rowLength(Operation *op);
  bool isSupported(Operation *op);
  bool isSameOrApart(Value column, Value other);
  bool noteMemory(Operation &op);
  void assignLevel(Operation &op);

  bool isRowOp(Operation *op) { return rowOps.contains(op); }
  /// A row that is the same in every strip.
  static bool isUniform(Operation *op) {
    return isa<arith::ConstantOp, vector::BroadcastOp>(op);
  }
  static std::pair<Value, Value> memoryOf(Operation *op);
  bool isRead(Operation *op) {
    auto read = dyn_cast<vector::TransferReadOp>(op);
    return read && !writtenByRows.contains(rootOf(read.getBase()));
  }

  SmallVector<SmallVector<Operation *>> groupsOf(unsigned level);
  void createGroup(ArrayRef<Operation *> group, unsigned level);
  /// A group's ops on `width` channels from `first` on; `sums` are the
  /// reductions' vectors.
  void createStrip(OpBuilder &b, ArrayRef<Operation *> group, unsigned level,
                   Value first, int64_t width, IRMapping &uniform,
                   SmallVectorImpl<Value> &sums);
  int64_t widthFor(ArrayRef<Operation *> group);
  Operation *narrowed(OpBuilder &b, Operation *op, Value first, int64_t width,
                      IRMapping &map);
  Value scratchOf(Value row);

  Block &block;
  int64_t lanes, length = 0;
  llvm::SetVector<Operation *> rowOps;
  /// Levels of all ops of the block.
  llvm::DenseMap<Operation *, unsigned> levels;
  unsigned lastLevel = 0, memoryLevel = 0;
  /// Who reads and writes which buffers: rows, or other ops of the block.
  llvm::DenseSet<Value> readByRows, writtenByRows, readByOthers,
      writtenByOthers;
  /// For buffers that rows access: the columns that rows start at, and the
  /// level of the last write and of the last access so far.
  llvm::DenseMap<Value, SmallVector<Value>> columns;
  llvm::DenseMap<Value, unsigned> lastWrite, lastAccess;
  llvm::MapVector<Value, Value> scratch;
};

/// The length of the rows that `op` works on; 0 if on none.
int64_t BlockStrips::rowLength(Operation *op) {
  int64_t found = 0;
  auto visit = [&](Type type) {
    auto vector = dyn_cast<VectorType>(type);
    if (vector && vector.getRank() == 1 && vector.getDimSize(0) > 2 * lanes)
      found = vector.getDimSize(0);
  };
  llvm::for_each(op->getOperandTypes(), visit);
  llvm::for_each(op->getResultTypes(), visit);
  return found;
}

bool BlockStrips::isSupported(Operation *op) {
  if (op->getNumRegions() != 0)
    return false;
  // Rows come from rows and constants, and stay among rows.
  for (Value operand : op->getOperands())
    if (isa<VectorType>(operand.getType()))
      if (Operation *def = operand.getDefiningOp();
          !def || !(isRowOp(def) || qdelta::isSplatConstant(operand)))
        return false;
  for (Value result : op->getResults())
    if (isa<VectorType>(result.getType()) &&
        !llvm::all_of(result.getUsers(),
                      [&](Operation *user) { return isRowOp(user); }))
      return false;
  if (auto transfer = dyn_cast<VectorTransferOpInterface>(op);
      transfer && !startsAtColumnZero(transfer.getBase()))
    return false;
  if (auto reduction = dyn_cast<vector::ReductionOp>(op)) {
    using Kind = vector::CombiningKind;
    return !reduction.getAcc() && llvm::is_contained({Kind::ADD, Kind::MINIMUMF,
                                                      Kind::MAXIMUMF, Kind::OR},
                                                     reduction.getKind());
  }
  return qdelta::isLaneByLane(op);
}

/// The buffer that a transfer of a row accesses, and its column index.
std::pair<Value, Value> BlockStrips::memoryOf(Operation *op) {
  if (auto read = dyn_cast<vector::TransferReadOp>(op))
    return {rootOf(read.getBase()), read.getIndices().back()};
  if (auto write = dyn_cast<vector::TransferWriteOp>(op))
    return {rootOf(write.getBase()), write.getIndices().back()};
  return {};
}

bool BlockStrips::isSameOrApart(Value column, Value other) {
  std::optional<int64_t> some = getConstantIntValue(column),
                         next = getConstantIntValue(other);
  if (!some || !next)
    return column == other;
  return *some == *next || std::abs(*some - *next) >= length;
}

/// Notes which buffers `op` reads and writes. Fails if that is not known.
bool BlockStrips::noteMemory(Operation &op) {
  if (isRowOp(&op)) {
    auto [root, column] = memoryOf(&op);
    if (!root)
      return true;
    (isa<vector::TransferWriteOp>(op) ? writtenByRows : readByRows)
        .insert(root);
    // Strips keep to their own columns only if all rows start at one, or at
    // some that are a row apart.
    for (Value other : columns[root])
      if (!isSameOrApart(other, column))
        return false;
    columns[root].push_back(column);
    return true;
  }
  bool known = true;
  op.walk([&](Operation *inner) {
    if (isa<memref::PrefetchOp>(inner) || isMemoryEffectFree(inner) ||
        inner->hasTrait<OpTrait::HasRecursiveMemoryEffects>())
      return;
    known &= isa<MemoryEffectOpInterface>(inner);
    bool reads =
        isa<memref::LoadOp, vector::TransferReadOp, vector::LoadOp>(inner);
    for (Value operand : inner->getOperands())
      if (isa<BaseMemRefType>(operand.getType()))
        (reads ? readByOthers : writtenByOthers).insert(rootOf(operand));
  });
  return known;
}

void BlockStrips::assignLevel(Operation &op) {
  unsigned level = 0;
  op.walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (Operation *def = operand.getDefiningOp();
          def && def->getBlock() == &block)
        level = std::max(level,
                         levels[def] + isa<vector::ReductionOp>(def) *
                                           static_cast<unsigned>(isRowOp(def)));
  });
  if (isRowOp(&op)) {
    if (auto [root, column] = memoryOf(&op); root) {
      bool writes = isa<vector::TransferWriteOp>(op);
      level = std::max(level, writes ? lastAccess[root] : lastWrite[root]);
      lastAccess[root] = std::max(lastAccess[root], level);
      if (writes)
        lastWrite[root] = level;
    }
  } else if (!isMemoryEffectFree(&op)) {
    memoryLevel = level = std::max(level, memoryLevel);
  }
  levels[&op] = level;
  lastLevel = std::max(lastLevel, level);
}

bool BlockStrips::analyse() {
  for (Operation &op : block.without_terminator())
    if (int64_t found = rowLength(&op)) {
      if (length && found != length)
        return false;
      length = found;
      rowOps.insert(&op);
    }
  if (rowOps.empty() ||
      !llvm::all_of(rowOps, [&](Operation *op) { return isSupported(op); }))
    return false;
  for (Operation &op : block.without_terminator())
    if (!noteMemory(op))
      return false;
  // Rows and other ops do not keep their order, so they must not meet.
  auto meet = [](const llvm::DenseSet<Value> &some,
                 const llvm::DenseSet<Value> &others) {
    return llvm::any_of(some,
                        [&](Value root) { return others.contains(root); });
  };
  if (meet(writtenByOthers, readByRows) ||
      meet(writtenByOthers, writtenByRows) || meet(readByOthers, writtenByRows))
    return false;
  for (Operation &op : block.without_terminator())
    assignLevel(op);
  return true;
}

/// Whether `op` becomes a polynomial. Sines and cosines, which are two each,
/// are not counted: two of them at once need more registers than there are.
static bool isFunction(Operation *op) {
  return isa<math::ExpOp, math::LogOp, math::Log1pOp>(op);
}

/// Channels of a group's strips. The steps of a polynomial wait for one
/// another; two at once wait half as long. More need more registers than there
/// are.
int64_t BlockStrips::widthFor(ArrayRef<Operation *> group) {
  size_t functions = llvm::count_if(group, isFunction);
  bool goesByPairs =
      functions > 0 && functions <= 2 && length % (2 * lanes) == 0;
  return goesByPairs ? 2 * lanes : lanes;
}

Value BlockStrips::scratchOf(Value row) {
  Value &buffer = scratch[row];
  if (buffer)
    return buffer;
  auto func = block.getParentOp()->getParentOfType<func::FuncOp>();
  if (!func)
    func = cast<func::FuncOp>(block.getParentOp());
  Block &entry = func.getBody().front();
  auto b = OpBuilder::atBlockBegin(&entry);
  auto type = cast<VectorType>(row.getType());
  auto alloc = memref::AllocOp::create(
      b, row.getLoc(), MemRefType::get(type.getShape(), type.getElementType()));
  alloc.setAlignment(64);
  return buffer = alloc;
}

/// `op` on `width` channels from `first` on.
Operation *BlockStrips::narrowed(OpBuilder &b, Operation *op, Value first,
                                 int64_t width, IRMapping &map) {
  auto narrow = [&](Type type) -> Type {
    auto vector = dyn_cast<VectorType>(type);
    return vector ? VectorType::get({width}, vector.getElementType()) : type;
  };
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto splat = cast<SplatElementsAttr>(constant.getValue());
    return arith::ConstantOp::create(
        b, op->getLoc(),
        SplatElementsAttr::get(cast<ShapedType>(narrow(constant.getType())),
                               splat.getSplatValue<Attribute>()));
  }
  Value column = memoryOf(op).second;
  if (column)
    column = matchPattern(column, m_Zero())
                 ? first
                 : arith::AddIOp::create(b, op->getLoc(), column, first);
  Operation *copy = b.clone(*op, map);
  for (Value result : copy->getResults())
    result.setType(narrow(result.getType()));
  if (auto read = dyn_cast<vector::TransferReadOp>(copy))
    read.getIndicesMutable()[read.getIndices().size() - 1].set(column);
  if (auto write = dyn_cast<vector::TransferWriteOp>(copy))
    write.getIndicesMutable()[write.getIndices().size() - 1].set(column);
  return copy;
}

/// What a reduction of vectors [lanes] starts from.
static TypedAttr startOf(vector::ReductionOp reduction, int64_t lanes) {
  using Kind = vector::CombiningKind;
  Type element = reduction.getSourceVectorType().getElementType();
  auto type = VectorType::get({lanes}, element);
  auto number = dyn_cast<FloatType>(element);
  if (!number || reduction.getKind() == Kind::ADD)
    return Builder(type.getContext()).getZeroAttr(type);
  bool isLargest = reduction.getKind() == Kind::MAXIMUMF;
  return SplatElementsAttr::get(
      type, APFloat::getInf(number.getFloatSemantics(), isLargest));
}

void BlockStrips::createStrip(OpBuilder &b, ArrayRef<Operation *> group,
                              unsigned level, Value first, int64_t width,
                              IRMapping &uniform,
                              SmallVectorImpl<Value> &sums) {
  IRMapping map(uniform);
  size_t sum = 0;
  auto bring = [&](Value row) {
    Operation *def = row.getDefiningOp();
    if (map.contains(row) || !isa<VectorType>(row.getType()))
      return;
    if (isRead(def) || isUniform(def)) {
      map.map(row, narrowed(b, def, first, width, map)->getResult(0));
      return;
    }
    auto type = VectorType::get(
        {width}, cast<VectorType>(row.getType()).getElementType());
    Value zero = arith::ConstantOp::create(
        b, row.getLoc(), b.getZeroAttr(type.getElementType()));
    bool inBounds = true;
    map.map(row, vector::TransferReadOp::create(b, row.getLoc(), type,
                                                scratchOf(row), first, zero,
                                                inBounds));
  };
  for (Operation *op : group) {
    llvm::for_each(op->getOperands(), bring);
    if (auto reduction = dyn_cast<vector::ReductionOp>(op)) {
      Value part = map.lookup(reduction.getVector());
      Value &total = sums[sum++];
      total = total ? vector::makeArithReduction(
                          b, op->getLoc(), reduction.getKind(), total, part)
                    : part;
      continue;
    }
    Operation *copy = narrowed(b, op, first, width, map);
    for (auto [old, made] : llvm::zip(op->getResults(), copy->getResults()))
      map.map(old, made);
    // Rows that a later loop needs.
    for (Value result : op->getResults())
      if (!isRead(op) && llvm::any_of(result.getUsers(), [&](Operation *user) {
            return levels[user] > level;
          })) {
        bool inBounds = true;
        vector::TransferWriteOp::create(b, op->getLoc(), map.lookup(result),
                                        scratchOf(result), first,
                                        ArrayRef<bool>{inBounds});
      }
  }
}

/// The row ops of one level that have something to do with one another, through
/// values or through memory, in groups; ops without a function are in the
/// first.
SmallVector<SmallVector<Operation *>> BlockStrips::groupsOf(unsigned level) {
  auto isOfLevel = [&](Operation *op) {
    return op && isRowOp(op) && levels[op] == level && !isUniform(op);
  };
  SmallVector<Operation *> ops =
      llvm::filter_to_vector(rowOps.getArrayRef(), isOfLevel);
  llvm::EquivalenceClasses<Operation *> related;
  llvm::DenseMap<Value, Operation *> accesses;
  for (Operation *op : ops) {
    related.insert(op);
    for (Value operand : op->getOperands())
      if (Operation *def = operand.getDefiningOp(); isOfLevel(def))
        related.unionSets(def, op);
    if (Value root = memoryOf(op).first; root && writtenByRows.contains(root))
      related.unionSets(accesses.try_emplace(root, op).first->second, op);
  }
  llvm::MapVector<Operation *, SmallVector<Operation *>> groups;
  for (Operation *op : ops)
    if (isFunction(op))
      groups[related.getLeaderValue(op)];
  for (Operation *op : ops) {
    auto *own = groups.find(related.getLeaderValue(op));
    if (own == groups.end())
      own = groups.empty() ? groups.insert({op, {}}).first : groups.begin();
    own->second.push_back(op);
  }
  SmallVector<SmallVector<Operation *>> found;
  for (auto &group : groups)
    found.push_back(std::move(group.second));
  return found;
}

/// The loop of one group, the rest of the row, and its sums.
void BlockStrips::createGroup(ArrayRef<Operation *> group, unsigned level) {
  OpBuilder b(block.getTerminator());
  Location loc = block.getTerminator()->getLoc();
  int64_t width = widthFor(group);
  SmallVector<vector::ReductionOp> reductions;
  for (Operation *op : group)
    if (auto reduction = dyn_cast<vector::ReductionOp>(op))
      reductions.push_back(reduction);
  auto uniformRows = [&](int64_t channels) {
    IRMapping map;
    for (Operation *op : rowOps)
      if (isUniform(op) && levels[op] <= level)
        map.map(op->getResult(0),
                narrowed(b, op, Value(), channels, map)->getResult(0));
    return map;
  };
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  auto finish = [&](ArrayRef<Value> sums) {
    SmallVector<Value> numbers;
    for (auto [reduction, sum] : llvm::zip(reductions, sums))
      numbers.push_back(vector::ReductionOp::create(b, reduction.getLoc(),
                                                    reduction.getKind(), sum));
    return numbers;
  };
  int64_t rest = length % width, whole = length - rest;
  SmallVector<Value> inits, numbers;
  for (vector::ReductionOp reduction : reductions)
    inits.push_back(
        arith::ConstantOp::create(b, loc, startOf(reduction, width)));
  {
    IRMapping uniform = uniformRows(width);
    auto loop = scf::ForOp::create(
        b, loc, index(0), index(whole), index(width), inits,
        [&](OpBuilder &inner, Location, Value first, ValueRange args) {
          SmallVector<Value> sums(args);
          createStrip(inner, group, level, first, width, uniform, sums);
          scf::YieldOp::create(inner, loc, sums);
        });
    numbers = finish(llvm::to_vector_of<Value>(loop.getResults()));
  }
  if (rest) {
    IRMapping uniform = uniformRows(rest);
    SmallVector<Value> sums(reductions.size());
    createStrip(b, group, level, index(whole), rest, uniform, sums);
    for (auto [reduction, number, last] :
         llvm::zip(reductions, numbers, finish(sums)))
      number =
          vector::makeArithReduction(b, loc, reduction.getKind(), number, last);
  }
  for (auto [reduction, number] : llvm::zip(reductions, numbers))
    reduction.getResult().replaceAllUsesWith(number);
}

void BlockStrips::rewrite() {
  SmallVector<Operation *> others;
  for (Operation &op : block.without_terminator())
    if (!isRowOp(&op))
      others.push_back(&op);
  for (unsigned level = 0; level <= lastLevel; ++level) {
    for (Operation *op : others)
      if (levels[op] == level)
        op->moveBefore(block.getTerminator());
    for (ArrayRef<Operation *> group : groupsOf(level))
      createGroup(group, level);
  }
  for (auto [row, buffer] : scratch) {
    OpBuilder b(buffer.getParentBlock()->getTerminator());
    memref::DeallocOp::create(b, buffer.getLoc(), buffer);
  }
  for (Operation *op : llvm::reverse(rowOps))
    op->erase();
}

/// Whether a buffer is known not to be that of `input`, an argument: arguments
/// that are written overlap no other.
bool isOtherBuffer(Value root, Value input) {
  if (Operation *op = root.getDefiningOp())
    return isa<memref::AllocOp, memref::AllocaOp, memref::GetGlobalOp>(op);
  return root != input && root.getParentBlock() == input.getParentBlock();
}

/// Whether `op` makes a row of what nothing in `func` writes: a broadcast, or a
/// row of an input.
bool isFixedRow(Operation *op, func::FuncOp func) {
  if (isa<vector::BroadcastOp>(op))
    return true;
  auto read = dyn_cast<vector::TransferReadOp>(op);
  if (!read || !isa<MemRefType>(read.getBase().getType()))
    return false;
  Value root = rootOf(read.getBase());
  if (!isa<BlockArgument>(root) ||
      root.getParentBlock() != &func.getBody().front())
    return false;
  bool isWritten = false;
  func.walk([&](Operation *user) {
    if (isMemoryEffectFree(user) || isa<memref::PrefetchOp>(user) ||
        user->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
        isa<memref::LoadOp, vector::TransferReadOp, vector::LoadOp>(user))
      return;
    for (Value operand : user->getOperands())
      isWritten |= isa<BaseMemRefType>(operand.getType()) &&
                   !isOtherBuffer(rootOf(operand), root);
  });
  return !isWritten;
}

/// Rows that are the same in each turn of a loop have been moved out of it, as
/// a whole. Here they are made where they are used, so that strips are.
void sinkFixedRows(func::FuncOp func, int64_t lanes) {
  SmallVector<Operation *> rows;
  func.walk([&](Operation *op) {
    if (op->getNumResults() != 1 || op->use_empty())
      return;
    auto type = dyn_cast<VectorType>(op->getResult(0).getType());
    if (type && type.getRank() == 1 && type.getDimSize(0) > 2 * lanes &&
        isFixedRow(op, func))
      rows.push_back(op);
  });
  for (Operation *row : rows) {
    llvm::DenseMap<Block *, Operation *> copies;
    for (OpOperand &use :
         llvm::make_early_inc_range(row->getResult(0).getUses())) {
      Block *block = use.getOwner()->getBlock();
      if (block == row->getBlock())
        continue;
      Operation *&copy = copies[block];
      if (!copy)
        copy = OpBuilder::atBlockBegin(block).clone(*row);
      use.set(copy->getResult(0));
    }
    if (row->use_empty())
      row->erase();
  }
}

struct StripRowsPass : qdelta::impl::StripRowsBase<StripRowsPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      auto schedule =
          func->getAttrOfType<qdelta::ScheduleAttr>("qdelta.schedule");
      if (!schedule || schedule.getLanes() < 2)
        continue;
      sinkFixedRows(func, schedule.getLanes());
      SmallVector<Block *> blocks;
      func.walk([&](Block *block) { blocks.push_back(block); });
      for (Block *block : blocks) {
        qdelta::halveRows(*block);
        if (BlockStrips strips(*block, schedule.getLanes()); strips.analyse())
          strips.rewrite();
      }
    }
  }
};
} // namespace

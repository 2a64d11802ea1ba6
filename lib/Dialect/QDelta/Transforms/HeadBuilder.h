//===- HeadBuilder.h - the loops of one batch entry and head ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_HEADBUILDER_H
#define QDELTA_TRANSFORMS_HEADBUILDER_H

#include "ChunkLoops.h"
#include "ChunkStep.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace qdelta {

/// Value blocks of one width. The state is kept block by block.
struct BlockGroup {
  int64_t count, width, firstColumn, firstBlock;
};

/// Builds what `createHead` says. The file ChunkLoops.cpp has its outer loop
/// and the loop over a span's systems, HeadBlocks.cpp the loops over blocks and
/// their chunks, HeadTokens.cpp passes over all states, HeadState.cpp the
/// state's way in and out.
class HeadBuilder {
  using Value = mlir::Value;

public:
  HeadBuilder(mlir::OpBuilder &b, mlir::Location loc,
              const HeadContext &context)
      : b(b), rewriter(b.getContext()), loc(loc), context(context),
        op(context.op), schedule(*op.getSchedule()),
        dims(inferTokenDims(op.getBody().front())) {
    auto state = llvm::cast<mlir::RankedTensorType>(op.getInits()[0].getType());
    keys = state.getDimSize(2);
    chunk = schedule.getChunk();
    int64_t values = state.getDimSize(3), width = schedule.getColumns();
    if (values / width)
      groups.push_back({values / width, width, 0, 0});
    if (values % width)
      groups.push_back(
          {1, values % width, values - values % width, values / width});
    blocks = (values + width - 1) / width;
  }

  mlir::LogicalResult create(llvm::SmallVectorImpl<Value> &slices);

private:
  // Small constructors.
  Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, loc, value);
  }
  Value add(Value lhs, Value rhs) {
    return mlir::arith::AddIOp::create(b, loc, lhs, rhs);
  }
  Value mul(Value lhs, int64_t rhs) {
    return mlir::arith::MulIOp::create(b, loc, lhs, index(rhs));
  }
  mlir::RankedTensorType tensorOf(llvm::ArrayRef<int64_t> shape) {
    return mlir::RankedTensorType::get(shape, context.list.element);
  }
  Value empty(llvm::ArrayRef<int64_t> shape) {
    return mlir::tensor::EmptyOp::create(b, loc, shape, context.list.element);
  }
  Value zeros(mlir::RankedTensorType type) {
    return mlir::arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  }
  /// The slice of `type` at leading indices `lead` of `source`.
  Value slice(Value source, mlir::ValueRange lead, mlir::RankedTensorType type);
  Value insert(Value tile, Value dest, mlir::ValueRange lead);
  void sliceGeometry(Value whole, mlir::ValueRange lead,
                     mlir::RankedTensorType part,
                     llvm::SmallVector<mlir::OpFoldResult> &offsets,
                     llvm::SmallVector<mlir::OpFoldResult> &sizes,
                     llvm::SmallVector<mlir::OpFoldResult> &strides);

  TokenTiles tilesAt(Value first, Value column = {}, int64_t columns = 0) {
    return TokenTiles(
        op, chunk, keys, dims,
        {context.batches, first, context.heads, column, columns, bases});
  }
  /// Which tokens of the chunk from `first` on exist.
  Value validAt(Value first);
  Value blockColumn(const BlockGroup &group, Value block) {
    return add(mul(block, group.width), index(group.firstColumn));
  }
  /// Where a block of the state starts in what is carried of it.
  llvm::SmallVector<Value> stateAt(const BlockGroup &group, Value block) {
    if (!op.getInPlace())
      return {block};
    return {index(0), index(0), index(0), blockColumn(group, block)};
  }

  size_t numStates() const { return context.list.states.size(); }
  size_t numReadings() const {
    return schedule.getFuse() ? context.list.readings.size() : 0;
  }
  bool defersColumns() const {
    return schedule.getDefer() && context.list.hasValueDecays();
  }
  /// What a group carries: states, readouts, running decays of columns.
  size_t numPerGroup() const {
    return numStates() + numReadings() + defersColumns();
  }
  /// The running decays of a block's columns.
  mlir::RankedTensorType runningColumns(const BlockGroup &group) {
    return mlir::RankedTensorType::get({1, group.width}, b.getF64Type());
  }
  Value loadState(const BlockGroup &group, unsigned number);
  Value copyState(Value state);
  Value firstReadouts(const BlockGroup &group, Value state, Reading reading,
                      Value readouts, Value when);
  /// The first chunk's readouts of a group's `states`, carried on.
  void startReadouts(const BlockGroup &group,
                     llvm::ArrayRef<mlir::Value> states);
  /// Decays that nothing has come to yet; null unless they are deferred.
  RunningDecay startRunning();
  RunningDecay takeRunning(llvm::SmallVectorImpl<Value> &values);
  /// The system's key tiles in the number format that the schedule multiplies.
  void roundKeys();
  /// `running` is the span's start, and becomes its end.
  mlir::LogicalResult createSpan(Value firstChunk, RunningDecay &running);
  Value windowOf(Value tile);
  Value sharedAt(Value tile, Value slot);
  /// The stages' turns, before and after a span's chunks; the former take what
  /// they carry off the end of `carried`, the latter put it back.
  mlir::LogicalResult beginStages(Value firstChunk);
  mlir::LogicalResult endStages();
  void createBlocks(unsigned groupIndex, Value firstChunk, Value count);
  mlir::LogicalResult createChunk(const BlockGroup &group, Value block,
                                  Value first, Value slot,
                                  llvm::SmallVectorImpl<Value> &carried);
  struct RowUpdate;
  Value keyRow(Value shared, Value slot, int64_t token);
  Value valueRow(Value tile, int64_t token);
  RowUpdate rowUpdate(const ChunkSystem &here, const ChunkStep &step,
                      Value written, Value slot, int64_t token, RowStep row);
  Value createRowUpdate(const RowUpdate &update,
                        llvm::MutableArrayRef<Value> states);
  /// With passes that go token by token: updates the states and readouts that
  /// `values` starts with, and returns the tiles of the late readings.
  llvm::SmallVector<Value> updateByTokens(const ChunkSystem &here,
                                          const ChunkStep &step,
                                          ValueOfWrite valueOf, Value slot,
                                          mlir::RankedTensorType tileType,
                                          llvm::MutableArrayRef<Value> values);
  std::pair<Value, Value> wholeOf(Value sequence, Value token);
  void createPrefetches(const BlockGroup &group, Value block, Value first,
                        mlir::ValueRange outputs);
  /// The reverse of `loadState`: the state is `running` times what is stored,
  /// and times `columns` of each block if that is not null.
  Value storeState(const BlockGroup &group, Value state, RunningDecay running,
                   Value columns, Value final);

  mlir::OpBuilder &b;
  mlir::IRRewriter rewriter;
  mlir::Location loc;
  const HeadContext &context;
  AffineScanOp op;
  ScheduleAttr schedule;
  llvm::DenseMap<Value, TokenDim> dims;
  int64_t keys, chunk, blocks;
  llvm::SmallVector<BlockGroup, 2> groups;

  /// The system of a span's chunk, and for each shared value of it a ring that
  /// holds those of all the span's chunks; or the window that it is loaded
  /// from.
  ChunkSystem system;
  llvm::MapVector<Value, Value> rings;
  /// What crosses spans: per group the states, then one readout tensor per
  /// reading if passes are fused, then running decays of columns if those are
  /// deferred, or in place the states of all groups; then the outputs.
  llvm::SmallVector<Value> carried;
  /// The span's first token for each operand that is a window, else null; the
  /// same for outputs, and their windows.
  llvm::SmallVector<Value> bases, outputBases, outputWindows;
  /// How many of them are the states and readouts.
  size_t ofGroups = 0;
  bool failed = false;
};

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_HEADBUILDER_H

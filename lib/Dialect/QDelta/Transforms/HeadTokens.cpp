//===- HeadTokens.cpp - a chunk's tokens in one pass over all states ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "HeadBuilder.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qdelta;

/// One update of a state: a decay, another state's part, a write or a reading.
struct HeadBuilder::RowUpdate {
  unsigned state = 0;
  /// Of all rows, of each row, [1 x K], and of each column, [1 x W].
  Value decay, channels, columns;
  /// A state that is added to it, `factor` times.
  std::optional<unsigned> source = {};
  Value factor, key, value, read;
};

/// Row `token` of a shared tile of the chunk at `slot`, [1 x K].
Value HeadBuilder::keyRow(Value shared, Value slot, int64_t token) {
  return slice(sharedAt(shared, slot), {index(token)}, tensorOf({1, keys}));
}

/// `token`'s row of a tile [C x W].
Value HeadBuilder::valueRow(Value tile, int64_t token) {
  int64_t width = cast<RankedTensorType>(tile.getType()).getDimSize(1);
  return slice(tile, {index(token)}, tensorOf({1, width}));
}

/// `written` is the tile of a write.
HeadBuilder::RowUpdate HeadBuilder::rowUpdate(const ChunkSystem &here,
                                              const ChunkStep &step,
                                              Value written, Value slot,
                                              int64_t token, RowStep row) {
  auto [kind, number] = row;
  const ChunkList &list = context.list;
  RowUpdate update;
  if (kind == RowStep::Write) {
    update.state = list.writes[number].state;
    update.key = keyRow(system.writeKeys[number], slot, token);
    update.value = valueRow(written, token);
    return update;
  }
  if (kind == RowStep::Read) {
    update.state = std::get<1>(list.lateReadings[number]);
    update.read = keyRow(system.lateKeys[number], slot, token);
    return update;
  }
  auto [target, source, by, along] = list.steps[number];
  update.state = target;
  if (along == TokenDim::Key) {
    update.channels = keyRow(system.tokens.couplings[number], slot, token);
    return update;
  }
  if (along == TokenDim::Value) {
    update.columns = valueRow(step.couplings[number], token);
    return update;
  }
  Value factor = tensor::ExtractOp::create(
      b, loc, here.tokens.couplings[number], ValueRange{index(token)});
  if (target == source)
    update.decay = factor;
  else
    update.source = source, update.factor = factor;
  return update;
}

/// Updates the state and returns its readout, null without a reading.
Value HeadBuilder::createRowUpdate(const RowUpdate &update,
                                   MutableArrayRef<Value> states) {
  auto unlessNull = [](Value value) {
    return value ? SmallVector<Value>{value} : SmallVector<Value>();
  };
  SmallVector<Value> others, reads = unlessNull(update.read);
  if (update.source)
    others.push_back(states[*update.source]);
  auto state = cast<RankedTensorType>(states[update.state].getType());
  SmallVector<Type> readouts(reads.size(), tensorOf({1, state.getDimSize(1)}));
  auto made = ChunkUpdateOp::create(
      b, loc, state, readouts, states[update.state], update.decay,
      update.channels, Value(), update.columns, others,
      unlessNull(update.factor), unlessNull(update.key),
      unlessNull(update.value), reads, Value(), ValueRange());
  states[update.state] = made.getResult();
  return reads.empty() ? Value() : made.getReadouts()[0];
}

/// What the chunk at `slot` does to the states, and then the reads of the next
/// one. All that updates work on is made before the first of them: they follow
/// one another, so that they share a pass. In order, a pass ends before a write
/// that needs what it reads.
SmallVector<Value> HeadBuilder::updateByTokens(const ChunkSystem &here,
                                               const ChunkStep &step,
                                               ValueOfWrite valueOf, Value slot,
                                               RankedTensorType tileType,
                                               MutableArrayRef<Value> values) {
  struct Readout {
    size_t tile;
    int64_t token;
  };
  const ChunkList &list = context.list;
  size_t numLate = list.lateReadings.size();
  // Late readings, then the next chunk's. What no token reads stays 0, as its
  // coefficient is.
  SmallVector<Value> tiles(numLate + system.reads.size(), zeros(tileType));
  Value one =
      arith::ConstantOp::create(b, loc, b.getFloatAttr(list.element, 1));
  SmallVector<RowUpdate> updates;
  SmallVector<Readout> readouts;
  auto createPass = [&] {
    SmallVector<Value> rows;
    for (RowUpdate &update : updates) {
      if (!update.decay)
        update.decay = one;
      if (Value row = createRowUpdate(update, values.take_front(numStates())))
        rows.push_back(row);
    }
    for (auto [readout, row] : llvm::zip_equal(readouts, rows))
      tiles[readout.tile] =
          insert(row, tiles[readout.tile], {index(readout.token)});
    updates.clear();
    readouts.clear();
  };
  auto written = [&](RowStep row) {
    if (row.kind != RowStep::Write)
      return Value();
    if (list.inOrder && !system.writes[row.number].late.empty())
      createPass();
    return valueOf(row.number, ArrayRef(tiles).take_front(numLate));
  };
  for (int64_t token = 0; token < chunk; ++token)
    for (RowStep row : list.rowSteps) {
      updates.push_back(rowUpdate(here, step, written(row), slot, token, row));
      if (row.kind == RowStep::Read)
        readouts.push_back({row.number, token});
    }
  Value next = add(slot, index(1));
  for (auto [i, entry] : llvm::enumerate(system.reads))
    for (int64_t token = 0; token < chunk; ++token) {
      if (!list.isRead(entry.first, token))
        continue;
      RowUpdate &update = updates.emplace_back();
      update.state = std::get<2>(entry.first);
      update.read = keyRow(entry.second, next, token);
      readouts.push_back({numLate + i, token});
    }
  createPass();
  for (size_t i = 0; i < system.reads.size(); ++i) {
    Value &crossing = values[numStates() + i];
    crossing = insert(tiles[numLate + i], crossing, {});
  }
  tiles.truncate(numLate);
  return tiles;
}

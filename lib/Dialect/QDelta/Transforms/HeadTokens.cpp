//===- HeadTokens.cpp - a chunk's tokens in one pass over all states ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ChunkStep.h"
#include "HeadBuilder.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qdelta;

namespace {
/// One update of a state: by its own decay, or by one of the others.
struct RowUpdate {
  unsigned state;
  /// Null for none.
  Value decay;
  std::optional<unsigned> source;
  Value factor;
  Value key, value, read;
};
} // namespace

/// Row `token` of the tile in the ring of `shared` at `slot`, [1 x K].
Value HeadBuilder::keyRow(Value shared, Value slot, int64_t token) {
  return slice(rings[shared], {slot, index(token)}, tensorOf({1, keys}));
}

/// What the chunk at `slot` does to the states, and then the reads of the next
/// one. All that the updates work on is made before the first of them: they
/// follow one another, so that they share a pass.
SmallVector<Value>
HeadBuilder::updateByTokens(const ChunkSystem &here, const ChunkStep &step,
                            Value slot, RankedTensorType tileType,
                            MutableArrayRef<Value> values) {
  const ChunkList &list = context.list;
  auto rowType = tensorOf({1, tileType.getDimSize(1)});
  SmallVector<RowUpdate> updates;
  for (int64_t token = 0; token < chunk; ++token)
    for (auto [kind, number] : list.rowSteps) {
      RowUpdate update = {};
      if (kind == RowStep::Write) {
        update.state = list.writes[number].state;
        update.key = keyRow(system.writeKeys[number], slot, token);
        update.value =
            slice(step.updates[number].lookup(update.state),
                  {index(token)}, rowType);
      } else if (kind == RowStep::Read) {
        update.state = std::get<1>(list.lateReadings[number]);
        update.read = keyRow(system.lateKeys[number], slot, token);
      } else {
        auto [target, source, by] = list.steps[number];
        update.state = target;
        Value factor = tensor::ExtractOp::create(
            b, loc, here.tokens.couplings[number], ValueRange{index(token)});
        if (target == source)
          update.decay = factor;
        else
          update.source = source, update.factor = factor;
      }
      updates.push_back(update);
    }
  Value next = add(slot, index(1));
  for (auto &[reading, tile] : system.reads)
    for (int64_t token = 0; token < chunk; ++token)
      if (list.isRead(reading, token))
        updates.push_back({std::get<2>(reading), {}, {}, {}, {}, {},
                           keyRow(tile, next, token)});

  Value one = arith::ConstantOp::create(b, loc, b.getFloatAttr(list.element, 1));
  SmallVector<Value> readouts;
  for (const RowUpdate &update : updates) {
    auto list_ = [](Value value) {
      return value ? SmallVector<Value>{value} : SmallVector<Value>();
    };
    SmallVector<Value> others, reads = list_(update.read);
    if (update.source)
      others.push_back(values[*update.source]);
    auto made = ChunkUpdateOp::create(
        b, loc, values[update.state].getType(),
        SmallVector<Type>(reads.size(), rowType), values[update.state],
        update.decay ? update.decay : one, Value(), Value(), Value(), others,
        list_(update.factor), list_(update.key), list_(update.value), reads,
        Value(), ValueRange());
    values[update.state] = made.getResult();
    llvm::append_range(readouts, made.getReadouts());
  }

  SmallVector<Value> late(list.lateReadings.size(), zeros(tileType));
  ArrayRef<Value> left = readouts;
  auto takeRow = [&](Value &tile, int64_t token) {
    tile = insert(left.consume_front(), tile, {index(token)});
  };
  for (int64_t token = 0; token < chunk; ++token)
    for (auto [kind, number] : list.rowSteps)
      if (kind == RowStep::Read)
        takeRow(late[number], token);
  for (auto [i, entry] : llvm::enumerate(system.reads)) {
    Value tile = zeros(tileType);
    for (int64_t token = 0; token < chunk; ++token)
      if (list.isRead(entry.first, token))
        takeRow(tile, token);
    Value &carried_ = values[numStates() + i];
    carried_ = insert(tile, carried_, {});
  }
  return late;
}

//===- ChannelPlan.cpp - what decays per key channel make -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ChannelPlan.h"

#include "qdelta/Dialect/QDelta/IR/LogBounds.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <numbers>

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

bool ChannelPlan::isPerChannel(ValueRange logs) {
  return !logs.empty() &&
         cast<RankedTensorType>(logs[0].getType()).getRank() == 2;
}

bool ChannelPlan::isLog(LoadTileOp load) {
  return llvm::all_of(load->getUsers(),
                      [](Operation *user) { return isa<MaskRowsOp>(user); });
}

// Vectors are scaled by up to e^(8 |L|) and its inverse: 2^64 leaves f32 as
// much on either side, and products are of TF32, which has the same exponents.
bool ChannelPlan::allowsCentre() const {
  constexpr double kHalfBlock = 8, kLargest = 64 * std::numbers::ln2;
  return lower && *lower <= 0 && -*lower * kHalfBlock <= kLargest;
}

FailureOr<LoadTileOp> ChannelPlan::loadOf(Operation *op, Value tile) {
  if (auto load = tile.getDefiningOp<LoadTileOp>())
    return load;
  return op->emitOpError("makes key vectors inside the step, which is not "
                         "lowered for GPUs yet");
}

unsigned ChannelPlan::operand(Value keys, int64_t place, bool isWrite) {
  KeyOperand wanted{keys, place, isWrite};
  auto known = llvm::find(operands, wanted);
  if (known != operands.end())
    return static_cast<unsigned>(known - operands.begin());
  operands.push_back(wanted);
  return static_cast<unsigned>(operands.size() - 1);
}

LogicalResult ChannelPlan::add(Operation *op) {
  // What is not there is loaded as zeros, logs too.
  if (auto mask = dyn_cast<MaskRowsOp>(op)) {
    FailureOr<LoadTileOp> load = loadOf(op, mask.getTile());
    if (failed(load))
      return failure();
    if (log && log != *load)
      return op->emitOpError("is a second decay per key channel of a token; "
                             "kernels for GPUs cover one");
    log = *load;
    lower = logLowerBoundOf(op);
  }
  if (auto decay = dyn_cast<ChunkDecayOp>(op);
      decay && isPerChannel(decay.getLogs()) && !decay.getFrom() &&
      !decay.getTo())
    total = decay;
  if (isa<arith::TruncFOp>(op) && op->getOperand(0) == total)
    total = op->getResult(0);
  if (auto gram = dyn_cast<ChunkGramOp>(op); gram && !gram.getLogs().empty()) {
    FailureOr<LoadTileOp> read = loadOf(op, gram.getReads());
    FailureOr<LoadTileOp> write = loadOf(op, gram.getWrites());
    if (failed(read) || failed(write))
      return failure();
    grams.push_back({gram, operand(*read, *gram.getTo(), /*isWrite=*/false),
                     operand(*write, *gram.getFrom(), /*isWrite=*/true),
                     gram.getInclusive(), *gram.getFrom() < *gram.getTo()});
  }
  if (!isa<arith::MulFOp>(op))
    return success();
  auto decay = op->getOperand(1).getDefiningOp<ChunkDecayOp>();
  if (!decay || !isPerChannel(decay.getLogs()))
    return success();
  FailureOr<LoadTileOp> load = loadOf(op, op->getOperand(0));
  if (failed(load))
    return failure();
  bool isWrite = decay.getFrom().has_value();
  int64_t place = isWrite ? *decay.getFrom() : *decay.getTo();
  tiles[op->getResult(0)] = operand(*load, place, isWrite);
  return success();
}

//===- SelectSchedule.cpp - decide how each list runs, once ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"
#include "qdelta/Target/TargetTable.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringExtras.h"

namespace qdelta {
#define GEN_PASS_DEF_SELECTSCHEDULE
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

/// Tokens whose token-local part is made ahead of the value blocks.
constexpr int64_t kSpanTokens = 32;
/// Longest chunk that is expanded into rows; longer ones are matrices.
constexpr int64_t kLongestUnrolled = 4;
/// Tokens a chunk unless asked for: as rows, in registers, the flop count of a
/// token grows with the chunk, so two; as matrices, one tile of 16.
constexpr int64_t kUnrolledChunk = 2, kMatrixChunk = 16;
/// Value columns of a block of matrices.
constexpr int64_t kMatrixColumns = 64;

struct SelectSchedulePass
    : qdelta::impl::SelectScheduleBase<SelectSchedulePass> {
  using SelectScheduleBase::SelectScheduleBase;

  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](AffineScanOp op) {
      return failed(schedule(op)) ? WalkResult::interrupt()
                                  : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult schedule(AffineScanOp op);

  /// Vector registers that a pass over one row of the state needs: an
  /// accumulator per read, a value per write and the row itself, each
  /// `vectors` wide, and one broadcast.
  static int64_t registersNeeded(FactsAttr facts, int64_t chunk,
                                 int64_t vectors) {
    return (chunk * (facts.getReads() + facts.getWrites()) + 1) * vectors + 1;
  }
};

LogicalResult SelectSchedulePass::schedule(AffineScanOp op) {
  const Target *row = findTarget(target);
  if (!row) {
    std::string known = llvm::join(
        llvm::map_range(targetTable(), [](const Target &t) { return t.name; }),
        ", ");
    return op.emitError("unknown target '")
           << target.getValue() << "'; known are host, " << known;
  }
  if (mode != "auto" && mode != "recurrent" && mode != "chunked")
    return op.emitError("unknown mode '")
           << mode.getValue() << "'; known are auto, recurrent, chunked";
  if (chunk < 0)
    return op.emitError("expected chunk to be at least 0, but got ")
           << chunk.getValue();
  if (mode == "recurrent" && chunk > 1)
    return op.emitError("mode = recurrent goes with chunk = 1, but got ")
           << chunk.getValue();
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  int64_t keys = state.getDimSize(2), values = state.getDimSize(3);
  if (ShapedType::isDynamic(keys) || ShapedType::isDynamic(values))
    return op.emitError("a schedule needs static key and value dimensions, but "
                        "got ")
           << state << "; -qdelta-specialize fixes them";

  FactsAttr facts = op.getFacts();
  bool vectorises = row->lanes > 1;
  int64_t vectors = row->vectorsPerRow;
  int64_t tokens = chunk                 ? chunk
                   : mode == "recurrent" ? 1
                   : vectorises          ? kUnrolledChunk
                                         : kMatrixChunk;
  bool unroll = vectorises && tokens <= kLongestUnrolled;
  auto fits = [&] {
    return registersNeeded(facts, tokens, vectors) <= row->registers;
  };
  while (unroll && !chunk && tokens > 1 && !fits())
    --tokens;
  while (unroll && vectors > 1 &&
         (!fits() || keys * vectors * row->lanes * 4 > row->l1Bytes))
    --vectors;
  int64_t columns = unroll ? vectors * row->lanes : kMatrixColumns;
  columns = std::min(columns, std::max<int64_t>(values, 1));
  int64_t span = unroll ? std::max<int64_t>(1, kSpanTokens / tokens) : 1;
  bool decays = facts.getDecay() != DecayKind::None;
  op.setScheduleAttr(ScheduleAttr::get(op.getContext(), row->name, tokens,
                                       columns, span, row->lanes, unroll,
                                       /*fuse=*/unroll,
                                       /*defer=*/unroll && decays,
                                       /*prefetch=*/unroll));
  return success();
}
} // namespace

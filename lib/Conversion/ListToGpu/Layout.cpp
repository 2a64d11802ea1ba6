//===- Layout.cpp - what each thread holds of a value block ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Layout.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

/// The largest power of two that divides `size`, but at most `most`.
static int64_t largestPiece(int64_t size, int64_t most) {
  int64_t piece = most;
  while (size % piece)
    piece /= 2;
  return piece;
}

Layout Layout::get(AffineScanOp op) {
  ScheduleAttr schedule = *op.getSchedule();
  auto state = cast<RankedTensorType>(op.getInits()[0].getType());
  auto sequence = cast<RankedTensorType>(op.getOutputs()[0].getType());
  Layout x;
  x.keys = state.getDimSize(2);
  x.values = state.getDimSize(3);
  x.columns = schedule.getColumns();
  x.lanes = schedule.getLanes();
  x.split = schedule.getSplit();
  x.unit = largestPiece(x.values, x.lanes);
  // 16 bytes of a key vector.
  x.run = largestPiece(x.keys, 128 / sequence.getElementTypeBitWidth());
  x.rows = llvm::divideCeil(x.keys, x.split * x.run) * x.run;
  return x;
}

Place::Place(Emitter &e, const Layout &layout) {
  Num thread = e.opaque(e.special("tid.x"));
  int64_t across = layout.across();
  Num lane = thread & 31, key = lane / across;
  Num group = (thread >> 5) * across + lane % across;
  Num column = (e.special("ctaid.x") % layout.blocks()) * layout.columns +
               group * layout.lanes;
  isFirst = equals(key, 0);
  for (int64_t apart = across; apart < 32; apart *= 2)
    partners.push_back(apart);
  for (int64_t j = 0; j < layout.rows / layout.run; ++j) {
    Num first = (key + j * layout.split) * layout.run;
    bool whole = (j + 1) * layout.split * layout.run <= layout.keys;
    keys.push_back({first, whole ? Num() : first < layout.keys, layout.run});
  }
  for (int64_t i = 0; i < layout.lanes; i += layout.unit) {
    Num first = column + i;
    bool whole = layout.values % layout.columns == 0;
    columns.push_back(
        {first, whole ? Num() : first < layout.values, layout.unit});
  }
}

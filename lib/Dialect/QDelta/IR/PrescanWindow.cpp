//===- PrescanWindow.cpp - prescans that remember a few tokens ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/IR/PrescanWindow.h"

using namespace mlir;
using namespace qdelta;

std::optional<int64_t> qdelta::findWindow(PrescanOp op) {
  llvm::DenseMap<Value, int64_t> reach;
  int64_t most = 0;
  bool changed = true;
  auto raise = [&](Value value, int64_t back) {
    int64_t &known = reach[value];
    changed |= back > known;
    known = std::max(known, back);
    most = std::max(most, known);
  };
  // Ends: no state's new value depends on that state (prescan_c4).
  while (changed) {
    changed = false;
    for (Operation &inner : op.getBody().front()) {
      int64_t back = 0;
      for (Value operand : inner.getOperands())
        back = std::max(back, reach.lookup(operand));
      if (auto advance = dyn_cast<AdvanceOp>(inner)) {
        if (advance.getKind() != AdvanceKind::Set)
          return std::nullopt;
        // The new value is the previous one a token later.
        back = reach.lookup(advance.getWith());
        raise(advance.getState(), back + 1);
      }
      for (Value result : inner.getResults())
        raise(result, back);
    }
  }
  return most;
}

//===- PrescanWindow.h - prescans that remember a few tokens ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_DIALECT_QDELTA_IR_PRESCANWINDOW_H
#define QDELTA_DIALECT_QDELTA_IR_PRESCANWINDOW_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include <optional>

namespace qdelta {

/// How many tokens back a token's values and states reach, if all states are
/// windows: set from the token's inputs, parameters and windows before them. 0
/// without states.
std::optional<int64_t> findWindow(PrescanOp op);

} // namespace qdelta

#endif // QDELTA_DIALECT_QDELTA_IR_PRESCANWINDOW_H

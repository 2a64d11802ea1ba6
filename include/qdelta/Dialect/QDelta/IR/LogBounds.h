//===- LogBounds.h - how far a log decay may fall ---------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_DIALECT_QDELTA_IR_LOGBOUNDS_H
#define QDELTA_DIALECT_QDELTA_IR_LOGBOUNDS_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// On the ops that have the logs of a decay per key channel, `affine_decay` and
/// `mask_rows`: no log is below this number, an f64, and none above 0. Who uses
/// it takes a log below it as the bound.
inline constexpr llvm::StringLiteral kLogLowerAttr = "qdelta.log_lower";

inline std::optional<double> logLowerBoundOf(mlir::Operation *op) {
  auto attr = op->getAttrOfType<mlir::FloatAttr>(kLogLowerAttr);
  return attr ? std::optional(attr.getValueAsDouble()) : std::nullopt;
}

inline void setLogLowerBound(mlir::Operation *op, std::optional<double> bound) {
  if (bound)
    op->setAttr(kLogLowerAttr,
                mlir::Builder(op->getContext()).getF64FloatAttr(*bound));
}

} // namespace qdelta

#endif // QDELTA_DIALECT_QDELTA_IR_LOGBOUNDS_H

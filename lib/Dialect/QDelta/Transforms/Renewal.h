//===- Renewal.h - running decays over a chunk or a token -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_RENEWAL_H
#define QDELTA_TRANSFORMS_RENEWAL_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace qdelta {

/// What a running decay may be before it is renewed.
inline constexpr double kSmallestRunning = 0x1p-40, kLargestRunning = 0x1p40;

/// What becomes of a row of deferred decays in a chunk: one for each channel of
/// the keys or of the values. All are renewed at once: then most chunks renew
/// none (docs/Decisions/0004).
struct Renewal {
  /// The factors of what is stored, to be applied only `when` there is one to
  /// renew. Tiles [1 x D] in the list's element type.
  mlir::Value factors, when;
  /// The running decays after the chunk, in f64, and 1 over them.
  mlir::Value next, inverse;
};

/// `running` and the chunk's own `total` are [1 x D] in f64.
Renewal createRenewal(mlir::OpBuilder &b, mlir::Location loc,
                      mlir::FloatType element, mlir::Value running,
                      mlir::Value total);

/// The same for one decay of a whole state: what the rows are multiplied by, 1
/// unless it is renewed, and the running decay from there on, in f64.
struct NumberRenewal {
  mlir::Value factor, next;
};

/// `end` is the running decay before it may be renewed, in f64. One that is NaN
/// is renewed.
NumberRenewal createNumberRenewal(mlir::OpBuilder &b, mlir::Location loc,
                                  mlir::Value end);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_RENEWAL_H

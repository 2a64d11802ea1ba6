//===- PrescanValues.h - the values of a prescan's token -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_PRESCANTOGPU_PRESCANVALUES_H
#define QDELTA_CONVERSION_PRESCANTOGPU_PRESCANVALUES_H

#include "Widths.h"

namespace qdelta::gpu {

/// A lane's part of the values of one token. Scalars are the same in all lanes.
class PrescanValues {
public:
  PrescanValues(Emitter &e, const Widths &widths, Num lane)
      : e(e), widths(widths), lane(lane) {}

  void set(mlir::Value value, Fragment fragment) {
    values[value] = std::move(fragment);
  }
  const Fragment &get(mlir::Value value) { return values[value]; }
  bool isKnown(mlir::Value value) const { return values.contains(value); }

  /// Makes the result of an op whose operands are known.
  mlir::LogicalResult make(mlir::Operation &op);

private:
  mlir::LogicalResult makeConstant(mlir::Operation &op,
                                   mlir::Attribute constant);
  Fragment advance(AdvanceOp op);
  Fragment rotate(RotateOp op);
  /// Over all lanes; `terms` are a lane's, of a vector of `width` entries.
  Num sum(llvm::ArrayRef<Num> terms, int64_t width);

  Emitter &e;
  const Widths &widths;
  Num lane;
  llvm::DenseMap<mlir::Value, Fragment> values;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_PRESCANTOGPU_PRESCANVALUES_H

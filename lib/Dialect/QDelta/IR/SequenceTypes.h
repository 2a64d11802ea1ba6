//===- SequenceTypes.h - element types of a scan's sequences ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_IR_SEQUENCETYPES_H
#define QDELTA_LIB_IR_SEQUENCETYPES_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/ValueRange.h"

namespace qdelta {

/// Checks the element types of a scan's operands and results against those of
/// its step; errors are the op's and end with `label`.
class SequenceTypes {
public:
  /// With `mayMix`, sequences of vectors in f32 may stand beside narrow ones:
  /// those that a scan makes for another are never narrow.
  SequenceTypes(mlir::Operation *op, llvm::StringRef label, bool mayMix = false)
      : op(op), label(label), mayMix(mayMix) {}

  /// A parameter, a state or a sequence of scalars: of the step's type.
  mlir::LogicalResult addPlain(mlir::Type sequence, mlir::Type step,
                               const llvm::Twine &name);

  /// A sequence of vectors: of the step's type, or narrow where that is f32,
  /// and then of the type of all other sequences of vectors.
  mlir::LogicalResult addVectors(mlir::Type sequence, mlir::Type step,
                                 const llvm::Twine &name);

private:
  mlir::LogicalResult fail(const llvm::Twine &name, mlir::Type wanted,
                           mlir::Type found, const llvm::Twine &why);

  mlir::Operation *op;
  llvm::StringRef label;
  bool mayMix;
  /// Of the first sequence of vectors with f32 in the step.
  mlir::Type vectors;
  std::string first;
};

/// Checks `in_place` and `state_index` of a list or a prescan, whose first
/// token input is `token`, and that sequences are not packed then; errors end
/// with `label`.
mlir::LogicalResult verifyInPlace(mlir::Operation *op, bool inPlace,
                                  mlir::Value cuSeqlens, mlir::Value stateIndex,
                                  mlir::RankedTensorType token,
                                  mlir::ValueRange inits,
                                  mlir::ValueRange finals,
                                  llvm::StringRef label);

} // namespace qdelta

#endif // QDELTA_LIB_IR_SEQUENCETYPES_H

//===- PackedSequences.h - shapes that go with cu_seqlens -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_IR_PACKEDSEQUENCES_H
#define QDELTA_LIB_IR_PACKEDSEQUENCES_H

#include "mlir/IR/Operation.h"

namespace qdelta {

/// Checks what `cuSeqlens` [N + 1] asks of the op's shapes: `sequences`, token
/// inputs and outputs, have B = 1, and `states` have N. Null asks for nothing.
/// Errors are the op's and end with `label`.
mlir::LogicalResult verifyPacked(mlir::Operation *op, mlir::Value cuSeqlens,
                                 llvm::ArrayRef<mlir::Value> sequences,
                                 llvm::ArrayRef<mlir::Value> states,
                                 llvm::StringRef label);

/// The same for a scan, a list or a prescan.
template <typename OpTy>
mlir::LogicalResult verifyPacked(OpTy op, llvm::StringRef label) {
  llvm::SmallVector<mlir::Value> sequences(op.getTokens()),
      states(op.getInits());
  llvm::append_range(sequences, op.getOutputs());
  llvm::append_range(states, op.getFinals());
  return verifyPacked(op, op.getCuSeqlens(), sequences, states, label);
}

} // namespace qdelta

#endif // QDELTA_LIB_IR_PACKEDSEQUENCES_H

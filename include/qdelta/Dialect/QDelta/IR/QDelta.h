//===- QDelta.h - the qdelta dialect: types, attributes, ops ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_DIALECT_QDELTA_IR_QDELTA_H
#define QDELTA_DIALECT_QDELTA_IR_QDELTA_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "qdelta/Dialect/QDelta/IR/QDeltaDialect.h.inc"
#include "qdelta/Dialect/QDelta/IR/QDeltaEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "qdelta/Dialect/QDelta/IR/QDeltaTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "qdelta/Dialect/QDelta/IR/QDeltaAttrs.h.inc"

namespace qdelta {
class AdvanceOp;
class YieldOp;

/// Whether `type`, or its elements, are bf16 or f16: types that sequences are
/// stored in, while arithmetic is in f32.
bool isNarrow(mlir::Type type);

/// The dimension that a value of a recurrence's step runs over. `HalfKey` is
/// one entry for each pair of key channels, `State` a matrix.
enum class TokenDim { Scalar, Key, HalfKey, Value, State, Unknown };

/// Which arguments and results of a step are key vectors and which are value
/// vectors, found from the reads, writes and rotations they reach. `Unknown` is
/// a vector that meets no read, write, rotation or output.
llvm::DenseMap<mlir::Value, TokenDim> inferTokenDims(mlir::Block &step);
} // namespace qdelta

#include "qdelta/Dialect/QDelta/IR/RunOpInterface.h.inc"

#define GET_OP_CLASSES
#include "qdelta/Dialect/QDelta/IR/QDeltaOps.h.inc"

#endif // QDELTA_DIALECT_QDELTA_IR_QDELTA_H

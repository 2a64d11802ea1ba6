//===- Passes.h - passes over the qdelta dialect ----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_DIALECT_QDELTA_TRANSFORMS_PASSES_H
#define QDELTA_DIALECT_QDELTA_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class ModuleOp;
namespace arith {
class ArithDialect;
} // namespace arith
namespace func {
class FuncDialect;
} // namespace func
namespace linalg {
class LinalgDialect;
} // namespace linalg
namespace math {
class MathDialect;
} // namespace math
namespace scf {
class SCFDialect;
} // namespace scf
namespace tensor {
class TensorDialect;
} // namespace tensor
namespace vector {
class VectorDialect;
} // namespace vector
} // namespace mlir

namespace qdelta {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

#endif // QDELTA_DIALECT_QDELTA_TRANSFORMS_PASSES_H

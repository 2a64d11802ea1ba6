//===- Passes.h - from tensors to machine code ------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_PASSES_H
#define QDELTA_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class DialectRegistry;
class ModuleOp;
namespace LLVM {
class LLVMDialect;
} // namespace LLVM
namespace NVVM {
class NVVMDialect;
} // namespace NVVM
namespace affine {
class AffineDialect;
} // namespace affine
namespace arith {
class ArithDialect;
} // namespace arith
namespace bufferization {
class BufferizationDialect;
} // namespace bufferization
namespace linalg {
class LinalgDialect;
} // namespace linalg
namespace memref {
class MemRefDialect;
} // namespace memref
namespace scf {
class SCFDialect;
} // namespace scf
namespace tensor {
class TensorDialect;
} // namespace tensor
namespace vector {
class VectorDialect;
} // namespace vector
namespace x86vector {
class X86VectorDialect;
} // namespace x86vector
} // namespace mlir

namespace qdelta {
#define GEN_PASS_DECL
#include "qdelta/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "qdelta/Conversion/Passes.h.inc"

/// Lets `qdelta.prefetch` be bufferized.
void registerBufferizableOps(mlir::DialectRegistry &registry);
} // namespace qdelta

#endif // QDELTA_CONVERSION_PASSES_H

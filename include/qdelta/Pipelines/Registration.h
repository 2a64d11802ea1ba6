//===- Registration.h - dialects and passes that the tools use --*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_PIPELINES_REGISTRATION_H
#define QDELTA_PIPELINES_REGISTRATION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace qdelta {

/// Registers every dialect of every phase, with the bufferization interfaces
/// and LLVM translations that the pipelines need.
void registerDialects(mlir::DialectRegistry &registry);

/// Registers our passes and pipelines, and the upstream passes that pipelines
/// written by hand want most. Safe to call more than once.
void registerCompilerPasses();

} // namespace qdelta

#endif // QDELTA_PIPELINES_REGISTRATION_H

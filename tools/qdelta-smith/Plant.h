//===- Plant.h - a mistake for the checks to find --------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_SMITH_PLANT_H
#define QDELTA_TOOLS_SMITH_PLANT_H

#include "mlir/IR/BuiltinOps.h"

namespace qdelta::tools {

/// A mistake that the derivation could have made. Tests plant one to see that
/// the checks find it and that reduction keeps what it needs.
enum class Plant {
  None,
  /// A read that follows a write whose value uses a read sees the state before
  /// that write.
  EarlyRead,
  /// The second decay of a list is forgotten.
  OneDecay,
  /// Outputs are a few roundings too large.
  LargeOutput,
  /// A list with two decays makes the compiler crash.
  Crash,
};

/// Makes the mistake in every list of a module in the affine phase that has
/// the place for it.
void plantMistake(mlir::ModuleOp module, Plant plant);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_SMITH_PLANT_H

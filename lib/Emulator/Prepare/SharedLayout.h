//===- SharedLayout.h - placing shared variables ----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_PREPARE_SHAREDLAYOUT_H
#define QDELTA_EMULATOR_PREPARE_SHAREDLAYOUT_H

#include "qdelta/Emulator/Emulator.h"

namespace llvm {
class Module;
} // namespace llvm

namespace qdelta::emulator {

/// Where the shared variables of a module are.
struct SharedLayout {
  std::vector<SharedVariable> variables;
  /// Of the external array, which follows the variables.
  uint32_t dynamicOffset = 0;
  /// Bytes of the variables as ptxas counts them.
  uint32_t staticBytes = 0;
};

/// Places the variables as ptxas may: each with the alignment it asks for and
/// no larger one, external ones of no size at the end, on top of each other.
/// One of no size that is not external is a variable of one byte, which is what
/// NVPTX makes of it. Replaces the variables by their addresses.
SharedLayout placeSharedVariables(llvm::Module &module);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_PREPARE_SHAREDLAYOUT_H

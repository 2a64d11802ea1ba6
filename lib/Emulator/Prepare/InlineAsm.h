//===- InlineAsm.h - reading inline PTX -------------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_PREPARE_INLINEASM_H
#define QDELTA_EMULATOR_PREPARE_INLINEASM_H

#include "llvm/IR/InstrTypes.h"

#include <optional>
#include <string>
#include <vector>

namespace qdelta::emulator {

/// An operand of an operation: an argument of the call, or a constant.
struct AsmOperand {
  /// -1: `constant`. An accumulator without an input is the constant 0.
  int argument = -1;
  int64_t constant = 0;
};

/// What a piece of inline PTX does.
struct AsmOperation {
  /// As `Operation::name`; "" for an asm without text, whose results are its
  /// tied inputs, listed in `operands`.
  std::string name;
  std::vector<AsmOperand> operands;
  /// The operand of a predicate, if any.
  std::optional<AsmOperand> predicate;
};

/// Understands one operation of inline PTX, with the declarations, labels and
/// branches that belong to it. Operands are found through the constraints, so
/// tied ones may stand anywhere. Nothing when the text is of no known form.
std::optional<AsmOperation> readInlineAsm(const llvm::CallBase &call);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_PREPARE_INLINEASM_H

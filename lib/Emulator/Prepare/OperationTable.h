//===- OperationTable.h - the operations of a module ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_PREPARE_OPERATIONTABLE_H
#define QDELTA_EMULATOR_PREPARE_OPERATIONTABLE_H

#include "llvm/IR/Instruction.h"

#include <map>
#include <string>
#include <vector>

namespace qdelta::emulator {

/// `file:line:col` of an instruction, or the instruction itself where it has no
/// debug location.
std::string locationOf(const llvm::Instruction &instruction);

/// Numbers the operations of a module, and collects what is wrong with them.
class OperationTable {
public:
  /// The number of an operation. An unknown one becomes an error.
  uint32_t add(const std::string &name, const std::string &location,
               uint32_t numArguments, uint32_t numResults);
  void addError(const std::string &error);

  /// Lines for the description.
  const std::string &lines() const { return text; }
  /// All errors, "; " between them; "" for none.
  const std::string &errors() const { return errorText; }

private:
  std::map<std::string, uint32_t> numbers;
  std::string text, errorText;
};

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_PREPARE_OPERATIONTABLE_H

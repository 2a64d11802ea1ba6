//===- OperationTable.h - the operations of a module ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_PREPARE_OPERATIONTABLE_H
#define QDELTA_EMULATOR_PREPARE_OPERATIONTABLE_H

#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/Instruction.h"

#include <map>
#include <string>
#include <vector>

namespace qdelta::emulator {

/// Where the instructions of a module come from, before it is rewritten.
class Locations {
public:
  explicit Locations(const llvm::Module &module);

  /// `file:line:col` of an instruction, or the instruction itself where it has
  /// no debug location.
  std::string of(const llvm::Instruction &instruction) const;

private:
  llvm::DenseMap<const llvm::Instruction *, std::string> texts;
};

/// Numbers the operations of a module, and collects what is wrong with them.
class OperationTable {
public:
  explicit OperationTable(const Locations &locations) : locations(locations) {}

  std::string locationOf(const llvm::Instruction &instruction) const {
    return locations.of(instruction);
  }
  /// The number of an operation. An unknown one becomes an error.
  uint32_t add(const std::string &name, const std::string &location,
               uint32_t numArguments, uint32_t numResults);
  void addError(const std::string &error);

  /// Lines for the description.
  const std::string &lines() const { return text; }
  /// All errors, "; " between them; "" for none.
  const std::string &errors() const { return errorText; }

private:
  const Locations &locations;
  std::map<std::string, uint32_t> numbers;
  std::string text, errorText;
};

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_PREPARE_OPERATIONTABLE_H

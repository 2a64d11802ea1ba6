//===- AsmNames.h - from PTX mnemonics to operations ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_PREPARE_ASMNAMES_H
#define QDELTA_EMULATOR_PREPARE_ASMNAMES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>
#include <vector>

namespace qdelta::emulator {

/// The name of an operation, and which operand of the statement (not counting
/// results) each of its arguments is.
struct NamedOrder {
  std::string name;
  std::vector<size_t> order;
};

/// `constants` has the value of each operand that is constant. Nothing for a
/// mnemonic that has no operation; names that are the same are passed on as
/// they are, and may be unknown too.
std::optional<NamedOrder>
nameOfMnemonic(llvm::StringRef mnemonic,
               llvm::ArrayRef<std::optional<int64_t>> constants);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_PREPARE_ASMNAMES_H

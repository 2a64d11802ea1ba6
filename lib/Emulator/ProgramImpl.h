//===- ProgramImpl.h - a loaded program --------------------------*- C++ -*-==//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_PROGRAMIMPL_H
#define QDELTA_EMULATOR_PROGRAMIMPL_H

#include "Operation.h"
#include "qdelta/Emulator/Emulator.h"

namespace qdelta::emulator {

/// What a description says, bound.
struct ProgramImpl {
  std::vector<Kernel> kernels;
  std::vector<SharedVariable> variables;
  /// Where the external shared array begins, behind the variables.
  uint32_t dynamicOffset = 0;
  std::vector<Operation> operations;
  std::vector<Binding> bindings;
  /// What preparation found without running the kernels.
  std::vector<Report> findings;
};

/// Fills `program` from the text; returns what is wrong with it, "" for
/// nothing.
std::string parseDescription(std::string_view text, ProgramImpl &program);

/// Makes text fit between the tabs of a description's line, and back.
std::string escape(std::string_view text);
std::string unescape(std::string_view text);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_PROGRAMIMPL_H

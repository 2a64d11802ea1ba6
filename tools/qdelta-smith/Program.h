//===- Program.h - a recurrence as a list that can be changed --*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_SMITH_PROGRAM_H
#define QDELTA_TOOLS_SMITH_PROGRAM_H

#include "data/Signature.h"

namespace qdelta::tools {

enum class InputType { Scalar, Key, Value };

/// A token's input or a parameter.
struct Input {
  std::string name;
  InputType type = InputType::Scalar;
  bool isParam = false;
  Domain domain = Domain::Any;
  double low = 0, high = 0;
};

/// A vector, which is an input or what a read gave, times the product of
/// scalars, or minus that.
struct Term {
  std::string vector;
  std::vector<std::string> factors;
  bool isNegative = false;
};
using Sum = std::vector<Term>;

/// An entry of the list.
struct Entry {
  enum Kind { Decay, Read, Write };

  Kind kind;
  /// The input that is a decay's log, or what a read gives.
  std::string name;
  /// Of reads and writes.
  Sum key;
  /// Of writes: inputs and what earlier reads gave.
  Sum value;
};

/// One matrix state and what a token does to it.
struct Program {
  std::string name;
  std::vector<Input> inputs;
  std::vector<Entry> entries;
  /// At least one, and none is empty.
  std::vector<Sum> outputs;
};

/// Calls `f` on every sum of the program: keys, values and outputs.
void forEachSum(Program &program, llvm::function_ref<void(Sum &)> f);

/// Mends a program of which parts were taken away: terms of reads that are
/// gone, writes of nothing, outputs of nothing and inputs that nothing uses go
/// too. False if no output is left.
bool tidy(Program &program);

/// The program as a module that parses.
std::string print(const Program &program);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_SMITH_PROGRAM_H

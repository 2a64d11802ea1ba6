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
  qdeltaDomain domain = QDELTA_DOMAIN_ANY;
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

/// A vector or scalar state that comes before the matrix states, and what is
/// made of its new value or, with `isPrevious`, of the one before.
struct Auxiliary {
  /// A' = e^g A + k * k, of which k / (1 + A) is made; or m' = max(m + g, i),
  /// of which exp(-|m|) is made. Neither is more than 1 in size where A >= 0.
  enum Kind { Vector, MaxPlus };

  Kind kind;
  /// What is made: a key vector or a scalar. The state is "state_" and this.
  std::string name;
  /// The inputs g, and k or i.
  std::string decay, input;
  bool isPrevious = false;

  std::string state() const { return "state_" + name; }
};

/// An entry of the list.
struct Entry {
  enum Kind { Decay, Read, Write, Mix };

  Kind kind;
  /// The input that is a decay's log or a mix's factor, or what a read gives.
  std::string name;
  /// Of reads and writes.
  Sum key;
  /// Of writes: inputs and what earlier reads gave.
  Sum value;
  /// The number of its matrix state. A mix adds the other one to that.
  unsigned state = 0;
};

/// One or two matrix states and what a token does to them.
struct Program {
  std::string name;
  std::vector<Input> inputs;
  std::vector<Auxiliary> auxiliaries;
  unsigned numStates = 1;
  std::vector<Entry> entries;
  /// At least one, and none is empty.
  std::vector<Sum> outputs;
};

/// Calls `f` on every sum of the program: keys, values and outputs.
void forEachSum(Program &program, llvm::function_ref<void(Sum &)> f);

/// Mends a program of which parts were taken away: terms of reads that are
/// gone, writes of nothing, outputs of nothing, and states and inputs that
/// nothing uses go too. False if no output is left.
bool tidy(Program &program);

/// The program as a module that parses.
std::string print(const Program &program);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_SMITH_PROGRAM_H

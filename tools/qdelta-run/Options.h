//===- Options.h - the command line of qdelta-run --------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_RUN_OPTIONS_H
#define QDELTA_TOOLS_RUN_OPTIONS_H

#include "data/Engines.h"
#include "qdelta/Pipelines/Compile.h"

#include "llvm/Support/Error.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace qdelta::tools {

/// `name=file` of --input and --output.
using NamedFile = std::pair<std::string, std::string>;

/// What the command line says. Empty strings and zeros mean "choose".
struct RunOptions {
  std::string file, model, modelsDir, recurrence, function;
  std::vector<NamedFile> inputs, outputs;
  std::string shape, decays;
  /// Where packed sequences end; no value for sequences of one length.
  std::optional<std::vector<int64_t>> cuSeqlens;
  /// How many tokens came before each sequence, by turns.
  std::vector<int64_t> position;
  std::vector<std::string> params;
  uint64_t seed = 0;
  /// What to compile for, but for sizes; its engine may also be `reference`.
  CompileOptions compile;
  Format dtype = Format::F32;
  std::string checkAgainst, saveExpected;
  bool checkDomains = false;
  int32_t threads = 0;
  Emulation emulation;
};

/// Reads the command line and checks all that needs no module. Prints help or
/// an unknown option's error itself and exits then.
llvm::Expected<RunOptions> parseOptions(int argc, char **argv);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_RUN_OPTIONS_H

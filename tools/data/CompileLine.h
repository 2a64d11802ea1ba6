//===- CompileLine.h - what to compile for, on a command line --*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_COMPILELINE_H
#define QDELTA_TOOLS_DATA_COMPILELINE_H

#include "data/Sizes.h"
#include "qdelta/Pipelines/Compile.h"

#include "llvm/Support/CommandLine.h"

namespace qdelta {
class RecurrenceOp;
}

namespace qdelta::tools {

/// What the help of one tool says of the shared options.
struct CompileLineHelp {
  const char *model, *shape, *shapeExample, *engine, *target;
};

/// The options that every tool that compiles has. Made after the parser is
/// reset, like the category.
struct CompileLine {
  CompileLine(llvm::cl::OptionCategory &category, const CompileLineHelp &help);

  /// Checks values that need no module. `interpreters` are the engines that are
  /// not compiled, but that the tool knows.
  llvm::Error check(llvm::ArrayRef<llvm::StringRef> interpreters = {}) const;
  /// Fails if --target is a row of a target table, but of none that one of
  /// `engines` has.
  llvm::Error checkTarget(llvm::ArrayRef<llvm::StringRef> engines) const;
  /// The names that --target lists, at least one.
  llvm::Expected<std::vector<std::string>> targets() const;
  /// --dtype, once it is checked.
  Format format() const;
  /// Options for no target in particular. Sizes are left out.
  CompileOptions optionsForTargets() const;
  /// Options for the only target; fails if --target lists several. Sizes are
  /// left out.
  llvm::Expected<CompileOptions> options() const;

  llvm::cl::opt<std::string> model, modelsDir, shape, dtype, engine, target,
      mode, entry;
  llvm::cl::opt<int64_t> segments, chunk;
};

/// Fails unless `value`, given to --`option`, is one of `known`.
llvm::Error checkOneOf(llvm::StringRef option, llvm::StringRef value,
                       llvm::ArrayRef<llvm::StringRef> known);

/// Fails unless `value` is an engine that is compiled for or one of
/// `interpreters`.
llvm::Error checkEngine(llvm::StringRef option, llvm::StringRef value,
                        llvm::ArrayRef<llvm::StringRef> interpreters);

/// Whether an engine has that target: rows of the table of CPUs or of GPUs,
/// only `scalar`, or nothing for those that are not compiled for. All have
/// `host`.
bool hasTarget(llvm::StringRef engine, llvm::StringRef target);

/// The options with the row of a target table that `host` means: on GPU engines
/// the oldest one.
CompileOptions withTarget(CompileOptions options);

/// The number of segments for a launch of such sizes on so many threads, 0 for
/// all cores, where `options` leaves it to be chosen: 1 where sequences cannot
/// be split.
int64_t segmentsFor(RecurrenceOp recurrence, const CompileOptions &options,
                    const Sizes &sizes, int32_t threads);

/// `productsOf`, of data/Comparison.h, for the schedule that `options` leave
/// open: without tensor cores, too, where all of the recurrence runs token by
/// token on a GPU.
Format productsFor(RecurrenceOp recurrence, const CompileOptions &options,
                   Format dtype);

/// Reads the name of a format, given as `what`.
llvm::Expected<Format> parseFormat(llvm::StringRef what, llvm::StringRef name);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_DATA_COMPILELINE_H

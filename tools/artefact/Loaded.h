//===- Loaded.h - a kernel of an artefact ----------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_ARTEFACT_LOADED_H
#define QDELTA_TOOLS_ARTEFACT_LOADED_H

#include "arrays/Array.h"
#include "arrays/Expectation.h"
#include "artefact/Options.h"

#include <cstdio>
#include <stdexcept>

namespace qdelta::artefact {

/// An error to print, with the tool's exit code.
struct Failure : std::runtime_error {
  explicit Failure(const std::string &message, int code = 1)
      : std::runtime_error(message), code(code) {}
  int code;
};

/// Throw what is wrong, if something is.
void check(qdeltaStatus *status);
void check(const std::string &problem);

/// Does `tool`, prints what it throws and returns the exit code.
int reportingErrors(void (*tool)(const Options &), const Options &options);

/// The artefact's module and the kernel that the options name, or its only one.
class Loaded {
public:
  explicit Loaded(const Options &options);
  Loaded(const Loaded &) = delete;
  ~Loaded() { qdeltaModuleDestroy(module); }

  /// Arrays for all arguments: inputs from their files or random by the seed,
  /// and NaN in those that are written.
  std::vector<tools::Array>
  makeArrays(const Options &options,
             const std::map<std::string, int64_t> &sizes, uint64_t seed) const;

  /// The written ones of `arrays`, as numbers.
  std::vector<std::vector<double>>
  outputsOf(const std::vector<tools::Array> &arrays) const;

  qdeltaModule *module = nullptr;
  const qdeltaKernel *kernel = nullptr;
  std::vector<const qdeltaArgument *> arguments;
};

/// Reads a folder for that kernel.
tools::Expectation loadExpectation(const std::string &folder,
                                   const Loaded &loaded);

/// Prints the error table; throws, with exit code 2, if a row is wrong.
void printChecked(const std::vector<tools::OutputError> &errors,
                  tools::Format products, const std::string &engine,
                  const std::string &against, std::FILE *table = stdout);

} // namespace qdelta::artefact

#endif // QDELTA_TOOLS_ARTEFACT_LOADED_H

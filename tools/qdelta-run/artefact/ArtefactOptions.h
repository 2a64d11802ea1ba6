//===- ArtefactOptions.h - the command line for an artefact ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_RUN_ARTEFACT_ARTEFACTOPTIONS_H
#define QDELTA_TOOLS_RUN_ARTEFACT_ARTEFACTOPTIONS_H

#include "qdelta-c/Runtime.h"

#include <map>
#include <string>
#include <vector>

namespace qdelta::artefact {

struct Options {
  std::string file, function, target;
  std::map<std::string, std::string> inputs, outputs;
  /// B, T, H and HV.
  std::map<std::string, int64_t> sizes;
  qdeltaEngine engine = QDELTA_ENGINE_CPU;
  std::string engineName = "cpu";
  int32_t threads = 0;
  uint64_t seed = 0;
};

/// Reads `arguments`. Returns what is wrong, "" for nothing.
std::string parseOptions(const std::vector<std::string> &arguments,
                         Options &options);

/// The argument that is an artefact by its first bytes or its name's end; ""
/// if there is none. The values of options do not count.
std::string findArtefact(const std::vector<std::string> &arguments);

} // namespace qdelta::artefact

#endif // QDELTA_TOOLS_RUN_ARTEFACT_ARTEFACTOPTIONS_H

//===- RunArtefact.h - launches a kernel of an artefact --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_RUN_ARTEFACT_RUNARTEFACT_H
#define QDELTA_TOOLS_RUN_ARTEFACT_RUNARTEFACT_H

#include "ArtefactOptions.h"

namespace qdelta::artefact {

/// Loads the artefact, launches on given or random inputs, prints a line for
/// each output. Returns the tool's exit code; prints errors itself.
int run(const Options &options);

} // namespace qdelta::artefact

#endif // QDELTA_TOOLS_RUN_ARTEFACT_RUNARTEFACT_H

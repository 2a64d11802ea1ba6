//===- Run.h - launches a kernel of an artefact ----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_ARTEFACT_RUN_H
#define QDELTA_TOOLS_ARTEFACT_RUN_H

#include "artefact/Options.h"

namespace qdelta::artefact {

/// Loads the artefact, launches on given or random inputs, prints a line for
/// each output; with --expected launches on the inputs of a folder and prints
/// an error table. Returns the tool's exit code; prints errors itself.
int runArtefact(const Options &options);

/// Compares with --expected, then times on engine cuda or counts on engine
/// emulated. As above.
int benchArtefact(const Options &options);

} // namespace qdelta::artefact

#endif // QDELTA_TOOLS_ARTEFACT_RUN_H

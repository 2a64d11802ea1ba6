//===- qdelta-run.cpp - run an artefact, or a recurrence's source --------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// What users call: artefacts here, sources by qdelta-run-source.
//
//===----------------------------------------------------------------------===//

#include "artefact/Run.h"

int main(int argc, char **argv) {
  return qdelta::artefact::runTool(argc, argv,
                                   {"check-against", "emulate", "engine",
                                    "expected", "function", "input", "output",
                                    "seed", "shape", "target", "threads"},
                                   qdelta::artefact::runArtefact);
}

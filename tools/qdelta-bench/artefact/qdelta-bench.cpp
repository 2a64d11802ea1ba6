//===- qdelta-bench.cpp - time an artefact, or recurrences' sources ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// What users call: artefacts here, sources by qdelta-bench-source.
//
//===----------------------------------------------------------------------===//

#include "artefact/Run.h"

int main(int argc, char **argv) {
  return qdelta::artefact::runTool(argc, argv,
                                   {"emulate", "engine", "expected", "function",
                                    "json", "repeat", "shape", "target"},
                                   qdelta::artefact::benchArtefact);
}

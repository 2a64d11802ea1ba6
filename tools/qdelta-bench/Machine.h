//===- Machine.h - where a measurement was made ----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_BENCH_MACHINE_H
#define QDELTA_TOOLS_BENCH_MACHINE_H

#include <string>

namespace qdelta::tools {

/// The processor's name, family and model, and the number of cores.
std::string describeMachine();

/// The commit of the source tree that the tool was built from, with `-dirty` if
/// files differ from it; `unknown` without git.
std::string findCommit();

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_BENCH_MACHINE_H

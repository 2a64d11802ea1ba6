//===- Steps.h - timing kernels that update states in place ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_BENCH_STEPS_H
#define QDELTA_TOOLS_BENCH_STEPS_H

#include "Measure.h"
#include "data/Engines.h"

namespace qdelta::tools {

/// Times launches of one step each that go round many sets of states, so many
/// that they come from memory and not from a cache. It takes turns with a loop
/// that multiplies every number of the same memory in place, on as many
/// threads.
llvm::Error timeSteps(const LoadedKernel &kernel, const Signature &signature,
                      const Sizes &sizes, int32_t threads, int repeat,
                      Measurement &result);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_BENCH_STEPS_H

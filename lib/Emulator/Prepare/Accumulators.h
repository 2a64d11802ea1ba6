//===- Accumulators.h - reads of accumulators under way ---------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_PREPARE_ACCUMULATORS_H
#define QDELTA_EMULATOR_PREPARE_ACCUMULATORS_H

#include <string>

namespace llvm {
class Function;
} // namespace llvm

namespace qdelta::emulator {

class Locations;

/// Finds uses of the results of wgmma.mma_async on a path that does not wait
/// for them, other than as accumulators of another one. The emulator computes
/// results at once, so running the kernel does not show these. Returns lines
/// for the description. Paths that the conditions of the program exclude count
/// too.
std::string findAccumulatorUses(llvm::Function &kernel,
                                const Locations &locations);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_PREPARE_ACCUMULATORS_H

//===- Peak.h - the machine's f32 peak, by running FMAs --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_BENCH_PEAK_H
#define QDELTA_TOOLS_BENCH_PEAK_H

namespace qdelta::tools {

/// Runs independent chains of fused multiply-adds in the widest registers of
/// this machine, for a millisecond or two on one thread, and returns flop per
/// second.
double measurePeak();

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_BENCH_PEAK_H

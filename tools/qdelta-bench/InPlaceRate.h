//===- InPlaceRate.h - the memory's rate for updates in place --*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_BENCH_INPLACERATE_H
#define QDELTA_TOOLS_BENCH_INPLACERATE_H

#include <cstdint>

namespace qdelta::tools {

/// Multiplies every f32 of `bytes` bytes by a number just below 1, each in its
/// place, on `threads` threads with a part each. Returns bytes per second,
/// counted once though they are read and written.
double measureInPlaceRate(void *data, int64_t bytes, int32_t threads);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_BENCH_INPLACERATE_H

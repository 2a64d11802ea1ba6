//===- Measure.h - checking a kernel, then timing it -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_BENCH_MEASURE_H
#define QDELTA_TOOLS_BENCH_MEASURE_H

#include "Case.h"
#include "arrays/DeviceBench.h"
#include "data/Failure.h"
#include "qdelta/Pipelines/Compile.h"

namespace qdelta::tools {

struct Measurement {
  Case what;
  std::string function;
  /// Per token and value head: the median and the least of all repeats, and the
  /// distance of the quartiles as a part of the median.
  double nsMedian = 0, nsBest = 0, spread = 0;
  /// The median of time over floor, where the floor of a repeat is
  /// `floorFlop` per token and head at the peak, which is `threads` times the
  /// better of the FMA loops before and after it.
  double floorRatio = 0;
  /// 2 (reads + writes + mixes) K V, for each level; 0 if nothing is said in
  /// flop.
  double floorFlop = 0;
  double peakGflops = 0;
  /// Engine cuda: by events on the device; the times above are of it.
  std::optional<DeviceTimes> device;
  /// Entry step: bytes a second of states in place, read and written counted as
  /// one; of the kernel and of a loop over the same memory in the same run. The
  /// floor is the loop's time then.
  struct InPlace {
    double kernel = 0, loop = 0;
    int64_t footprint = 0;
  };
  std::optional<InPlace> inPlace;
  /// Engine emulated: what one launch did, instead of all times.
  std::optional<qdeltaCounts> counts;
  /// The largest error of an output over that of the token loop.
  double errorRatio = 0;
  /// From reading the source to a kernel that can be launched.
  double compileMs = 0;
};

struct MeasureOptions {
  std::string modelsDir;
  /// Engine, type and sizes are the case's, and the entry is for all.
  CompileOptions compile;
  int repeat = 15;
};

/// The value a part of the way from the least to the greatest.
double quantile(std::vector<double> values, double part);

/// Compiles the case, compares the kernel with the reference on few tokens, and
/// times it. A kernel that is wrong is a WrongResult failure with its error
/// table printed to standard error, and no time.
llvm::Expected<Measurement> measure(const Case &what,
                                    const MeasureOptions &options,
                                    Reproducer &reproducer);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_BENCH_MEASURE_H

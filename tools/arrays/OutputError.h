//===- OutputError.h - how wrong an output is ------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_ARRAYS_OUTPUTERROR_H
#define QDELTA_TOOLS_ARRAYS_OUTPUTERROR_H

#include "qdelta/Reference/Format.h"

#include <span>
#include <string>
#include <vector>

namespace qdelta::tools {

using reference::Format;

// The measure. The error of an output x against wanted values w is the relative
// rms error, |x - w| / |w| in the Euclidean norm, in float64. Let e0 be that of
// the plain token loop of the engine's products (the reference interpreter in
// float; for bf16 and f16, and for f32 on GPUs, which multiply it as tf32, with
// products of rounded operands) against the same loop in float64, on the same
// inputs. An engine is right if, for every output,
//
//   * its error against the float64 reference is at most max(2 e0, u): twice
//     the loop's error, where u is never held against it (the loop is exact
//     when T = 0): 2^-23, 2^-52 for f64, 2^-8 for bf16, 2^-11 for f16 and tf32;
//   * its values that are not finite are those of the reference.
//
// For f64 the loop is in float64 and what it is measured against in long
// double.
//
// When two engines are compared that both may be off by that much, the bound is
// twice as wide. If all wanted values are 0, the error is 0 or infinite.

/// One output's row in the error table.
struct OutputError {
  std::string name;
  double maxAbs = 0;
  double error = 0;
  /// e0, and the bound above.
  double loopError = 0, bound = 0;

  bool isRight() const { return error <= bound; }
  /// error / e0, or 0 for an output that is as good as exact.
  double ratio() const { return loopError > 0 ? error / loopError : 0; }
};

/// The relative rms error of `got`; infinite if values that are not finite
/// differ.
double relativeError(const std::vector<double> &got,
                     const std::vector<double> &wanted);

/// The row of an output that the token loop is off by `loopError`. `allowed` is
/// 2 against the reference, 4 against another engine.
OutputError measureError(std::string name, const std::vector<double> &got,
                         const std::vector<double> &wanted, double loopError,
                         double allowed, Format products);

/// A header, and a line for each row.
std::string formatTable(std::span<const OutputError> errors, Format products);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_ARRAYS_OUTPUTERROR_H

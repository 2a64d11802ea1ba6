//===- Comparison.h - how wrong an engine's outputs may be -----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_COMPARISON_H
#define QDELTA_TOOLS_DATA_COMPARISON_H

#include "data/Signature.h"
#include "qdelta/Reference/Evaluate.h"

#include "llvm/Support/raw_ostream.h"

namespace qdelta::tools {

// The measure. The error of an output x against wanted values w is the relative
// rms error, |x - w| / |w| in the Euclidean norm, in float64. Let e0 be that of
// the plain token loop of the engine's products (the reference interpreter in
// float; for bf16 and f16, and for f32 on GPUs, which multiply it as tf32, with
// products of rounded operands) against the same loop in float64, on the same
// inputs. An engine is right if, for every output,
//
//   * its error against the float64 reference is at most max(2 e0, u): twice
//     the loop's error, where u is never held against it (the loop is exact
//     when T = 0): 2^-23, 2^-52 for f64, 2^-8 for bf16, 2^-11 for f16 and
//     tf32;
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
  double ratio() const;
};

/// The relative rms error; infinite if values that are not finite differ.
double relativeError(llvm::ArrayRef<double> got, llvm::ArrayRef<double> wanted);

using Outputs = std::vector<reference::Tensor<double>>;

/// What an engine multiplies when sequences are stored in `dtype`: the tensor
/// cores of GPUs, and so of their emulator, have no products of f32. Mode
/// recurrent does without them.
Format productsOf(llvm::StringRef engine, Format dtype,
                  llvm::StringRef mode = "auto");

/// Compares output by output. `allowed` is 2 against the reference, 4 against
/// another engine; `products` is what is multiplied, see productsOf.
std::vector<OutputError> compare(llvm::ArrayRef<Argument> arguments,
                                 const Outputs &got, const Outputs &wanted,
                                 const Outputs &loop, const Outputs &reference,
                                 double allowed, Format products = Format::F32);

/// Whether every output is right.
bool allRight(llvm::ArrayRef<OutputError> errors);

/// Prints a row for each output.
void printTable(llvm::ArrayRef<OutputError> errors, llvm::raw_ostream &os,
                Format products = Format::F32);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_DATA_COMPARISON_H

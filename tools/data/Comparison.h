//===- Comparison.h - how wrong an engine's outputs may be -----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_COMPARISON_H
#define QDELTA_TOOLS_DATA_COMPARISON_H

#include "arrays/OutputError.h"
#include "data/Signature.h"
#include "qdelta/Reference/Evaluate.h"

#include "llvm/Support/raw_ostream.h"

namespace qdelta::tools {

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

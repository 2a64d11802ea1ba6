//===- Comparison.cpp - how wrong an engine's outputs may be -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Comparison.h"

using namespace qdelta::tools;

Format qdelta::tools::productsOf(llvm::StringRef engine, Format dtype,
                                 llvm::StringRef mode) {
  bool isGpu = engine == "cuda" || engine == "emulated";
  bool byTensorCores = isGpu && mode != "recurrent";
  return byTensorCores && dtype == Format::F32 ? Format::TF32 : dtype;
}

std::vector<OutputError>
qdelta::tools::compare(llvm::ArrayRef<Argument> arguments, const Outputs &got,
                       const Outputs &wanted, const Outputs &loop,
                       const Outputs &reference, double allowed,
                       Format products) {
  std::vector<OutputError> errors;
  for (size_t i = 0; i < arguments.size(); ++i)
    errors.push_back(measureError(
        arguments[i].name, got[i].data, wanted[i].data,
        relativeError(loop[i].data, reference[i].data), allowed, products));
  return errors;
}

bool qdelta::tools::allRight(llvm::ArrayRef<OutputError> errors) {
  return llvm::all_of(errors,
                      [](const OutputError &row) { return row.isRight(); });
}

void qdelta::tools::printTable(llvm::ArrayRef<OutputError> errors,
                               llvm::raw_ostream &os, Format products) {
  os << formatTable(std::span(errors.data(), errors.size()), products);
}

//===- Comparison.cpp - how wrong an engine's outputs may be -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Comparison.h"

#include "llvm/Support/Format.h"

#include <cmath>

using namespace qdelta::tools;
using qdelta::reference::formatName;
using qdelta::reference::unitRoundoff;

double OutputError::ratio() const {
  return loopError > 0 ? error / loopError : 0;
}

double qdelta::tools::relativeError(llvm::ArrayRef<double> got,
                                    llvm::ArrayRef<double> wanted) {
  double difference = 0, norm = 0;
  for (auto [x, w] : llvm::zip_equal(got, wanted)) {
    if (std::isfinite(w) && std::isfinite(x)) {
      difference += (x - w) * (x - w);
      norm += w * w;
    } else if (x != w && !(std::isnan(x) && std::isnan(w))) {
      return INFINITY;
    }
  }
  if (difference == 0)
    return 0;
  return norm == 0 ? INFINITY : std::sqrt(difference / norm);
}

/// The largest difference of finite values, or infinite where only the wanted
/// value is finite.
static double largestDifference(llvm::ArrayRef<double> got,
                                llvm::ArrayRef<double> wanted) {
  double largest = 0;
  for (auto [x, w] : llvm::zip_equal(got, wanted))
    if (std::isfinite(w))
      largest =
          std::isfinite(x) ? std::max(largest, std::abs(x - w)) : INFINITY;
  return largest;
}

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
  double unit = unitRoundoff(products);
  if (products == Format::F32 || products == Format::F64)
    unit *= 2;
  std::vector<OutputError> errors;
  for (size_t i = 0; i < arguments.size(); ++i) {
    OutputError row{arguments[i].name};
    row.maxAbs = largestDifference(got[i].data, wanted[i].data);
    row.error = relativeError(got[i].data, wanted[i].data);
    row.loopError = relativeError(loop[i].data, reference[i].data);
    row.bound = std::max(allowed * row.loopError, allowed / 2 * unit);
    errors.push_back(std::move(row));
  }
  return errors;
}

bool qdelta::tools::allRight(llvm::ArrayRef<OutputError> errors) {
  return llvm::all_of(errors,
                      [](const OutputError &row) { return row.isRight(); });
}

void qdelta::tools::printTable(llvm::ArrayRef<OutputError> errors,
                               llvm::raw_ostream &os, Format products) {
  std::string loop = (formatName(products) + " loop").str();
  os << llvm::format("output       max abs   rel rms  %9s  ratio  verdict\n",
                     loop.c_str());
  for (const OutputError &row : errors)
    os << llvm::format("%-11s %9.2e %9.2e  %9.2e %6.2f  %s\n", row.name.c_str(),
                       row.maxAbs, row.error, row.loopError, row.ratio(),
                       row.isRight() ? "right" : "wrong");
}

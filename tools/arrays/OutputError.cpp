//===- OutputError.cpp - how wrong an output is --------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "arrays/OutputError.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace qdelta::tools;
namespace reference = qdelta::reference;

double qdelta::tools::relativeError(const std::vector<double> &got,
                                    const std::vector<double> &wanted) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    double x = got[i], w = wanted[i];
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
static double largestDifference(const std::vector<double> &got,
                                const std::vector<double> &wanted) {
  double largest = 0;
  for (size_t i = 0; i < wanted.size(); ++i)
    if (std::isfinite(wanted[i]))
      largest = std::isfinite(got[i])
                    ? std::max(largest, std::abs(got[i] - wanted[i]))
                    : INFINITY;
  return largest;
}

OutputError qdelta::tools::measureError(std::string name,
                                        const std::vector<double> &got,
                                        const std::vector<double> &wanted,
                                        double loopError, double allowed,
                                        Format products) {
  double unit = reference::unitRoundoff(products);
  if (products == Format::F32 || products == Format::F64)
    unit *= 2;
  return {std::move(name), largestDifference(got, wanted),
          relativeError(got, wanted), loopError,
          std::max(allowed * loopError, allowed / 2 * unit)};
}

std::string qdelta::tools::formatTable(std::span<const OutputError> errors,
                                       Format products) {
  char line[256];
  std::string loop(reference::formatName(products));
  loop += " loop";
  std::snprintf(line, sizeof(line),
                "output       max abs   rel rms  %9s  ratio  verdict\n",
                loop.c_str());
  std::string table = line;
  for (const OutputError &row : errors) {
    std::snprintf(line, sizeof(line), " %9.2e %9.2e  %9.2e %6.2f  %s\n",
                  row.maxAbs, row.error, row.loopError, row.ratio(),
                  row.isRight() ? "right" : "wrong");
    std::string name = row.name;
    name.resize(std::max<size_t>(name.size(), 11), ' ');
    table += name + line;
  }
  return table;
}

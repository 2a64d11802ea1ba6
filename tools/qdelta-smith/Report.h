//===- Report.h - what became of many programs -----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_SMITH_REPORT_H
#define QDELTA_TOOLS_SMITH_REPORT_H

#include "Check.h"

#include <map>

namespace qdelta::tools {

/// Counts outcomes.
class Report {
public:
  explicit Report(llvm::ArrayRef<Check> checks);

  void add(size_t check, const Outcome &outcome);

  /// A row for each check, then every refusal with how often it was met, and
  /// the imprecise result that passes its bound by most.
  void print(llvm::raw_ostream &os) const;

private:
  std::vector<std::string> names;
  /// By check and kind.
  std::vector<std::map<Outcome::Kind, unsigned>> counts;
  /// By text without numbers: how often, and the first text.
  std::map<std::string, std::pair<unsigned, std::string>> refusals;
  Outcome leastPrecise;
};

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_SMITH_REPORT_H

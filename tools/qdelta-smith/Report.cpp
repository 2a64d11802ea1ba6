//===- Report.cpp - what became of many programs -------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "llvm/Support/Format.h"

using namespace qdelta::tools;

Report::Report(llvm::ArrayRef<Check> checks) : counts(checks.size()) {
  for (const Check &check : checks)
    names.push_back(check.name());
}

void Report::add(size_t check, const Outcome &outcome) {
  ++counts[check][outcome.kind];
  if (outcome.excess > leastPrecise.excess)
    leastPrecise = outcome;
  if (outcome.kind != Outcome::Refused)
    return;
  auto [entry, isNew] =
      refusals.try_emplace(withoutNumbers(outcome.detail), 0, outcome.detail);
  ++entry->second.first;
}

void Report::print(llvm::raw_ostream &os) const {
  os << llvm::format("%-44s  right  refused  imprecise  failed\n", "check");
  for (auto [name, kinds] : llvm::zip(names, counts)) {
    unsigned right = 0, refused = 0, imprecise = 0, failed = 0;
    for (auto [kind, count] : kinds)
      (kind == Outcome::Right       ? right
       : kind == Outcome::Refused   ? refused
       : kind == Outcome::Imprecise ? imprecise
                                    : failed) += count;
    os << llvm::format("%-44s %6u  %7u  %9u  %6u\n", name.c_str(), right,
                       refused, imprecise, failed);
  }
  for (const auto &[text, entry] : refusals)
    os << "refused " << entry.first << " times: " << entry.second << "\n";
  if (leastPrecise.excess > 0)
    os << "least precise: " << leastPrecise.detail << "\n";
}

//===- Findings.h - collects a block's reports ------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_FINDINGS_H
#define QDELTA_EMULATOR_FINDINGS_H

#include "Operation.h"
#include "qdelta/Emulator/Emulator.h"

#include <map>
#include <tuple>

namespace qdelta::emulator {

/// A site as reports print it: "ldmatrix... {k.mlir:71:12}".
std::string describe(const Operation &op);

/// Reports of one block, or of a launch once blocks are merged. Equal ones are
/// kept once.
class Findings {
public:
  explicit Findings(uint32_t limit) : limit(limit) {}

  /// Adds a report or counts a repetition.
  void add(Report report);
  /// Adds what another block found.
  void merge(const Findings &other);
  /// Counts a repetition of what `add` was told for the same operations, in
  /// which case no report need be made up.
  bool countAgain(ReportKind kind, const Operation *op, const Operation *other);
  /// Lets `countAgain` know the report that was added last.
  void remember(ReportKind kind, const Operation *op, const Operation *other);

  const std::vector<Report> &reports() const { return kept; }
  uint64_t dropped() const { return droppedCount; }

private:
  using Key = std::tuple<ReportKind, std::string, std::string>;
  using FastKey = std::tuple<ReportKind, const Operation *, const Operation *>;
  static constexpr size_t kDropped = ~size_t(0);

  uint32_t limit;
  std::vector<Report> kept;
  std::map<Key, size_t> places;
  std::map<FastKey, size_t> fastPlaces;
  size_t lastPlace = kDropped;
  uint64_t droppedCount = 0;
};

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_FINDINGS_H

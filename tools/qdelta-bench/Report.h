//===- Report.h - measurements as a table and as JSON ----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_BENCH_REPORT_H
#define QDELTA_TOOLS_BENCH_REPORT_H

#include "Measure.h"

#include "llvm/Support/raw_ostream.h"

namespace qdelta::tools {

/// The times of a saved run by case.
class SavedRun {
public:
  static llvm::Expected<SavedRun> read(llvm::StringRef path);

  /// The saved nanoseconds of that case, if it was measured.
  std::optional<double> find(const Measurement &measurement) const;

  std::string machine, commit;

private:
  std::map<std::string, double> times;
};

/// The table's first lines.
void printHeader(const SavedRun *saved, llvm::raw_ostream &os);

/// A row, with the change since `saved` if it is given.
void printRow(const Measurement &measurement, const SavedRun *saved,
              llvm::raw_ostream &os);

/// `{machine, commit, results: [...]}`.
llvm::json::Value toJson(llvm::ArrayRef<Measurement> measurements);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_BENCH_REPORT_H

//===- Case.h - what to measure --------------------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_BENCH_CASE_H
#define QDELTA_TOOLS_BENCH_CASE_H

#include "data/Sizes.h"

#include "llvm/Support/JSON.h"

namespace qdelta::tools {

/// One row of a benchmark.
struct Case {
  std::string model;
  Sizes shape;
  std::string engine = "cpu";
  std::string dtype = "f32";
  int32_t threads = 1;
};

/// Reads `{"cases": [{"model": "q_delta", "shape": {"B": 1, ...},
/// "engine": "cpu", "dtype": "f32", "threads": 1}]}`; what follows the shape
/// may be left out.
llvm::Expected<std::vector<Case>> readSuite(llvm::StringRef path);

/// Parses a JSON file.
llvm::Expected<llvm::json::Value> readJson(llvm::StringRef path);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_BENCH_CASE_H

//===- Expectation.h - what a run must give, in a folder -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_ARRAYS_EXPECTATION_H
#define QDELTA_TOOLS_ARRAYS_EXPECTATION_H

#include "arrays/Array.h"
#include "arrays/OutputError.h"

#include <map>

namespace qdelta::tools {

/// What the float64 reference gives on random inputs, and what a token loop is
/// off by: written where the reference interpreter is, compared with where only
/// the runtime is. A folder of it has expected.txt,
///
///   qdelta 1
///   shape B=1,T=65,H=2,HV=4,K=64,V=64
///   seed 0
///   products bf16
///   output o 0.0021
///   output S_final 0.0018
///
/// and a .npy file of each output, rounded to float32 unless all is float64. Of
/// packed sequences it also has a line `packed 3`, how many, and
/// cu_seqlens.npy.
struct Expectation {
  struct Output {
    std::string name;
    /// e0 of OutputError.h.
    double loopError = 0;
    Array values;
  };

  std::map<std::string, int64_t> sizes;
  uint64_t seed = 0;
  /// What the engine multiplies that is going to be compared.
  Format products = Format::F32;
  std::vector<Output> outputs;
  /// Of packed sequences where they begin and end, when it is written: who
  /// reads it knows the type and takes it from `boundsFile`.
  bool isPacked = false;
  Array cuSeqlens;

  /// The errors of `got`, one vector for each output; `allowed` as in
  /// measureError.
  std::vector<OutputError> compare(const std::vector<std::vector<double>> &got,
                                   double allowed) const;
};

/// Write and read a folder; return what is wrong, "" for nothing. The folder is
/// made if it is not there.
std::string saveExpectation(const std::string &folder,
                            const Expectation &expectation);
std::string loadExpectation(const std::string &folder,
                            Expectation &expectation);

/// The file of a folder with cu_seqlens.
std::string boundsFile(const std::string &folder);

/// Reads `B=2,T=65` into `sizes`; false if a name is none of B, T, H, HV, K and
/// V, or a number is negative or not one.
bool parseSizes(std::string_view text, std::map<std::string, int64_t> &sizes);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_ARRAYS_EXPECTATION_H

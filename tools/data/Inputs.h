//===- Inputs.h - seeded inputs that fit their domains ---------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_INPUTS_H
#define QDELTA_TOOLS_DATA_INPUTS_H

#include "data/Sizes.h"

namespace qdelta::tools {

/// What random inputs are made of. The same seed gives the same values for an
/// argument whatever the other arguments are.
struct InputOptions {
  uint64_t seed = 0;
  /// Log decays to mix in, each in about 5 % of a log decay's entries.
  std::vector<double> decays;
  /// Values for whole parameters, by name.
  std::map<std::string, double> params;
  /// How many tokens came before each sequence, by turns; none if it is empty.
  std::vector<int64_t> position;
};

/// Reads `0,-1e-8,-inf`. Positive numbers and NaN are errors.
llvm::Expected<std::vector<double>> parseDecays(llvm::StringRef text);

/// Reads `scale=0.1` into `params`.
llvm::Error parseParam(llvm::StringRef text, const Signature &signature,
                       std::map<std::string, double> &params);

/// One tensor per input of the signature: those given, and for the others
/// values by domain. `unit`: a Gaussian vector of norm 1; `log_decay`: -0.1
/// times the size of a Gaussian; `range`: uniform; initial states: 0.1 times a
/// Gaussian; a parameter called `scale`: K^-1/2; anything else: a Gaussian; all
/// rounded to their format.
std::vector<FloatTensor>
makeInputs(const Signature &signature, const Sizes &sizes,
           llvm::ArrayRef<std::optional<FloatTensor>> given,
           const InputOptions &options);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_DATA_INPUTS_H

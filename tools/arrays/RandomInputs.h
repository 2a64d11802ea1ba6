//===- RandomInputs.h - seeded numbers that fit a domain -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_ARRAYS_RANDOMINPUTS_H
#define QDELTA_TOOLS_ARRAYS_RANDOMINPUTS_H

#include "arrays/Array.h"
#include "qdelta-c/Runtime.h"

namespace qdelta::tools {

/// What the values of an argument depend on, besides the seed.
struct InputDescription {
  std::string name;
  qdeltaRole role = QDELTA_ROLE_TOKEN;
  qdeltaDomain domain = QDELTA_DOMAIN_ANY;
  double low = 0, high = 0;
};

/// Fills an array of that shape: vectors of norm 1 for QDELTA_DOMAIN_UNIT, -0.1
/// times the size of a Gaussian for log decays, uniform numbers for ranges, 0.1
/// times a Gaussian for initial states, `keys`^-1/2 for a parameter called
/// `scale`, and a Gaussian for anything else; all rounded to the array's
/// format. About 5 % of a log decay's entries are each of `decays`. The same
/// seed and name give the same numbers, whatever is filled before.
void fillRandomly(const InputDescription &input, int64_t keys, uint64_t seed,
                  std::span<const double> decays, Array &array);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_ARRAYS_RANDOMINPUTS_H

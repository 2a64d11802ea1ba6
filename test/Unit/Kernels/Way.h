//===- Way.h - how models are compiled, and what is right -------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TEST_UNIT_KERNELS_WAY_H
#define QDELTA_TEST_UNIT_KERNELS_WAY_H

#include "Model.h"

namespace qdelta::test {

/// How a model is compiled.
struct Way {
  std::string name, model;
  CompileOptions options;

  friend void PrintTo(const Way &way, std::ostream *os) {
    *os << way.name << "_" << way.model;
  }
};

/// Adds a way of that name for each of `models`.
void addWays(std::vector<Way> &all, const char *name,
             const CompileOptions &options,
             const std::vector<std::string> &models);

/// Expects errors against `reference` of at most twice those of `loop`, a token
/// loop that multiplies in the format `products`; see OutputError.h.
void expectRight(const tools::Signature &signature, const tools::Outputs &got,
                 const tools::Outputs &reference, const tools::Outputs &loop,
                 tools::Format products);

} // namespace qdelta::test

#endif // QDELTA_TEST_UNIT_KERNELS_WAY_H

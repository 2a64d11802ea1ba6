//===- Way.cpp - how models are compiled, and what is right --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Way.h"

#include "gtest/gtest.h"

using namespace qdelta;
using namespace qdelta::test;

void qdelta::test::addWays(std::vector<Way> &all, const char *name,
                           const CompileOptions &options,
                           const std::vector<std::string> &models) {
  for (const std::string &model : models)
    all.push_back({name, model, options});
}

void qdelta::test::expectRight(const tools::Signature &signature,
                               const tools::Outputs &got,
                               const tools::Outputs &reference,
                               const tools::Outputs &loop,
                               tools::Format products) {
  auto errors = tools::compare(signature.outputs, got, reference, loop,
                               reference, 2, products);
  ASSERT_EQ(errors.size(), signature.outputs.size());
  if (tools::allRight(errors))
    return;
  std::string table;
  llvm::raw_string_ostream os(table);
  tools::printTable(errors, os, products);
  ADD_FAILURE() << table;
}

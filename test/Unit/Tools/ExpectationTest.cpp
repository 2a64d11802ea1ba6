//===- ExpectationTest.cpp - what a run must give, in a folder ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "arrays/Expectation.h"

#include "gtest/gtest.h"

#include <filesystem>
#include <fstream>

using namespace qdelta::tools;

namespace {
class ExpectationTest : public testing::Test {
protected:
  void SetUp() override {
    folder = testing::TempDir() + "qdelta-expectation";
    std::filesystem::remove_all(folder);
    saved.sizes = {{"B", 1}, {"T", 2}, {"H", 1}, {"HV", 1}};
    saved.seed = 7;
    saved.products = Format::TF32;
    saved.outputs = {{"o", 0.25, {Format::F32, {1, 2}, {3, 4}}},
                     {"S_final", 0, {Format::F32, {}, {1}}}};
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void write(const std::string &text) {
    std::ofstream(folder + "/expected.txt") << text;
  }
  std::string load() {
    Expectation loaded;
    return loadExpectation(folder, loaded);
  }

  std::string folder;
  Expectation saved;
};
} // namespace

TEST_F(ExpectationTest, RoundTrip) {
  ASSERT_EQ(saveExpectation(folder, saved), "");
  Expectation loaded;
  ASSERT_EQ(loadExpectation(folder, loaded), "");
  EXPECT_EQ(loaded.sizes, saved.sizes);
  EXPECT_EQ(loaded.seed, 7u);
  EXPECT_EQ(loaded.products, Format::TF32);
  ASSERT_EQ(loaded.outputs.size(), 2u);
  EXPECT_EQ(loaded.outputs[0].name, "o");
  EXPECT_EQ(loaded.outputs[0].loopError, 0.25);
  EXPECT_EQ(loaded.outputs[0].values.shape, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(loaded.outputs[0].values.data, (std::vector<double>{3, 4}));
}

TEST_F(ExpectationTest, Compare) {
  auto errors = saved.compare({{3, 6}, {1}}, 2);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_DOUBLE_EQ(errors[0].error, 0.4);
  EXPECT_EQ(errors[0].maxAbs, 2);
  EXPECT_EQ(errors[0].bound, 0.5);
  EXPECT_TRUE(errors[0].isRight());
  EXPECT_EQ(errors[1].error, 0);
  EXPECT_EQ(errors[1].bound, 0x1p-11);
  EXPECT_EQ(saved.compare({{3, 6}, {1}}, 4)[0].bound, 1);
}

TEST_F(ExpectationTest, Malformed) {
  EXPECT_EQ(load(), "cannot read " + folder +
                        "/expected.txt: No such file or directory");
  ASSERT_EQ(saveExpectation(folder, saved), "");
  write("qdelta 2\n");
  EXPECT_EQ(load(), folder + "/expected.txt: expected 'qdelta 1' to be its "
                             "first line, but got 'qdelta 2'");
  write("qdelta 1\n");
  EXPECT_EQ(load(), folder + "/expected.txt: expected outputs in it");
  for (const char *line :
       {"shape B=x", "shape B=1,Q=2", "seed x", "products f8", "output o",
        "output o -1", "output o inf", "more o 1", ""}) {
    write(std::string("qdelta 1\n") + line + "\n");
    EXPECT_EQ(load(),
              folder + "/expected.txt: cannot read the line '" + line + "'");
  }
  write("qdelta 1\noutput x 1\n");
  EXPECT_EQ(load(),
            "cannot read " + folder + "/x.npy: No such file or directory");
}

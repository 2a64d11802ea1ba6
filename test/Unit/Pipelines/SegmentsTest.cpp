//===- SegmentsTest.cpp - how many segments a sequence gets ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Dialect/QDelta/Transforms/Segments.h"

#include "gtest/gtest.h"

using namespace qdelta;

TEST(Segments, OneMoreThanAnItemHasThreads) {
  EXPECT_EQ(chooseSegments(/*items=*/1, /*tokens=*/8192, /*threads=*/2), 3);
  EXPECT_EQ(chooseSegments(2, 8192, 8), 5);
}

TEST(Segments, NoneAreShort) {
  EXPECT_EQ(chooseSegments(1, 3 * 512, 8), 3);
  EXPECT_EQ(chooseSegments(1, 3 * 512 - 1, 8), 1);
  EXPECT_EQ(chooseSegments(1, 0, 8), 1);
}

TEST(Segments, NoneWhereItemsFillTheThreads) {
  EXPECT_EQ(chooseSegments(1, 8192, 1), 1);
  EXPECT_EQ(chooseSegments(8, 8192, 8), 1);
  EXPECT_EQ(chooseSegments(0, 8192, 8), 1);
}

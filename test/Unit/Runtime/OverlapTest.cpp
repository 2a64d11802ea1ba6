//===- OverlapTest.cpp - views of one buffer, apart and not --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ToyKernel.h"

#include "gtest/gtest.h"

using toy::Array;
using toy::Call;

/// Makes an argument a view of `buffer` from element `offset`.
static void view(Array &array, std::vector<float> &buffer, size_t offset,
                 std::vector<int64_t> strides) {
  array.strides = std::move(strides);
  array.dl.data = buffer.data() + offset;
}

/// Places v [1, T, 1, 3] and o [1, T, 1, 3] in one buffer of rows.
static qdeltaErrorCode launchPacked(size_t offset, int64_t row) {
  Call call(1, 5, 1, 1);
  std::vector<float> buffer(100);
  view(call.arrays[toy::v], buffer, 0, {0, row, 0, 1});
  view(call.arrays[toy::o], buffer, offset, {0, row, 0, 1});
  call.launch();
  return call.code;
}

TEST(Overlap, FieldsOfPackedRows) {
  EXPECT_EQ(launchPacked(3, 6), QDELTA_OK);
  EXPECT_EQ(launchPacked(4, 8), QDELTA_OK);
  EXPECT_EQ(launchPacked(5, 8), QDELTA_OK);
  EXPECT_EQ(launchPacked(2, 6), QDELTA_ERROR_OVERLAP);
  EXPECT_EQ(launchPacked(4, 6), QDELTA_ERROR_OVERLAP);
  EXPECT_EQ(launchPacked(6, 6), QDELTA_ERROR_OVERLAP);
  EXPECT_EQ(launchPacked(0, 8), QDELTA_ERROR_OVERLAP);
}

TEST(Overlap, OneAfterTheOther) {
  EXPECT_EQ(launchPacked(15, 3), QDELTA_OK);
  EXPECT_EQ(launchPacked(14, 3), QDELTA_ERROR_OVERLAP);
}

TEST(Overlap, BackwardsInTime) {
  for (auto [field, code] :
       {std::pair(3, QDELTA_OK), std::pair(2, QDELTA_ERROR_OVERLAP)}) {
    Call call(1, 5, 1, 1);
    std::vector<float> buffer(100);
    view(call.arrays[toy::v], buffer, 0, {0, 6, 0, 1});
    view(call.arrays[toy::o], buffer, static_cast<size_t>(24 + field),
         {0, -6, 0, 1});
    call.launch();
    EXPECT_EQ(call.code, code);
  }
}

TEST(Overlap, HeadsInterleaved) {
  // Rows of 2 heads, each with v's 3 elements before o's 3.
  Call call(1, 5, 2, 2);
  std::vector<float> buffer(100);
  view(call.arrays[toy::v], buffer, 0, {0, 12, 6, 1});
  view(call.arrays[toy::o], buffer, 3, {0, 12, 6, 1});
  EXPECT_EQ(call.launch(), "");
}

//===- KernelArraysTest.cpp - arrays for a kernel's arguments -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "arrays/KernelArrays.h"

#include "gtest/gtest.h"

using namespace qdelta::tools;

static qdeltaArgument token(int32_t heads) {
  qdeltaArgument argument = {};
  argument.struct_size = sizeof(argument);
  argument.name = "v";
  argument.rank = 4;
  int64_t shape[] = {QDELTA_DIM_BATCH, QDELTA_DIM_TIME, QDELTA_DIM_HEADS, 5};
  std::copy(shape, shape + 4, argument.shape);
  argument.usual_heads = heads;
  return argument;
}

TEST(KernelArrays, Shapes) {
  std::vector<int64_t> shape;
  std::map<std::string, int64_t> sizes = {
      {"B", 1}, {"T", 2}, {"H", 3}, {"HV", 6}};
  EXPECT_EQ(shapeOf(token(0), sizes, shape), "");
  EXPECT_EQ(shape, (std::vector<int64_t>{1, 2, 3, 5}));
  EXPECT_EQ(shapeOf(token(QDELTA_DIM_HEADS), sizes, shape), "");
  EXPECT_EQ(shape, (std::vector<int64_t>{1, 2, 3, 5}));
  EXPECT_EQ(shapeOf(token(QDELTA_DIM_VALUE_HEADS), sizes, shape), "");
  EXPECT_EQ(shape, (std::vector<int64_t>{1, 2, 6, 5}));
  sizes.erase("HV");
  EXPECT_EQ(shapeOf(token(QDELTA_DIM_VALUE_HEADS), sizes, shape), "");
  EXPECT_EQ(shape, (std::vector<int64_t>{1, 2, 3, 5}));
  sizes.erase("T");
  EXPECT_EQ(shapeOf(token(0), sizes, shape), "expected --shape to give T");
}

TEST(KernelArrays, Emulation) {
  qdeltaLaunchOptions options = {};
  EXPECT_EQ(parseEmulation("lifo", options), "");
  EXPECT_EQ(options.schedule, 1);
  EXPECT_EQ(parseEmulation("random,early,12", options), "");
  EXPECT_EQ(options.schedule, 2);
  EXPECT_EQ(options.completion, 1);
  EXPECT_EQ(options.seed, 12u);
  EXPECT_EQ(parseEmulation("", options),
            "expected the schedule of --emulate to be one of fifo, lifo, "
            "random, but got ''");
  EXPECT_EQ(parseEmulation("fifo,now", options),
            "expected the completion of --emulate to be one of late, early, "
            "random, but got 'now'");
  EXPECT_EQ(parseEmulation("fifo,late,-1", options),
            "expected the seed of --emulate to be a number from 0 to 2^64 - 1, "
            "but got '-1'");
  EXPECT_EQ(parseEmulation("fifo,late,1,2", options),
            "expected --emulate schedule[,completion[,seed]], but got "
            "'fifo,late,1,2'");
}

TEST(KernelArrays, Counts) {
  qdeltaCounts counts = {};
  counts.bytes_read = 30;
  counts.bytes_written = 15;
  counts.mma = 7;
  EXPECT_EQ(formatCounts(counts, 10),
            "memory: 4.5 bytes a token and head; instructions: 7 mma.sync, 0 "
            "wgmma, 0 cp.async, 0 bulk copies, 0 barriers");
}

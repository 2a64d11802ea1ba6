//===- NpyTest.cpp - reading and writing .npy files ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Npy.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

using namespace qdelta::tools;
using llvm::StringRef;
using qdelta::reference::roundTo;

/// A file of format `version` with that header and data.
static std::string file(StringRef header, StringRef data, char version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += version;
  bytes += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    bytes += static_cast<char>(header.size() >> (8 * i));
  return bytes + header.str() + data.str();
}

static std::string errorOf(StringRef bytes, Format format = Format::F32) {
  auto tensor = parseNpy(bytes, "x.npy", format);
  return tensor ? "" : llvm::toString(tensor.takeError());
}

static std::string header(StringRef descr, StringRef order, StringRef shape) {
  return ("{'descr': '" + descr + "', 'fortran_order': " + order +
          ", 'shape': " + shape + ", }\n")
      .str();
}

TEST(Npy, RoundTrip) {
  for (const std::vector<int64_t> &shape :
       {std::vector<int64_t>{}, {3}, {2, 0, 4}, {2, 3, 1}}) {
    FloatTensor tensor{shape, {}};
    size_t count = 1;
    for (int64_t size : shape)
      count *= static_cast<size_t>(size);
    for (size_t i = 0; i < count; ++i)
      tensor.data.push_back(1.5 * static_cast<double>(i) - 2);
    std::string bytes = formatNpy(tensor);
    auto again = parseNpy(bytes, "x.npy");
    ASSERT_TRUE(static_cast<bool>(again));
    EXPECT_EQ(again->shape, tensor.shape);
    EXPECT_EQ(again->data, tensor.data);
    EXPECT_EQ((bytes.size() - 4 * count) % 64, 0u);
  }
}

TEST(Npy, Versions) {
  for (char version : {1, 2, 3}) {
    auto tensor = parseNpy(file(header("<f4", "False", "(1,)"),
                                StringRef("\0\0\x80\x3f", 4), version),
                           "x.npy");
    ASSERT_TRUE(static_cast<bool>(tensor));
    EXPECT_EQ(tensor->data, std::vector<double>{1.0});
  }
}

TEST(Npy, Float64IsRounded) {
  double values[] = {1.0 / 3, -INFINITY};
  StringRef data(reinterpret_cast<char *>(values), sizeof(values));
  auto tensor = parseNpy(file(header("<f8", "False", "(2,)"), data), "x.npy");
  ASSERT_TRUE(static_cast<bool>(tensor));
  EXPECT_EQ(tensor->data[0], 1.0f / 3);
  EXPECT_EQ(tensor->data[1], -INFINITY);
}

TEST(Npy, Float64IsKept) {
  FloatTensor tensor{{3}, {1.0 / 3, -INFINITY, 0x1p-1074}};
  std::string bytes = formatNpy(tensor, Format::F64);
  EXPECT_NE(bytes.find("'<f8'"), std::string::npos);
  auto again = parseNpy(bytes, "x.npy", Format::F64);
  ASSERT_TRUE(static_cast<bool>(again));
  EXPECT_EQ(again->data, tensor.data);
  auto single = parseNpy(formatNpy(tensor), "x.npy", Format::F64);
  ASSERT_TRUE(static_cast<bool>(single));
  EXPECT_EQ(single->data[0], 1.0f / 3);
}

TEST(Npy, WrongKind) {
  EXPECT_EQ(errorOf(file(header(">f4", "False", "(1,)"), "abcd")),
            "x.npy: expected dtype '<f4' or '<f8', but got '>f4'");
  EXPECT_EQ(errorOf(file(header("<i8", "False", "(1,)"), "abcdefgh")),
            "x.npy: expected dtype '<f4' or '<f8', but got '<i8'");
  EXPECT_EQ(errorOf(file(header("<f4", "True", "(1,)"), "abcd")),
            "x.npy: expected C order, but got Fortran order; save "
            "numpy.ascontiguousarray of the array");
}

TEST(Npy, Narrow) {
  for (Format format : {Format::BF16, Format::F16}) {
    FloatTensor tensor{{2, 2}, {1.0f / 3, -INFINITY, -0.0f, 1e-6f}};
    std::string bytes = formatNpy(tensor, format);
    EXPECT_NE(bytes.find(format == Format::F16 ? "'<f2'" : "'<V2'"),
              std::string::npos);
    auto again = parseNpy(bytes, "x.npy", format);
    ASSERT_TRUE(static_cast<bool>(again));
    EXPECT_EQ(again->shape, tensor.shape);
    for (size_t i = 0; i < 4; ++i)
      EXPECT_EQ(again->data[i], roundTo(format, tensor.data[i]));
  }
  for (StringRef descr : {"<V2", "|V2", "<u2"}) {
    auto tensor = parseNpy(file(header(descr, "False", "(1,)"), "\xc0\x3f"),
                           "x.npy", Format::BF16);
    ASSERT_TRUE(static_cast<bool>(tensor));
    EXPECT_EQ(tensor->data, std::vector<double>{1.5});
  }
}

TEST(Npy, WrongFormat) {
  std::string single = formatNpy({{}, {1}});
  EXPECT_EQ(errorOf(single, Format::F16),
            "x.npy: expected dtype '<f2' for f16, but got '<f4'");
  EXPECT_EQ(errorOf(single, Format::BF16),
            "x.npy: expected dtype '<V2' or '|V2' or '<u2' for bf16, but got "
            "'<f4'");
  EXPECT_EQ(errorOf(formatNpy({{}, {1}}, Format::F16)),
            "x.npy: expected dtype '<f4' or '<f8', but got '<f2'");
}

TEST(Npy, WrongSize) {
  std::string head = header("<f4", "False", "(2, 3)");
  EXPECT_EQ(errorOf(file(head, "abcd")),
            "x.npy: expected 24 bytes of data, but got 4");
  EXPECT_EQ(errorOf(file(head, std::string(25, 'x'))),
            "x.npy: expected 24 bytes of data, but got 25");
  EXPECT_EQ(
      errorOf(file(header("<f4", "False", "(4294967296, 4294967296)"), "")),
      "x.npy: the sizes of its shape overflow");
  EXPECT_EQ(errorOf(file(header("<f8", "False", "(2305843009213693952,)"), "")),
            "x.npy: the sizes of its shape overflow");
}

TEST(Npy, NoHeader) {
  EXPECT_EQ(errorOf("hello"),
            "x.npy: expected a .npy file of format 1, 2 or 3, but its header "
            "is missing");
  EXPECT_EQ(errorOf(file("{}", "", 9)),
            "x.npy: expected a .npy file of format 1, 2 or 3, but its header "
            "is malformed");
  EXPECT_EQ(errorOf(file("{'descr': 3}", "")),
            "x.npy: expected a header with descr, fortran_order and shape, "
            "but got '{'descr': 3}'");
}

TEST(Npy, MalformedHeaders) {
  for (StringRef text :
       {"", "{", "}", "{'descr'", "{'descr': '<f4'", "{'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': "
        "(99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} tail"})
    EXPECT_NE(errorOf(file(text, "abcd")), "") << text.str();
}

TEST(Npy, EveryPrefixIsAnError) {
  std::string bytes = formatNpy({{2, 3}, {1, 2, 3, 4, 5, 6}});
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_NE(errorOf(StringRef(bytes).take_front(size)), "") << size;
}

TEST(Npy, NoByteCrashes) {
  // Every value of every header byte: an error or a tensor, but no crash.
  std::string bytes = formatNpy({{2, 3}, {1, 2, 3, 4, 5, 6}});
  for (size_t i = 0; i < bytes.size() - 24; ++i)
    for (int value = 0; value < 256; ++value) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(value);
      errorOf(changed);
    }
}

TEST(Npy, MissingFile) {
  auto tensor = readNpy("/nowhere/x.npy", Format::F32);
  ASSERT_FALSE(static_cast<bool>(tensor));
  EXPECT_EQ(llvm::toString(tensor.takeError()),
            "cannot read /nowhere/x.npy: No such file or directory");
  EXPECT_EQ(llvm::toString(writeNpy("/nowhere/x.npy", {{}, {1}}, Format::F32)),
            "cannot write /nowhere/x.npy: No such file or directory");
}

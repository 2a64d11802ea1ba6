//===- Arrays.cpp - tensors, without LLVM --------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

using namespace qdelta::artefact;

namespace {
constexpr char magic[] = "\x93NUMPY\x01";
constexpr size_t prefixBytes = 10;

bool isBfloat(DLDataType type) { return type.code == kDLBfloat; }

const char *nameOf(DLDataType type) {
  if (type.bits == 64)
    return "<f8";
  return type.bits == 32 ? "<f4" : isBfloat(type) ? "<V2" : "<f2";
}

uint16_t toBfloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  if (std::isnan(value))
    return static_cast<uint16_t>(bits >> 16 | 0x40);
  // To nearest, ties to even.
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

std::string headerOf(const Array &array) {
  std::string shape;
  for (int64_t size : array.shape)
    shape += std::to_string(size) + ", ";
  std::string text = "{'descr': '" + std::string(nameOf(array.dtype)) +
                     "', 'fortran_order': False, 'shape': (" + shape + "), }";
  text.append(64 - (prefixBytes + text.size() + 1) % 64, ' ');
  text += '\n';
  std::string header(magic, 7);
  header += '\0';
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

/// What stands between `begin` and `end` in the text, without blanks.
std::string between(const std::string &text, const std::string &begin,
                    const std::string &end) {
  size_t from = text.find(begin);
  if (from == std::string::npos)
    return "";
  from += begin.size();
  size_t to = text.find(end, from);
  std::string result;
  for (char c : text.substr(from, to == std::string::npos ? 0 : to - from))
    if (c != ' ')
      result += c;
  return result;
}
} // namespace

int64_t Array::size() const {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

bool Array::allocate() {
  int64_t count = dtype.bits / 8;
  for (int64_t extent : shape)
    if (__builtin_mul_overflow(count, extent, &count) || count >= int64_t(1)
                                                                      << 40)
      return false;
  bytes.resize(static_cast<size_t>(count));
  return true;
}

double Array::get(int64_t index) const {
  size_t width = dtype.bits / 8;
  const char *at = bytes.data() + static_cast<size_t>(index) * width;
  if (dtype.bits == 64) {
    double value;
    std::memcpy(&value, at, sizeof(value));
    return value;
  }
  if (dtype.bits == 16 && !isBfloat(dtype)) {
    _Float16 half;
    std::memcpy(&half, at, sizeof(half));
    return static_cast<double>(half);
  }
  // A bfloat16 is the upper half of a float32.
  float value = 0;
  std::memcpy(reinterpret_cast<char *>(&value) + sizeof(value) - width, at,
              width);
  return value;
}

void Array::set(int64_t index, double number) {
  size_t width = dtype.bits / 8;
  char *at = bytes.data() + static_cast<size_t>(index) * width;
  auto value = static_cast<float>(number);
  if (dtype.bits == 64) {
    std::memcpy(at, &number, sizeof(number));
  } else if (dtype.bits == 32) {
    std::memcpy(at, &value, sizeof(value));
  } else if (isBfloat(dtype)) {
    uint16_t bits = toBfloat(value);
    std::memcpy(at, &bits, sizeof(bits));
  } else {
    auto half = static_cast<_Float16>(value);
    std::memcpy(at, &half, sizeof(half));
  }
}

std::string qdelta::artefact::formatShape(const std::vector<int64_t> &shape) {
  std::string text;
  for (int64_t extent : shape)
    text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + text + "]";
}

std::string qdelta::artefact::readNpy(const std::string &path, Array &array) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return "cannot read " + path + ": " + std::strerror(errno);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.size() < prefixBytes || text.compare(0, 7, magic, 7) != 0)
    return path + " is no .npy file of format 1";
  size_t length = static_cast<unsigned char>(text[8]) |
                  static_cast<size_t>(static_cast<unsigned char>(text[9])) << 8;
  std::string header = text.substr(prefixBytes, length);
  std::string wanted = nameOf(array.dtype);
  std::string found = between(header, "'descr': '", "'");
  if (found != wanted && !(isBfloat(array.dtype) && found == "<u2"))
    return "expected " + path + " to have elements '" + wanted +
           "', but got '" + found + "'";
  if (between(header, "'fortran_order':", ",") != "False")
    return "expected " + path + " to be in C order";
  std::string shape;
  for (int64_t extent : array.shape)
    shape += std::to_string(extent) + ",";
  found = between(header, "'shape': (", ")");
  if (found != shape && found + "," != shape)
    return "expected " + path + " to have shape " + formatShape(array.shape) +
           ", but got [" + found + "]";
  if (text.size() != prefixBytes + length + array.bytes.size())
    return "expected " + path + " to have " +
           std::to_string(array.bytes.size()) + " bytes of elements";
  std::memcpy(array.bytes.data(), text.data() + prefixBytes + length,
              array.bytes.size());
  return "";
}

std::string qdelta::artefact::writeNpy(const std::string &path,
                                       const Array &array) {
  std::ofstream file(path, std::ios::binary);
  std::string header = headerOf(array);
  file.write(header.data(), static_cast<std::streamsize>(header.size()));
  file.write(array.bytes.data(),
             static_cast<std::streamsize>(array.bytes.size()));
  file.close();
  return file ? "" : "cannot write " + path + ": " + std::strerror(errno);
}

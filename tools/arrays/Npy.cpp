//===- Npy.cpp - arrays in NumPy's .npy files ----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "arrays/Array.h"

#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>

using namespace qdelta::tools;
namespace reference = qdelta::reference;
using std::string_view;

static_assert(std::endian::native == std::endian::little);
static constexpr string_view magic("\x93NUMPY", 6);
static constexpr string_view blanks = " \t\n\v\f\r";

static string_view trimLeft(string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text;
}

namespace {
/// The fields of the header's dictionary; `seen` counts the keys.
struct Header {
  std::string descr;
  bool fortranOrder = false;
  std::vector<int64_t> shape;
  unsigned seen = 0;
};

/// Reads the header, a Python dictionary literal with three known keys.
class HeaderParser {
public:
  HeaderParser(string_view text, Header &header) : text(text), header(header) {}

  /// Returns whether the text is such a dictionary.
  bool parse() {
    if (!take("{"))
      return false;
    while (!take("}")) {
      std::string key;
      if (!string(key) || !take(":") || !value(key))
        return false;
      if (!take(",")) {
        if (!take("}"))
          return false;
        break;
      }
    }
    return trimLeft(text).empty() && header.seen == 3;
  }

private:
  bool take(string_view token) {
    text = trimLeft(text);
    if (!text.starts_with(token))
      return false;
    text.remove_prefix(token.size());
    return true;
  }

  bool string(std::string &result) {
    text = trimLeft(text);
    if (text.empty() || (text[0] != '\'' && text[0] != '"'))
      return false;
    size_t end = text.find(text[0], 1);
    if (end == string_view::npos)
      return false;
    result = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return true;
  }

  bool value(string_view key) {
    ++header.seen;
    if (key == "descr")
      return string(header.descr);
    if (key == "shape")
      return shape();
    if (key != "fortran_order")
      return false;
    header.fortranOrder = take("True");
    return header.fortranOrder || take("False");
  }

  bool shape() {
    if (!take("("))
      return false;
    while (!take(")")) {
      int64_t size;
      text = trimLeft(text);
      auto [end, error] =
          std::from_chars(text.data(), text.data() + text.size(), size);
      if (error != std::errc() || size < 0)
        return false;
      text.remove_prefix(static_cast<size_t>(end - text.data()));
      header.shape.push_back(size);
      if (!take(","))
        return take(")");
    }
    return true;
  }

  string_view text;
  Header &header;
};
} // namespace

/// Splits a file into its header's text and its data. Returns whether it has
/// both.
static bool split(string_view bytes, string_view &header, string_view &data) {
  if (!bytes.starts_with(magic) || bytes.size() < magic.size() + 4)
    return false;
  auto version = static_cast<unsigned char>(bytes[magic.size()]);
  size_t width = version == 1 ? 2 : 4;
  bytes.remove_prefix(magic.size() + 2);
  if (version < 1 || version > 3 || bytes.size() < width)
    return false;
  uint32_t length = 0;
  std::memcpy(&length, bytes.data(), width);
  bytes.remove_prefix(width);
  if (bytes.size() < length)
    return false;
  header = bytes.substr(0, length);
  data = bytes.substr(length);
  return true;
}

/// The names of the element types that `format` is read from; the first is what
/// is written.
static std::vector<string_view> descriptionsOf(Format format) {
  switch (format) {
  case Format::F16:
    return {"<f2"};
  case Format::BF16:
    return {"<V2", "|V2", "<u2"};
  case Format::F64:
    return {"<f8", "<f4"};
  case Format::I32:
    return {"<i4", "<i8"};
  case Format::I64:
    return {"<i8", "<i4"};
  case Format::F32:
  case Format::TF32:
    break;
  }
  return {"<f4", "<f8"};
}

/// Reads an element at `from` and moves on.
template <typename T>
static T take(const char *&from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  from += sizeof(value);
  return value;
}

static double takeElement(const char *&from, int64_t width, Format format) {
  if (format == Format::I32 || format == Format::I64)
    return width == 4 ? take<int32_t>(from)
                      : static_cast<double>(take<int64_t>(from));
  if (width == 2)
    return reference::fromBits(format, take<uint16_t>(from));
  return width == 4 ? take<float>(from)
                    : reference::roundTo(format, take<double>(from));
}

/// The first characters of a header, for a message.
static std::string quote(string_view text) {
  text = trimLeft(text);
  text = text.substr(0, text.find_last_not_of(blanks) + 1).substr(0, 80);
  std::string result;
  for (char c : text) {
    bool isPlain = c >= ' ' && c <= '~' && c != '\\' && c != '"';
    constexpr char digits[] = "0123456789ABCDEF";
    auto code = static_cast<unsigned char>(c);
    if (isPlain)
      result += c;
    else
      result += {'\\', digits[code >> 4], digits[code & 15]};
  }
  return "'" + result + "'";
}

std::optional<size_t>
qdelta::tools::countElements(const std::vector<int64_t> &shape) {
  int64_t count = 1, bytes;
  for (int64_t size : shape)
    if (__builtin_mul_overflow(count, size, &count))
      return std::nullopt;
  if (__builtin_mul_overflow(count, int64_t(sizeof(double)), &bytes))
    return std::nullopt;
  return static_cast<size_t>(count);
}

std::string qdelta::tools::formatShape(const std::vector<int64_t> &shape) {
  std::string text;
  for (int64_t size : shape)
    text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

/// Checks what the header says against what can be read.
static std::string checkHeader(const Header &header, Format format) {
  std::string known;
  bool isKnown = false;
  for (string_view name : descriptionsOf(format)) {
    known += (known.empty() ? "'" : " or '") + std::string(name) + "'";
    isKnown |= name == header.descr;
  }
  if (format != Format::F32)
    known += " for " + std::string(reference::formatName(format));
  if (!isKnown)
    return "expected dtype " + known + ", but got '" + header.descr + "'";
  if (header.fortranOrder)
    return "expected C order, but got Fortran order; save "
           "numpy.ascontiguousarray of the array";
  return countElements(header.shape) ? "" : "the sizes of its shape overflow";
}

std::string qdelta::tools::parseNpy(string_view bytes, const std::string &name,
                                    Array &array) {
  string_view text, data;
  if (!split(bytes, text, data))
    return name +
           ": expected a .npy file of format 1, 2 or 3, but its header is " +
           (bytes.starts_with(magic) ? "malformed" : "missing");
  Header header;
  if (!HeaderParser(text, header).parse())
    return name +
           ": expected a header with descr, fortran_order and shape, but got " +
           quote(text);
  if (std::string problem = checkHeader(header, array.format); !problem.empty())
    return name + ": " + problem;
  int64_t width = header.descr.back() - '0';
  size_t count = *countElements(header.shape);
  size_t size = count * static_cast<size_t>(width);
  if (data.size() != size)
    return name + ": expected " + std::to_string(size) +
           " bytes of data, but got " + std::to_string(data.size());
  array.shape = header.shape;
  array.data.clear();
  array.data.reserve(count);
  const char *from = data.data();
  for (size_t i = 0; i < count; ++i)
    array.data.push_back(takeElement(from, width, array.format));
  return "";
}

std::string qdelta::tools::formatNpy(const Array &array) {
  std::string text = "{'descr': '" +
                     std::string(descriptionsOf(array.format)[0]) +
                     "', 'fortran_order': False, 'shape': (";
  for (int64_t size : array.shape)
    text += std::to_string(size) + ", ";
  text += "), }";
  // The data begin at a multiple of 64 bytes.
  size_t before = magic.size() + 4;
  text.append(63 - (before + text.size()) % 64, ' ');
  text += '\n';
  std::string result(magic);
  result += {'\x01', '\x00', static_cast<char>(text.size() & 255),
             static_cast<char>(text.size() >> 8)};
  result += text;
  size_t begin = result.size();
  auto width = static_cast<size_t>(reference::formatBytes(array.format));
  result.resize(begin + array.data.size() * width);
  storeElements(array.data, array.format, result.data() + begin);
  return result;
}

std::string qdelta::tools::readNpy(const std::string &path, Array &array) {
  std::string bytes;
  std::FILE *file = std::fopen(path.c_str(), "rb");
  if (!file)
    return "cannot read " + path + ": " + std::strerror(errno);
  char block[1 << 16];
  while (size_t size = std::fread(block, 1, sizeof(block), file))
    bytes.append(block, size);
  // Opening a folder works, reading it does not.
  int error = std::ferror(file) ? errno : 0;
  std::fclose(file);
  return error ? "cannot read " + path + ": " + std::strerror(error)
               : parseNpy(bytes, path, array);
}

std::string qdelta::tools::writeNpy(const std::string &path,
                                    const Array &array) {
  std::ofstream file(path, std::ios::binary);
  std::string bytes = formatNpy(array);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  return file ? "" : "cannot write " + path + ": " + std::strerror(errno);
}

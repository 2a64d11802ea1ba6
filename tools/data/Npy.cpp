//===- Npy.cpp - arrays in NumPy's .npy files ----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Npy.h"
#include "data/Failure.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace qdelta;
using namespace qdelta::tools;
using llvm::StringRef;

static constexpr StringRef magic("\x93NUMPY", 6);

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
  HeaderParser(StringRef text, Header &header) : text(text), header(header) {}

  /// Returns whether the text is such a dictionary.
  bool parse() {
    if (!take('{'))
      return false;
    while (!take('}')) {
      std::string key;
      if (!string(key) || !take(':') || !value(key))
        return false;
      if (!take(',')) {
        if (!take('}'))
          return false;
        break;
      }
    }
    return text.trim().empty() && header.seen == 3;
  }

private:
  bool take(char c) {
    text = text.ltrim();
    return text.consume_front(StringRef(&c, 1));
  }

  bool string(std::string &result) {
    text = text.ltrim();
    if (text.empty() || (text[0] != '\'' && text[0] != '"'))
      return false;
    size_t end = text.find(text[0], 1);
    if (end == StringRef::npos)
      return false;
    result = text.slice(1, end).str();
    text = text.drop_front(end + 1);
    return true;
  }

  bool value(StringRef key) {
    ++header.seen;
    if (key == "descr")
      return string(header.descr);
    if (key == "shape")
      return shape();
    if (key != "fortran_order")
      return false;
    text = text.ltrim();
    header.fortranOrder = text.starts_with("True");
    return text.consume_front("True") || text.consume_front("False");
  }

  bool shape() {
    if (!take('('))
      return false;
    while (!take(')')) {
      int64_t size;
      text = text.ltrim();
      if (text.consumeInteger(10, size) || size < 0)
        return false;
      header.shape.push_back(size);
      if (!take(','))
        return take(')');
    }
    return true;
  }

  StringRef text;
  Header &header;
};
} // namespace

/// Splits a file into its header's text and its data. Returns whether it has
/// both.
static bool split(StringRef bytes, StringRef &header, StringRef &data) {
  if (!bytes.consume_front(magic) || bytes.size() < 4)
    return false;
  unsigned version = static_cast<unsigned char>(bytes[0]);
  size_t width = version == 1 ? 2 : 4;
  bytes = bytes.drop_front(2);
  if (version < 1 || version > 3 || bytes.size() < width)
    return false;
  size_t length = width == 2 ? llvm::support::endian::read16le(bytes.data())
                             : llvm::support::endian::read32le(bytes.data());
  bytes = bytes.drop_front(width);
  if (bytes.size() < length)
    return false;
  header = bytes.take_front(length);
  data = bytes.drop_front(length);
  return true;
}

/// The number of elements, if it fits.
static std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    if (llvm::MulOverflow(count, size, count))
      return std::nullopt;
  return count;
}

/// The names of the element types that `format` is read from; the first is what
/// is written.
static llvm::ArrayRef<StringRef> descriptionsOf(Format format) {
  static constexpr StringRef single[] = {"<f4", "<f8"};
  static constexpr StringRef doubled[] = {"<f8", "<f4"};
  static constexpr StringRef half[] = {"<f2"};
  static constexpr StringRef brain[] = {"<V2", "|V2", "<u2"};
  switch (format) {
  case Format::F32:
  case Format::TF32:
    return single;
  case Format::F64:
    return doubled;
  case Format::F16:
    return half;
  case Format::BF16:
    return brain;
  }
  llvm_unreachable("no such format");
}

/// The element of `width` bytes at `p`.
static double readElement(const char *p, int64_t width, Format format) {
  using namespace llvm::support::endian;
  if (width == 2)
    return reference::fromBits(format, read16le(p));
  if (width == 4)
    return llvm::bit_cast<float>(read32le(p));
  return reference::roundTo(format, llvm::bit_cast<double>(read64le(p)));
}

llvm::Expected<FloatTensor>
qdelta::tools::parseNpy(StringRef bytes, StringRef name, Format format) {
  auto fail = [&](const llvm::Twine &what) {
    return userError(name + ": " + what);
  };
  StringRef text, data;
  if (!split(bytes, text, data))
    return fail(
        "expected a .npy file of format 1, 2 or 3, but its header is " +
        llvm::Twine(bytes.starts_with(magic) ? "malformed" : "missing"));
  Header header;
  if (!HeaderParser(text, header).parse()) {
    std::string found;
    llvm::raw_string_ostream os(found);
    llvm::printEscapedString(text.trim().take_front(80), os);
    return fail("expected a header with descr, fortran_order and shape, but "
                "got '" +
                found + "'");
  }
  llvm::ArrayRef<StringRef> known = descriptionsOf(format);
  if (!llvm::is_contained(known, header.descr))
    return fail("expected dtype '" + llvm::join(known, "' or '") + "'" +
                (format == Format::F32 ? "" : " for ") +
                (format == Format::F32 ? "" : reference::formatName(format)) +
                ", but got '" + header.descr + "'");
  if (header.fortranOrder)
    return fail("expected C order, but got Fortran order; save "
                "numpy.ascontiguousarray of the array");
  int64_t width = header.descr.back() - '0', size;
  std::optional<int64_t> count = countElements(header.shape);
  if (!count || llvm::MulOverflow(*count, width, size))
    return fail("the sizes of its shape overflow");
  if (data.size() != static_cast<uint64_t>(size))
    return fail("expected " + llvm::Twine(size) + " bytes of data, but got " +
                llvm::Twine(data.size()));
  FloatTensor tensor;
  tensor.shape = header.shape;
  tensor.data.reserve(static_cast<size_t>(*count));
  for (const char *p = data.begin(); p != data.end(); p += width)
    tensor.data.push_back(readElement(p, width, format));
  return tensor;
}

std::string qdelta::tools::formatNpy(const FloatTensor &tensor, Format format) {
  std::string text = "{'descr': '" + descriptionsOf(format)[0].str() +
                     "', 'fortran_order': False, 'shape': (";
  for (int64_t size : tensor.shape)
    text += std::to_string(size) + ", ";
  text += "), }";
  // The data begin at a multiple of 64 bytes.
  size_t before = magic.size() + 4;
  text.resize(llvm::alignTo(before + text.size() + 1, 64) - before - 1, ' ');
  text += '\n';
  std::string result = (magic + StringRef("\x01\x00", 2)).str();
  result += static_cast<char>(text.size() & 255);
  result += static_cast<char>(text.size() >> 8);
  result += text;
  for (double x : tensor.data) {
    char bytes[8];
    auto single = static_cast<float>(x);
    if (format == Format::F64)
      llvm::support::endian::write64le(bytes, llvm::bit_cast<uint64_t>(x));
    else if (format == Format::F32)
      llvm::support::endian::write32le(bytes, llvm::bit_cast<uint32_t>(single));
    else
      llvm::support::endian::write16le(bytes,
                                       reference::toBits(format, single));
    result.append(bytes, static_cast<size_t>(reference::formatBytes(format)));
  }
  return result;
}

llvm::Expected<FloatTensor> qdelta::tools::readNpy(StringRef path,
                                                   Format format) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return userError("cannot read " + path + ": " + file.getError().message());
  return parseNpy((*file)->getBuffer(), path, format);
}

llvm::Error qdelta::tools::writeNpy(StringRef path, const FloatTensor &tensor,
                                    Format format) {
  std::error_code code;
  llvm::raw_fd_ostream file(path, code);
  if (!code) {
    file << formatNpy(tensor, format);
    file.close();
    code = file.error();
    file.clear_error();
  }
  if (code)
    return userError("cannot write " + path + ": " + code.message());
  return llvm::Error::success();
}

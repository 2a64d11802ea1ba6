//===- OffloadEntries.cpp - LLVM's offload binary format, read ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "OffloadEntries.h"
#include "qdelta/Runtime/ArtefactFormat.h"

#include <charconv>
#include <cstdint>
#include <cstring>
#include <zlib.h>

using namespace qdelta::runtime;

namespace {
// The structures of llvm/Object/OffloadBinary.h, version 1.
struct Header {
  unsigned char magic[4];
  uint32_t version;
  uint64_t size, entryOffset, entrySize;
};

struct Entry {
  uint16_t imageKind, offloadKind;
  uint32_t flags;
  uint64_t stringOffset, numStrings, imageOffset, imageSize;
};

struct StringEntry {
  uint64_t keyOffset, valueOffset;
};

constexpr unsigned char magic[4] = {0x10, 0xFF, 0x10, 0xAD};
constexpr uint64_t maxStrings = 1 << 20;

/// Reads a structure at `offset`; false if it does not lie in the bytes.
template <typename T>
bool readAt(std::string_view bytes, uint64_t offset, T &value) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T))
    return false;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return true;
}

/// The string at `offset`, which ends with a zero byte; false if there is none.
bool readString(std::string_view bytes, uint64_t offset,
                std::string_view &text) {
  if (offset >= bytes.size())
    return false;
  std::string_view rest = bytes.substr(offset);
  size_t end = rest.find('\0');
  if (end == std::string_view::npos)
    return false;
  text = rest.substr(0, end);
  return true;
}

/// Reads the strings and the image of the entry that is all of `bytes`.
std::string readEntry(std::string_view bytes, const Header &header,
                      OffloadEntry &result) {
  Entry entry;
  if (header.entrySize != sizeof(Entry) ||
      !readAt(bytes, header.entryOffset, entry))
    return "its description is out of bounds";
  if (entry.imageOffset > bytes.size() ||
      bytes.size() - entry.imageOffset < entry.imageSize)
    return "its code is out of bounds";
  result.image = bytes.substr(entry.imageOffset, entry.imageSize);
  if (entry.numStrings > maxStrings)
    return "it has too many strings";
  for (uint64_t i = 0; i < entry.numStrings; ++i) {
    StringEntry string;
    std::string_view key, value;
    // The offset cannot wrap: the entry's size is checked, i is small.
    if (entry.stringOffset > bytes.size() ||
        !readAt(bytes, entry.stringOffset + i * sizeof(StringEntry), string) ||
        !readString(bytes, string.keyOffset, key) ||
        !readString(bytes, string.valueOffset, value))
      return "its strings are out of bounds";
    if (!result.strings.emplace(key, value).second)
      return "it has the string '" + std::string(key) + "' twice";
  }
  return "";
}

/// The CRC of the entry with stars in the place of its own digits.
uint32_t checksumOf(std::string_view bytes, size_t digits) {
  static constexpr unsigned char stars[] = "********";
  auto add = [&](uLong crc, size_t begin, size_t end) {
    return crc32_z(
        crc, reinterpret_cast<const unsigned char *>(bytes.data()) + begin,
        end - begin);
  };
  using namespace artefact;
  uLong crc = add(crc32_z(0, nullptr, 0), 0, digits);
  crc = crc32_z(crc, stars, kChecksumDigits);
  return static_cast<uint32_t>(
      add(crc, digits + kChecksumDigits, bytes.size()));
}

std::string verifyChecksum(std::string_view bytes, const OffloadEntry &entry) {
  using namespace artefact;
  std::string_view text = entry.get("checksum");
  if (text.size() != kNoChecksum.size() ||
      text.substr(0, kChecksumPrefix.size()) != kChecksumPrefix)
    return "it has no checksum";
  std::string_view digits = text.substr(kChecksumPrefix.size());
  uint32_t wanted = 0;
  auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), wanted, 16);
  // The digits are lower case, so that no other bytes say the same.
  if (error != std::errc() || end != digits.data() + digits.size() ||
      digits.find_first_of("ABCDEF") != std::string_view::npos)
    return "its checksum is no number";
  size_t position = static_cast<size_t>(digits.data() - bytes.data());
  return checksumOf(bytes, position) == wanted ? ""
                                               : "its checksum does not match";
}

/// Checks "2/5": that this is the entry expected, of as many as the first says.
std::string checkNumber(const OffloadEntry &entry, size_t index,
                        int64_t &total) {
  std::string_view text = entry.get("number");
  size_t slash = text.find('/');
  int64_t number, count;
  if (slash == std::string_view::npos ||
      !readNumber(text.substr(0, slash), artefact::kMaxEntries, number) ||
      !readNumber(text.substr(slash + 1), artefact::kMaxEntries, count))
    return "it has no number";
  if (index == 0)
    total = count;
  if (static_cast<size_t>(number) != index + 1 || count != total)
    return "it is numbered " + std::string(text);
  return "";
}
} // namespace

std::string_view OffloadEntry::get(const std::string &key) const {
  auto found = strings.find(key);
  return found == strings.end() ? std::string_view() : found->second;
}

bool qdelta::runtime::readNumber(std::string_view text, int64_t most,
                                 int64_t &number) {
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() &&
         number >= 0 && number <= most;
}

std::string qdelta::runtime::readEntries(std::string_view bytes,
                                         std::vector<OffloadEntry> &entries) {
  int64_t total = 0;
  while (!bytes.empty()) {
    size_t index = entries.size();
    auto fail = [&](const std::string &problem) {
      return "entry " + std::to_string(index + 1) + ": " + problem;
    };
    Header header;
    if (!readAt(bytes, 0, header))
      return fail("it is cut short");
    if (std::memcmp(header.magic, magic, sizeof(magic)) != 0)
      return index ? fail("it does not begin like one")
                   : std::string("this is no qdelta artefact");
    if (header.version != 1)
      return fail("expected version 1 of the format, but got " +
                  std::to_string(header.version));
    if (header.size < sizeof(Header) || header.size > bytes.size())
      return fail("it is cut short");
    std::string_view own = bytes.substr(0, header.size);
    OffloadEntry &entry = entries.emplace_back();
    std::string problem = readEntry(own, header, entry);
    if (problem.empty())
      problem = verifyChecksum(own, entry);
    if (problem.empty())
      problem = checkNumber(entry, index, total);
    if (!problem.empty())
      return fail(problem);
    if (std::string_view version = entry.get("qdelta");
        version != artefact::kVersion && version != artefact::kFirstVersion)
      return fail("expected version " + std::string(artefact::kVersion) +
                  " of its description, but got '" +
                  std::string(entry.get("qdelta")) + "'");
    bytes.remove_prefix(header.size);
  }
  if (entries.empty())
    return "it is empty";
  if (static_cast<int64_t>(entries.size()) != total)
    return "expected " + std::to_string(total) + " entries, but got " +
           std::to_string(entries.size());
  return "";
}

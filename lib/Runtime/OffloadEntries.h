//===- OffloadEntries.h - entries of an artefact ----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_OFFLOADENTRIES_H
#define QDELTA_LIB_RUNTIME_OFFLOADENTRIES_H

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qdelta::runtime {

/// One entry; everything points into the artefact's bytes.
struct OffloadEntry {
  std::map<std::string_view, std::string_view> strings;
  std::string_view image;

  /// The value of a key; "" if there is none.
  std::string_view get(const std::string &key) const;
};

/// Splits an artefact into entries and verifies their numbers and checksums.
/// Returns what is wrong, "" for nothing.
std::string readEntries(std::string_view bytes,
                        std::vector<OffloadEntry> &entries);

/// A decimal number from 0 to `most` that is all of `text`; false if it is not.
bool readNumber(std::string_view text, int64_t most, int64_t &number);

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_OFFLOADENTRIES_H

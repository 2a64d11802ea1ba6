//===- ChooseCode.cpp - which code runs on a GPU --------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ChooseCode.h"

#include <charconv>

using namespace qdelta::runtime;

namespace {
/// A target such as sm_90a: 90, and `a`, `f` or zero.
struct Target {
  int number = 0;
  char suffix = 0;
};
} // namespace

/// Reads a target's name; false for one of another form.
static bool readTarget(const std::string &name, Target &target) {
  if (name.compare(0, 3, "sm_") != 0)
    return false;
  const char *begin = name.data() + 3, *end = name.data() + name.size();
  auto [rest, error] = std::from_chars(begin, end, target.number);
  if (error != std::errc() || target.number < 0)
    return false;
  if (rest == end)
    return true;
  target.suffix = *rest;
  return rest + 1 == end && (target.suffix == 'a' || target.suffix == 'f');
}

/// How well a device runs a code: 0 for not at all, larger is better.
static int rank(const DeviceCode &code, int major, int minor) {
  Target target;
  if (!readTarget(code.target, target))
    return 0;
  int device = 10 * major + minor;
  bool isCubin = code.format == QDELTA_FORMAT_CUBIN;
  if (!isCubin && code.format != QDELTA_FORMAT_PTX)
    return 0;
  bool isExact = target.number == device;
  // `a` is for one capability, `f` for a family of one major number, and a
  // cubin without either runs on later minor ones.
  bool isSameMajor = target.number / 10 == major && target.number <= device;
  bool runs = target.suffix == 'a'              ? isExact
              : target.suffix == 'f' || isCubin ? isSameMajor
                                                : target.number <= device;
  if (!runs)
    return 0;
  int suffix = target.suffix == 'a' ? 2 : target.suffix == 'f';
  return 1 + 8 * target.number + 2 * suffix + isCubin;
}

const DeviceCode *
qdelta::runtime::chooseCode(const std::vector<DeviceCode> &codes, int major,
                            int minor, const std::string &target) {
  const DeviceCode *best = nullptr;
  int bestRank = 0;
  for (const DeviceCode &code : codes) {
    if (!target.empty() && code.target != target)
      continue;
    int own = rank(code, major, minor);
    if (own > bestRank) {
      best = &code;
      bestRank = own;
    }
  }
  return best;
}

//===- Operation.cpp - finding the handler of a name ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Operation.h"

#include <algorithm>
#include <charconv>

using namespace qdelta::emulator;

NameParts::NameParts(std::string_view name) {
  while (true) {
    size_t dot = name.find('.');
    parts.push_back(name.substr(0, dot));
    if (dot == std::string_view::npos)
      return;
    name.remove_prefix(dot + 1);
  }
}

bool NameParts::has(std::string_view part) const {
  return std::find(parts.begin(), parts.end(), part) != parts.end();
}

bool NameParts::restIn(size_t first,
                       std::initializer_list<std::string_view> allowed) const {
  for (size_t i = first; i < parts.size(); ++i)
    if (std::find(allowed.begin(), allowed.end(), parts[i]) == allowed.end())
      return false;
  return true;
}

int32_t qdelta::emulator::parseNumber(std::string_view text) {
  int32_t value = -1;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return -1;
  return value;
}

bool qdelta::emulator::bind(Operation &op) {
  for (auto family : {bindAccess, bindBlockBarrier, bindBulk, bindCopyAsync,
                      bindControl, bindMatrixAccess, bindMbarrier, bindMma,
                      bindScalar, bindWarp, bindWgmma}) {
    Operation bound = op;
    if (!family(bound))
      continue;
    op = std::move(bound);
    return true;
  }
  return false;
}

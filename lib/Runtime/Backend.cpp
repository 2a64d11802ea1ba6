//===- Backend.cpp - what every back end says of its codes ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Backend.h"
#include "Status.h"

#include <algorithm>

using namespace qdelta::runtime;

DeviceRun::~DeviceRun() = default;
Backend::~Backend() = default;

int64_t DeviceCode::sharedBytes() const {
  int64_t most = 0;
  for (const DeviceStep &step : steps)
    most = std::max(most, step.sharedBytes);
  return most;
}

static const char *nameOfFormat(qdeltaFormat format) {
  switch (format) {
  case QDELTA_FORMAT_PTX:
    return "PTX";
  case QDELTA_FORMAT_CUBIN:
    return "cubin";
  case QDELTA_FORMAT_EMULATED:
  case QDELTA_FORMAT_PROGRAM:
    break;
  }
  return "emulated";
}

std::string qdelta::runtime::listCodes(const std::vector<DeviceCode> &codes) {
  std::vector<std::pair<std::string, std::string>> targets;
  for (const DeviceCode &code : codes) {
    std::string form = nameOfFormat(code.format);
    auto known = targets.begin();
    while (known != targets.end() && known->first != code.target)
      ++known;
    if (known == targets.end())
      targets.emplace_back(code.target, form);
    else if (known->second.find(form) == std::string::npos)
      known->second += ", " + form;
  }
  std::string text;
  for (const auto &[target, forms] : targets)
    text += (text.empty() ? "" : ", ") + target + " (" + forms + ")";
  return text;
}

qdeltaStatus *qdelta::runtime::noCode(const std::string &kernel,
                                      const std::string &wanted,
                                      const std::vector<DeviceCode> &codes) {
  std::string held = listCodes(codes);
  return makeStatus(QDELTA_ERROR_TARGET, "",
                    "kernel " + kernel + " has no code for " + wanted +
                        "; it has " + (held.empty() ? "none" : held));
}

//===- NoEmulator.cpp - a build without the emulator ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Backend.h"
#include "Status.h"

using namespace qdelta::runtime;

namespace {
class NoBackend : public Backend {
public:
  qdeltaStatus *open(const std::string &kernel,
                     const std::vector<DeviceCode> &codes, int32_t,
                     const LaunchOptions &,
                     std::unique_ptr<Session> &) override {
    return noCode(kernel, "engine emulated", codes);
  }
  qdeltaStatus *synchronize(int32_t, void *) override { return nullptr; }
};
} // namespace

std::unique_ptr<Backend> qdelta::runtime::makeEmulatedBackend() {
  return std::make_unique<NoBackend>();
}

//===- Manifest.h - what the strings of an entry say ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_MANIFEST_H
#define QDELTA_LIB_RUNTIME_MANIFEST_H

#include "qdelta-c/Runtime.h"

#include <string>
#include <string_view>
#include <vector>

namespace qdelta::runtime {

struct ManifestKernel {
  std::string name, entry;
  /// As written, and read; the names of the latter point into the artefact.
  std::vector<std::string> argumentTexts;
  std::vector<qdeltaArgument> arguments;
  int64_t work = 0;
  /// Of the kernels that segments take, "" for none.
  int64_t segments = 0;
  std::string run, summary, apply, advance;
};

/// One of several kernels of a launch, as qdeltaKernelStep has it.
struct ManifestStep {
  std::string entry;
  int64_t threads = 0, sharedBytes = 0, blocks = 0, tokens = 0, inputs = 0;
  std::vector<int32_t> tensors;
  std::vector<qdeltaTensorMap> tensorMaps;
};

/// One entry of an artefact.
struct Manifest {
  std::string triple, arch, format;
  std::string_view code;
  std::vector<ManifestKernel> kernels;
  /// Of device code.
  int64_t columns = 0, threads = 0, sharedBytes = 0;
  std::vector<qdeltaTensorMap> tensorMaps;
  std::vector<ManifestStep> steps;
  std::vector<qdeltaArgument> workspaces;
};

/// Reads an artefact, which the result points into. Returns what is wrong, ""
/// for nothing.
std::string readManifests(std::string_view bytes,
                          std::vector<Manifest> &manifests);

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_MANIFEST_H

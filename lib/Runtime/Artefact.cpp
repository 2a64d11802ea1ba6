//===- Artefact.cpp - a module out of a .qda file -------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Manifest.h"
#include "Module.h"
#include "SharedObject.h"
#include "Status.h"

#include <cerrno>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace qdelta::runtime;

namespace {
qdeltaStatus *badArtefact(const std::string &message) {
  return makeStatus(QDELTA_ERROR_ARTEFACT, "",
                    "malformed or damaged artefact: " + message);
}

/// Whether this machine runs CPU code of that triple and level.
bool canRun(std::string_view triple, std::string_view arch) {
#if defined(__x86_64__)
  if (triple.substr(0, triple.find('-')) != "x86_64")
    return false;
  __builtin_cpu_init();
  if (arch == "x86-64-v4+avx512bf16")
    return __builtin_cpu_supports("x86-64-v4") &&
           __builtin_cpu_supports("avx512bf16");
  if (arch == "x86-64-v4")
    return __builtin_cpu_supports("x86-64-v4");
  if (arch == "x86-64-v3")
    return __builtin_cpu_supports("x86-64-v3");
  return arch == "x86-64";
#else
  return false;
#endif
}

/// Loads the first CPU code that this machine runs, and finds its entries.
qdeltaStatus *loadHostCode(const std::vector<Manifest> &manifests,
                           std::vector<qdeltaEntry> &entries,
                           const std::vector<std::string> &names,
                           std::unique_ptr<SharedObject> &code,
                           std::string &contents) {
  entries.resize(names.size());
  for (const Manifest &manifest : manifests) {
    if (manifest.format != "cpu")
      continue;
    contents += (contents.empty() ? "" : ", ") + manifest.arch + " (cpu)";
    if (code || !canRun(manifest.triple, manifest.arch))
      continue;
    std::string problem;
    code = SharedObject::load(manifest.code, problem);
    if (!code)
      return badArtefact("cannot load its CPU code: " + problem);
    for (const ManifestKernel &kernel : manifest.kernels) {
      void *entry = code->find(kernel.entry.c_str());
      if (!entry)
        return badArtefact("its CPU code has no symbol " + kernel.entry);
      for (size_t i = 0; i < names.size(); ++i)
        if (names[i] == kernel.name)
          entries[i] = reinterpret_cast<qdeltaEntry>(entry);
    }
  }
  return nullptr;
}

std::vector<qdeltaKernelStep> stepsOf(const Manifest &manifest) {
  std::vector<qdeltaKernelStep> steps;
  for (const ManifestStep &step : manifest.steps)
    steps.push_back(
        {sizeof(qdeltaKernelStep), step.entry.c_str(),
         static_cast<int32_t>(step.threads), static_cast<int32_t>(step.inputs),
         step.blocks, step.tokens, step.sharedBytes, step.tensors.data(),
         static_cast<int64_t>(step.tensors.size()), step.tensorMaps.data(),
         static_cast<int64_t>(step.tensorMaps.size())});
  return steps;
}

qdeltaDeviceKernelImage
deviceImage(const Manifest &manifest, qdeltaFormat format,
            const std::vector<qdeltaKernelStep> &steps) {
  qdeltaDeviceKernelImage image{};
  image.struct_size = sizeof(image);
  image.kernel = manifest.kernels[0].name.c_str();
  image.target = manifest.arch.c_str();
  image.format = format;
  image.threads = static_cast<int32_t>(manifest.threads);
  image.code = manifest.code.data();
  image.code_size = manifest.code.size();
  image.entry = manifest.kernels[0].entry.c_str();
  image.columns = manifest.columns;
  image.shared_bytes = manifest.sharedBytes;
  image.tensor_maps = manifest.tensorMaps.data();
  image.num_tensor_maps = static_cast<int64_t>(manifest.tensorMaps.size());
  image.steps = steps.data();
  image.num_steps = static_cast<int64_t>(steps.size());
  image.workspaces = manifest.workspaces.data();
  image.num_workspaces = static_cast<int64_t>(manifest.workspaces.size());
  return image;
}

/// The kernels of all entries; those of one name have one description.
qdeltaStatus *collectKernels(const std::vector<Manifest> &manifests,
                             std::vector<const ManifestKernel *> &kernels,
                             std::vector<std::string> &names) {
  for (const Manifest &manifest : manifests)
    for (const ManifestKernel &kernel : manifest.kernels) {
      size_t i = 0;
      while (i < names.size() && names[i] != kernel.name)
        ++i;
      if (i == names.size()) {
        names.push_back(kernel.name);
        kernels.push_back(&kernel);
      }
      if (kernels[i]->argumentTexts != kernel.argumentTexts)
        return badArtefact("its entries disagree about kernel " + kernel.name);
    }
  return nullptr;
}

const char *nameOrNull(const std::string &name) {
  return name.empty() ? nullptr : name.c_str();
}

qdeltaStatus *loadArtefact(std::string_view bytes,
                           std::unique_ptr<qdeltaModule> &module) {
  std::vector<Manifest> manifests;
  if (std::string problem = readManifests(bytes, manifests); !problem.empty())
    return badArtefact(problem);
  std::vector<const ManifestKernel *> kernels;
  std::vector<std::string> names;
  if (qdeltaStatus *error = collectKernels(manifests, kernels, names))
    return error;
  std::unique_ptr<SharedObject> hostCode;
  std::vector<qdeltaEntry> entries;
  std::string contents;
  if (qdeltaStatus *error =
          loadHostCode(manifests, entries, names, hostCode, contents))
    return error;

  std::vector<qdeltaKernelImage> images;
  for (size_t i = 0; i < kernels.size(); ++i)
    images.push_back(
        {sizeof(qdeltaKernelImage), kernels[i]->name.c_str(),
         kernels[i]->arguments.data(),
         static_cast<int64_t>(kernels[i]->arguments.size()), entries[i],
         kernels[i]->work, kernels[i]->segments, nameOrNull(kernels[i]->run),
         nameOrNull(kernels[i]->summary), nameOrNull(kernels[i]->apply),
         nameOrNull(kernels[i]->advance)});
  std::vector<qdeltaDeviceKernelImage> devices;
  std::deque<std::vector<qdeltaKernelStep>> steps;
  for (const Manifest &manifest : manifests)
    if (manifest.format != "cpu")
      devices.push_back(deviceImage(manifest,
                                    manifest.format == "ptx" ? QDELTA_FORMAT_PTX
                                    : manifest.format == "cubin"
                                        ? QDELTA_FORMAT_CUBIN
                                        : QDELTA_FORMAT_EMULATED,
                                    steps.emplace_back(stepsOf(manifest))));
  qdeltaImage image = {sizeof(image), images.data(),
                       static_cast<int64_t>(images.size()), devices.data(),
                       static_cast<int64_t>(devices.size())};
  if (qdeltaStatus *error = loadImage(image, module)) {
    qdeltaStatus *wrapped = badArtefact(qdeltaStatusGetMessage(error));
    qdeltaStatusDestroy(error);
    return wrapped;
  }
  module->hostCode = std::move(hostCode);
  module->hostContents = std::move(contents);
  describeContents(*module);
  return nullptr;
}

qdeltaStatus *readFile(const char *path, std::string &bytes) {
  auto fail = [&](int file) {
    qdeltaStatus *status =
        makeStatus(QDELTA_ERROR_FILE, "",
                   std::string("cannot read ") + path + ": " + strerror(errno));
    if (file >= 0)
      close(file);
    return status;
  };
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return fail(file);
  char block[1 << 16];
  while (ssize_t count = read(file, block, sizeof(block))) {
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return fail(file);
    bytes.append(block, static_cast<size_t>(count));
  }
  close(file);
  return nullptr;
}
} // namespace

qdeltaStatus *qdeltaModuleLoadMemory(const void *bytes, size_t size,
                                     qdeltaModule **module) {
  if (!bytes || !module)
    return makeStatus(QDELTA_ERROR_NULL_ARGUMENT, "",
                      "expected an artefact and a place for the module, but "
                      "got NULL");
  *module = nullptr;
  try {
    std::unique_ptr<qdeltaModule> loaded;
    if (qdeltaStatus *error =
            loadArtefact({static_cast<const char *>(bytes), size}, loaded))
      return error;
    *module = loaded.release();
    return nullptr;
  } catch (...) {
    return statusOfException();
  }
}

qdeltaStatus *qdeltaModuleLoadFile(const char *path, qdeltaModule **module) {
  if (!path || !module)
    return makeStatus(QDELTA_ERROR_NULL_ARGUMENT, "",
                      "expected a path and a place for the module, but got "
                      "NULL");
  *module = nullptr;
  try {
    std::string bytes;
    if (qdeltaStatus *error = readFile(path, bytes))
      return error;
    return qdeltaModuleLoadMemory(bytes.data(), bytes.size(), module);
  } catch (...) {
    return statusOfException();
  }
}

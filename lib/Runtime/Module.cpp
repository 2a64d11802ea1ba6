//===- Module.cpp - loading an image and asking about it -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Module.h"
#include "SharedObject.h"
#include "Status.h"

using namespace qdelta::runtime;

qdeltaModule::qdeltaModule()
    : emulated(makeEmulatedBackend()), cuda(makeCudaBackend()) {}

qdeltaModule::~qdeltaModule() = default;

bool qdelta::runtime::isWritten(const qdeltaArgument &argument) {
  return argument.role == QDELTA_ROLE_OUTPUT ||
         argument.role == QDELTA_ROLE_FINAL_STATE || isInPlace(argument);
}

bool qdelta::runtime::isInPlace(const qdeltaArgument &argument) {
  return argument.role == QDELTA_ROLE_STATE ||
         argument.role == QDELTA_ROLE_STATE_POOL;
}

bool qdelta::runtime::isSequence(const qdeltaArgument &argument) {
  return argument.role == QDELTA_ROLE_TOKEN ||
         argument.role == QDELTA_ROLE_OUTPUT;
}

void qdelta::runtime::describeContents(qdeltaModule &module) {
  std::vector<DeviceCode> codes;
  for (const qdeltaKernel &kernel : module.kernels)
    codes.insert(codes.end(), kernel.codes.begin(), kernel.codes.end());
  std::string device = listCodes(codes);
  const char *between =
      module.hostContents.empty() || device.empty() ? "" : ", ";
  module.contents = module.hostContents + between + device;
  if (module.contents.empty())
    module.contents = "nothing";
}

std::string qdelta::runtime::describe(const qdeltaArgument &argument) {
  switch (argument.role) {
  case QDELTA_ROLE_INITIAL_STATE:
    return std::string("initial state ") + argument.name;
  case QDELTA_ROLE_OUTPUT:
    return std::string("output ") + argument.name;
  case QDELTA_ROLE_FINAL_STATE:
    return std::string("final state ") + argument.name;
  case QDELTA_ROLE_STATE:
    return std::string("state ") + argument.name;
  case QDELTA_ROLE_STATE_POOL:
    return std::string("pool of states ") + argument.name;
  case QDELTA_ROLE_STATE_INDEX:
  case QDELTA_ROLE_POSITION:
  case QDELTA_ROLE_TOKEN:
  case QDELTA_ROLE_PARAM:
  case QDELTA_ROLE_CU_SEQLENS:
    break;
  }
  return argument.name;
}

qdeltaStatus *qdeltaModuleLoad(const qdeltaImage *image,
                               qdeltaModule **module) {
  if (!image || !module)
    return makeStatus(QDELTA_ERROR_NULL_ARGUMENT, "",
                      "expected an image and a place for the module, but got "
                      "NULL");
  *module = nullptr;
  try {
    std::unique_ptr<qdeltaModule> loaded;
    if (qdeltaStatus *error = loadImage(*image, loaded))
      return error;
    for (const qdeltaKernel &kernel : loaded->kernels) {
      if (!kernel.entry && kernel.codes.empty())
        return makeStatus(QDELTA_ERROR_IMAGE, "",
                          "expected kernel " + kernel.name +
                              " to have an entry function or a device kernel");
      if (kernel.entry)
        loaded->hostContents = "this machine (cpu)";
    }
    describeContents(*loaded);
    *module = loaded.release();
    return nullptr;
  } catch (...) {
    return statusOfException();
  }
}

void qdeltaModuleDestroy(qdeltaModule *module) { delete module; }

const char *qdeltaModuleGetContents(const qdeltaModule *module) {
  return module ? module->contents.c_str() : "";
}

int64_t qdeltaModuleGetNumKernels(const qdeltaModule *module) {
  return module ? static_cast<int64_t>(module->kernels.size()) : 0;
}

qdeltaStatus *qdeltaModuleGetKernel(const qdeltaModule *module, int64_t index,
                                    const qdeltaKernel **kernel) {
  if (!module || !kernel)
    return makeStatus(QDELTA_ERROR_NULL_ARGUMENT, "",
                      "expected a module and a place for the kernel, but got "
                      "NULL");
  *kernel = nullptr;
  int64_t count = qdeltaModuleGetNumKernels(module);
  if (index < 0 || index >= count)
    return makeStatus(QDELTA_ERROR_UNKNOWN_KERNEL, "",
                      "expected a kernel number less than " +
                          std::to_string(count) + ", but got " +
                          std::to_string(index));
  *kernel = &module->kernels[static_cast<size_t>(index)];
  return nullptr;
}

qdeltaStatus *qdeltaModuleFindKernel(const qdeltaModule *module,
                                     const char *name,
                                     const qdeltaKernel **kernel) {
  if (!module || !name || !kernel)
    return makeStatus(QDELTA_ERROR_NULL_ARGUMENT, "",
                      "expected a module, a name and a place for the kernel, "
                      "but got NULL");
  *kernel = nullptr;
  for (const qdeltaKernel &candidate : module->kernels)
    if (candidate.name == name) {
      *kernel = &candidate;
      return nullptr;
    }
  try {
    std::string known;
    for (const qdeltaKernel &candidate : module->kernels)
      known += (known.empty() ? "" : ", ") + candidate.name;
    return makeStatus(QDELTA_ERROR_UNKNOWN_KERNEL, "",
                      std::string("unknown kernel ") + name +
                          "; the module has " +
                          (known.empty() ? "none" : known));
  } catch (...) {
    return statusOfException();
  }
}

const char *qdeltaKernelGetName(const qdeltaKernel *kernel) {
  return kernel ? kernel->name.c_str() : nullptr;
}

int64_t qdeltaKernelGetNumArguments(const qdeltaKernel *kernel) {
  return kernel ? static_cast<int64_t>(kernel->arguments.size()) : 0;
}

int64_t qdeltaKernelGetWork(const qdeltaKernel *kernel) {
  return kernel ? kernel->work : 0;
}

const qdeltaArgument *qdeltaKernelGetArgument(const qdeltaKernel *kernel,
                                              int64_t index) {
  if (index < 0 || index >= qdeltaKernelGetNumArguments(kernel))
    return nullptr;
  return &kernel->arguments[static_cast<size_t>(index)];
}

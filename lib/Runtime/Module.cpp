//===- Module.cpp - loading an image and asking about it -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Module.h"
#include "Status.h"

#include <algorithm>
#include <memory>

using namespace qdelta::runtime;

namespace {
/// Element `index` of an array whose elements may be larger than ours.
template <typename T>
const T *elementAt(const T *array, int64_t index) {
  auto bytes = reinterpret_cast<const char *>(array);
  return reinterpret_cast<const T *>(bytes + static_cast<size_t>(index) *
                                                 array->struct_size);
}

qdeltaStatus *badImage(const std::string &message) {
  return makeStatus(QDELTA_ERROR_IMAGE, "", message);
}

/// Checks an array of an image: its length, and that its elements have one
/// size that version 1 can read.
template <typename T>
qdeltaStatus *checkArray(const T *array, int64_t count, const char *type) {
  if (count < 0 || (count > 0 && !array))
    return badImage("expected an array of " + std::to_string(count) + " " +
                    type + ", but got " +
                    (array ? "a negative count" : "NULL"));
  for (int64_t i = 0; i < count; ++i) {
    size_t size = elementAt(array, i)->struct_size;
    if (size < sizeof(T))
      return makeStatus(
          QDELTA_ERROR_STRUCT_SIZE, "",
          std::string("expected ") + type + " to have struct_size at least " +
              std::to_string(sizeof(T)) + ", but got " + std::to_string(size));
    if (size != array->struct_size)
      return badImage(std::string("expected every ") + type +
                      " of an array to have struct_size " +
                      std::to_string(array->struct_size) + ", but got " +
                      std::to_string(size));
  }
  return nullptr;
}

qdeltaStatus *checkArgument(const qdeltaArgument &argument,
                            const std::string &kernel) {
  if (!argument.name)
    return badImage("an argument of kernel " + kernel + " has no name");
  std::string name = argument.name;
  if (argument.role < QDELTA_ROLE_TOKEN ||
      argument.role > QDELTA_ROLE_FINAL_STATE)
    return badImage("argument " + name + " of kernel " + kernel +
                    " has unknown role " + std::to_string(argument.role));
  if (argument.rank < 1 || argument.rank > 4)
    return badImage("expected argument " + name + " of kernel " + kernel +
                    " to have rank 1 to 4, but got " +
                    std::to_string(argument.rank));
  for (int32_t d = 0; d < argument.rank; ++d)
    if (argument.shape[d] < QDELTA_DIM_HEADS)
      return badImage("argument " + name + " of kernel " + kernel +
                      " has unknown size " + std::to_string(argument.shape[d]));
  return nullptr;
}

/// Initial and final states pair up, in order and with equal shapes.
qdeltaStatus *checkStates(const qdeltaKernel &kernel) {
  std::vector<const qdeltaArgument *> initial, final;
  for (const qdeltaArgument &argument : kernel.arguments) {
    if (argument.role == QDELTA_ROLE_INITIAL_STATE)
      initial.push_back(&argument);
    if (argument.role == QDELTA_ROLE_FINAL_STATE)
      final.push_back(&argument);
  }
  if (initial.size() != final.size())
    return badImage("kernel " + kernel.name + " has " +
                    std::to_string(initial.size()) + " initial states but " +
                    std::to_string(final.size()) + " final states");
  for (size_t i = 0; i < initial.size(); ++i)
    if (initial[i]->rank != final[i]->rank ||
        !std::equal(initial[i]->shape, initial[i]->shape + initial[i]->rank,
                    final[i]->shape))
      return badImage("expected " + describe(*initial[i]) + " and " +
                      describe(*final[i]) + " of kernel " + kernel.name +
                      " to have one shape");
  return nullptr;
}

qdeltaStatus *loadKernel(const qdeltaKernelImage &image, ThreadPool &pool,
                         qdeltaKernel &kernel) {
  if (!image.name || !image.entry)
    return badImage("expected a kernel to have a name and an entry function");
  kernel.name = image.name;
  kernel.entry = image.entry;
  kernel.pool = &pool;
  if (qdeltaStatus *error =
          checkArray(image.arguments, image.num_arguments, "qdeltaArgument"))
    return error;
  for (int64_t i = 0; i < image.num_arguments; ++i) {
    const qdeltaArgument &argument = *elementAt(image.arguments, i);
    if (qdeltaStatus *error = checkArgument(argument, kernel.name))
      return error;
    kernel.arguments.push_back(argument);
    kernel.argumentNames.push_back(argument.name);
  }
  for (size_t i = 0; i < kernel.arguments.size(); ++i) {
    kernel.arguments[i].struct_size = sizeof(qdeltaArgument);
    kernel.arguments[i].name = kernel.argumentNames[i].c_str();
  }
  return checkStates(kernel);
}

qdeltaStatus *loadModule(const qdeltaImage &image, qdeltaModule **result) {
  if (qdeltaStatus *error = checkArray(&image, 1, "qdeltaImage"))
    return error;
  if (qdeltaStatus *error =
          checkArray(image.kernels, image.num_kernels, "qdeltaKernelImage"))
    return error;
  auto module = std::make_unique<qdeltaModule>();
  module->kernels.resize(static_cast<size_t>(image.num_kernels));
  for (int64_t i = 0; i < image.num_kernels; ++i)
    if (qdeltaStatus *error =
            loadKernel(*elementAt(image.kernels, i), module->pool,
                       module->kernels[static_cast<size_t>(i)]))
      return error;
  *result = module.release();
  return nullptr;
}
} // namespace

std::string qdelta::runtime::describe(const qdeltaArgument &argument) {
  switch (argument.role) {
  case QDELTA_ROLE_INITIAL_STATE:
    return std::string("initial state ") + argument.name;
  case QDELTA_ROLE_OUTPUT:
    return std::string("output ") + argument.name;
  case QDELTA_ROLE_FINAL_STATE:
    return std::string("final state ") + argument.name;
  case QDELTA_ROLE_TOKEN:
  case QDELTA_ROLE_PARAM:
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
    return loadModule(*image, module);
  } catch (...) {
    return statusOfException();
  }
}

void qdeltaModuleDestroy(qdeltaModule *module) { delete module; }

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

const qdeltaArgument *qdeltaKernelGetArgument(const qdeltaKernel *kernel,
                                              int64_t index) {
  if (index < 0 || index >= qdeltaKernelGetNumArguments(kernel))
    return nullptr;
  return &kernel->arguments[static_cast<size_t>(index)];
}

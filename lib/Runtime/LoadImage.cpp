//===- LoadImage.cpp - a module out of an image in memory ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Module.h"
#include "Segments.h"
#include "SharedObject.h"
#include "Status.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

using namespace qdelta::runtime;

namespace {
/// What a struct's size was in version 1.0, which callers may still use.
template <typename T>
constexpr size_t kFirstSize = sizeof(T);
template <>
constexpr size_t kFirstSize<qdeltaArgument> = offsetof(qdeltaArgument, dtype);
template <>
constexpr size_t kFirstSize<qdeltaKernelImage> =
    offsetof(qdeltaKernelImage, work);
template <>
constexpr size_t kFirstSize<qdeltaDeviceKernelImage> =
    offsetof(qdeltaDeviceKernelImage, steps);
template <>
constexpr size_t kFirstSize<qdeltaImage> =
    offsetof(qdeltaImage, device_kernels);

/// A copy of a caller's struct; fields that it ends before are zero.
template <typename T>
T read(const T &given) {
  T copy{};
  std::memcpy(static_cast<void *>(&copy), &given,
              std::min(sizeof(T), given.struct_size));
  return copy;
}

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
    if (size < kFirstSize<T>)
      return makeStatus(QDELTA_ERROR_STRUCT_SIZE, "",
                        std::string("expected ") + type +
                            " to have struct_size at least " +
                            std::to_string(kFirstSize<T>) + ", but got " +
                            std::to_string(size));
    if (size != array->struct_size)
      return badImage(std::string("expected every ") + type +
                      " of an array to have struct_size " +
                      std::to_string(array->struct_size) + ", but got " +
                      std::to_string(size));
  }
  return nullptr;
}

qdeltaStatus *checkCuSeqlens(const qdeltaArgument &argument,
                             const std::string &kernel) {
  DLDataType type = argument.dtype;
  bool hasBounds =
      argument.shape[0] == QDELTA_DIM_BOUNDS || argument.shape[0] > 0;
  if (argument.rank == 1 && hasBounds && type.code == kDLInt &&
      type.lanes == 1 && (type.bits == 32 || type.bits == 64))
    return nullptr;
  return badImage(std::string("expected argument ") + argument.name +
                  " of kernel " + kernel +
                  " to be int32 or int64 with shape [B + 1]");
}

qdeltaStatus *checkArgument(const qdeltaArgument &argument,
                            const std::string &kernel) {
  if (!argument.name)
    return badImage("an argument of kernel " + kernel + " has no name");
  std::string name = argument.name;
  int32_t role = numberOf(argument.role);
  if (role < QDELTA_ROLE_TOKEN || role > QDELTA_ROLE_POSITION)
    return badImage("argument " + name + " of kernel " + kernel +
                    " has unknown role " + std::to_string(role));
  if (argument.rank < 1 || argument.rank > 4)
    return badImage("expected argument " + name + " of kernel " + kernel +
                    " to have rank 1 to 4, but got " +
                    std::to_string(argument.rank));
  bool isToken = role == QDELTA_ROLE_TOKEN;
  for (int32_t d = 0; d < argument.rank; ++d)
    if (argument.shape[d] < QDELTA_DIM_HEADS &&
        (d != (isToken ? 2 : 1) ||
         argument.shape[d] != QDELTA_DIM_LEVEL_HEADS) &&
        role != QDELTA_ROLE_CU_SEQLENS &&
        (role != QDELTA_ROLE_STATE_POOL ||
         argument.shape[d] != QDELTA_DIM_POOL) &&
        (!isToken || d != 3 || argument.shape[d] != QDELTA_DIM_LEVELS))
      return badImage("argument " + name + " of kernel " + kernel +
                      " has unknown size " + std::to_string(argument.shape[d]));
  if (role == QDELTA_ROLE_CU_SEQLENS)
    return checkCuSeqlens(argument, kernel);
  bool isIndex = argument.role == QDELTA_ROLE_STATE_INDEX ||
                 argument.role == QDELTA_ROLE_POSITION;
  if (isIndex ? !isIndexType(argument.dtype) : !isKnownType(argument.dtype))
    return badImage("expected argument " + name + " of kernel " + kernel +
                    (isIndex ? " to be int32"
                             : " to be float64, float32, bfloat16 or float16"));
  if (isIndex && argument.rank != 1)
    return badImage("expected argument " + name + " of kernel " + kernel +
                    ", of integers, to have rank 1, but got " +
                    std::to_string(argument.rank));
  int32_t domain = numberOf(argument.domain);
  if (domain < QDELTA_DOMAIN_ANY || domain > QDELTA_DOMAIN_RANGE)
    return badImage("argument " + name + " of kernel " + kernel +
                    " has unknown domain " + std::to_string(domain));
  return nullptr;
}

/// Pools of states come with one index, and states in place without others.
qdeltaStatus *checkInPlace(const qdeltaKernel &kernel) {
  auto count = [&](std::initializer_list<qdeltaRole> roles) {
    return std::count_if(kernel.arguments.begin(), kernel.arguments.end(),
                         [&](const qdeltaArgument &argument) {
                           return std::find(roles.begin(), roles.end(),
                                            argument.role) != roles.end();
                         });
  };
  auto pools = count({QDELTA_ROLE_STATE_POOL});
  auto indices = count({QDELTA_ROLE_STATE_INDEX});
  if (indices != (pools ? 1 : 0))
    return badImage("expected kernel " + kernel.name +
                    " to have one state index if it has pools of states, but "
                    "got " +
                    std::to_string(indices) + " for " + std::to_string(pools) +
                    " pools");
  auto apart = count({QDELTA_ROLE_INITIAL_STATE, QDELTA_ROLE_FINAL_STATE});
  auto plain = count({QDELTA_ROLE_STATE});
  if ((apart > 0) + (plain > 0) + (pools > 0) > 1)
    return badImage("expected the states of kernel " + kernel.name +
                    " to be all in place, all pools or all neither");
  if (count({QDELTA_ROLE_CU_SEQLENS}) > 0 && plain + pools > 0)
    return badImage("expected kernel " + kernel.name +
                    ", which is packed, to have no states in place");
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
        initial[i]->dtype.code != final[i]->dtype.code ||
        initial[i]->dtype.bits != final[i]->dtype.bits ||
        !std::equal(initial[i]->shape, initial[i]->shape + initial[i]->rank,
                    final[i]->shape))
      return badImage("expected " + describe(*initial[i]) + " and " +
                      describe(*final[i]) + " of kernel " + kernel.name +
                      " to have one shape and element type");
  return nullptr;
}

auto countBounds(const qdeltaKernel &kernel) {
  return std::count_if(kernel.arguments.begin(), kernel.arguments.end(),
                       [](const qdeltaArgument &argument) {
                         return argument.role == QDELTA_ROLE_CU_SEQLENS;
                       });
}

bool isPacked(const qdeltaKernel &kernel) { return countBounds(kernel) > 0; }

/// A packed kernel has one sequence of tokens.
qdeltaStatus *checkPacked(const qdeltaKernel &kernel) {
  auto count = countBounds(kernel);
  if (count > 1)
    return badImage("kernel " + kernel.name +
                    " has more than one argument that says where sequences "
                    "end");
  for (const qdeltaArgument &argument : kernel.arguments)
    if (count == 1 && isSequence(argument) && argument.shape[0] != 1)
      return badImage("expected " + describe(argument) + " of packed kernel " +
                      kernel.name + " to begin with size 1");
  return nullptr;
}

qdeltaStatus *loadKernel(const qdeltaKernelImage &image, qdeltaKernel &kernel) {
  if (!image.name)
    return badImage("expected a kernel to have a name");
  kernel.name = image.name;
  kernel.entry = image.entry;
  kernel.work = std::max<int64_t>(image.work, 0);
  if (qdeltaStatus *error =
          checkArray(image.arguments, image.num_arguments, "qdeltaArgument"))
    return error;
  for (int64_t i = 0; i < image.num_arguments; ++i) {
    const qdeltaArgument &given = *elementAt(image.arguments, i);
    qdeltaArgument argument = read(given);
    if (given.struct_size <
        offsetof(qdeltaArgument, dtype) + sizeof(DLDataType))
      argument.dtype = {kDLFloat, 32, 1};
    if (qdeltaStatus *error = checkArgument(argument, kernel.name))
      return error;
    kernel.arguments.push_back(argument);
    kernel.argumentNames.push_back(argument.name);
  }
  for (size_t i = 0; i < kernel.arguments.size(); ++i) {
    kernel.arguments[i].struct_size = sizeof(qdeltaArgument);
    kernel.arguments[i].name = kernel.argumentNames[i].c_str();
  }
  if (qdeltaStatus *error = checkPacked(kernel))
    return error;
  if (qdeltaStatus *error = checkInPlace(kernel))
    return error;
  return checkStates(kernel);
}

/// What tensor number `index` of a kernel's arguments and workspaces is.
const qdeltaArgument &tensorOf(const qdeltaKernel &kernel,
                               const DeviceCode &code, int32_t index) {
  auto number = static_cast<size_t>(index);
  size_t arguments = kernel.arguments.size();
  return number < arguments ? kernel.arguments[number]
                            : code.workspaces[number - arguments];
}

qdeltaStatus *loadTensorMaps(const qdeltaTensorMap *maps, int64_t count,
                             const qdeltaKernel &kernel, const DeviceCode &code,
                             DeviceStep &step) {
  if (qdeltaStatus *error = checkArray(maps, count, "qdeltaTensorMap"))
    return error;
  auto numTensors = static_cast<int64_t>(step.tensors.size());
  for (int64_t i = 0; i < count; ++i) {
    qdeltaTensorMap map = read(*elementAt(maps, i));
    std::string name = "tensor map " + std::to_string(i) + " of kernel " +
                       kernel.name + " for " + code.target;
    if (map.argument < 0 || map.argument >= numTensors)
      return badImage(name + " is over unknown argument " +
                      std::to_string(map.argument));
    const qdeltaArgument &argument =
        tensorOf(kernel, code, step.tensors[static_cast<size_t>(map.argument)]);
    if (argument.rank != 4 || !isSequence(argument))
      return badImage("expected " + name +
                      " to be over a sequence of rank 4, but got " +
                      describe(argument));
    if (map.box_columns < 1 || map.box_columns > 256 || map.box_rows < 1 ||
        map.box_rows > 256 || map.swizzle < 0 || map.swizzle > 3)
      return badImage("expected " + name +
                      " to have a box of at most 256 x 256 and swizzle 0 to 3");
    map.struct_size = sizeof(map);
    step.tensorMaps.push_back(map);
  }
  return nullptr;
}

qdeltaStatus *checkStep(const DeviceStep &step, const std::string &name) {
  if (step.threads < 1 || step.threads > 1024)
    return badImage("expected " + name +
                    " to have 1 to 1024 threads, but got " +
                    std::to_string(step.threads));
  if (step.sharedBytes < 0 || step.sharedBytes > INT32_MAX)
    return badImage(name + " has " + std::to_string(step.sharedBytes) +
                    " bytes of shared memory");
  return nullptr;
}

/// The one step of an image without steps, which has all arguments.
qdeltaStatus *loadOnlyStep(const qdeltaDeviceKernelImage &image,
                           const qdeltaKernel &kernel, DeviceCode &code,
                           const std::string &name) {
  DeviceStep &step = code.steps.emplace_back();
  step.entry = image.entry;
  step.threads = image.threads;
  step.columns = image.columns;
  step.sharedBytes = image.shared_bytes;
  for (const qdeltaArgument &argument : kernel.arguments) {
    step.tensors.push_back(static_cast<int32_t>(step.tensors.size()));
    step.writes.push_back(isWritten(argument));
  }
  if (image.columns < 1)
    return badImage("expected " + name +
                    " to compute at least one column, but got " +
                    std::to_string(image.columns));
  if (qdeltaStatus *error = checkStep(step, name))
    return error;
  return loadTensorMaps(image.tensor_maps, image.num_tensor_maps, kernel, code,
                        step);
}

qdeltaStatus *loadStep(const qdeltaKernelStep &image,
                       const qdeltaKernel &kernel, DeviceCode &code,
                       const std::string &name) {
  if (!image.entry)
    return badImage(name + " has no entry");
  DeviceStep step;
  step.entry = image.entry;
  step.threads = image.threads;
  step.blocks = image.blocks;
  step.tokens = image.tokens;
  step.sharedBytes = image.shared_bytes;
  if (step.blocks < 1 || step.blocks > INT32_MAX || step.tokens < 0)
    return badImage("expected " + name +
                    " to have at least one block and no negative number of "
                    "tokens, but got " +
                    std::to_string(step.blocks) + " and " +
                    std::to_string(step.tokens));
  if (qdeltaStatus *error = checkStep(step, name))
    return error;
  if (image.num_tensors < 0 || (image.num_tensors > 0 && !image.tensors) ||
      image.num_inputs < 0 || image.num_inputs > image.num_tensors)
    return badImage("expected " + name + " to read some of " +
                    std::to_string(image.num_tensors) +
                    " tensors, but it reads " +
                    std::to_string(image.num_inputs));
  size_t known = kernel.arguments.size() + code.workspaces.size();
  for (int64_t i = 0; i < image.num_tensors; ++i) {
    int32_t tensor = image.tensors[i];
    if (tensor < 0 || static_cast<size_t>(tensor) >= known)
      return badImage(name + " has unknown tensor " + std::to_string(tensor));
    bool isWorkspace = static_cast<size_t>(tensor) >= kernel.arguments.size();
    bool writes = i >= image.num_inputs;
    const qdeltaArgument &argument = tensorOf(kernel, code, tensor);
    if (writes && !isWorkspace && !isWritten(argument))
      return badImage(name + " writes " + describe(argument));
    step.tensors.push_back(tensor);
    step.writes.push_back(writes || isInPlace(argument));
  }
  if (qdeltaStatus *error = loadTensorMaps(
          image.tensor_maps, image.num_tensor_maps, kernel, code, step))
    return error;
  code.steps.push_back(std::move(step));
  return nullptr;
}

qdeltaStatus *loadWorkspaces(const qdeltaDeviceKernelImage &image,
                             const qdeltaKernel &kernel, DeviceCode &code,
                             const std::string &name) {
  if (qdeltaStatus *error =
          checkArray(image.workspaces, image.num_workspaces, "qdeltaArgument"))
    return error;
  for (int64_t i = 0; i < image.num_workspaces; ++i) {
    qdeltaArgument workspace = read(*elementAt(image.workspaces, i));
    workspace.struct_size = sizeof(workspace);
    workspace.name = "a sequence between kernels";
    if (qdeltaStatus *error = checkArgument(workspace, kernel.name))
      return error;
    const int64_t *shape = workspace.shape;
    if (workspace.role != QDELTA_ROLE_TOKEN || workspace.rank < 3 ||
        shape[0] != (isPacked(kernel) ? 1 : QDELTA_DIM_BATCH) ||
        shape[1] != QDELTA_DIM_TIME ||
        (shape[2] != QDELTA_DIM_VALUE_HEADS &&
         shape[2] != QDELTA_DIM_LEVEL_HEADS) ||
        (workspace.rank == 4 && shape[3] < 0 && shape[3] != QDELTA_DIM_LEVELS))
      return badImage("expected workspaces of " + name +
                      " to be sequences of sizes B, T, HV, or 1, T, HV if it "
                      "is packed");
    code.workspaces.push_back(workspace);
  }
  return nullptr;
}

qdeltaStatus *loadSteps(const qdeltaDeviceKernelImage &image,
                        const qdeltaKernel &kernel, DeviceCode &code,
                        const std::string &name) {
  if (qdeltaStatus *error = loadWorkspaces(image, kernel, code, name))
    return error;
  if (qdeltaStatus *error =
          checkArray(image.steps, image.num_steps, "qdeltaKernelStep"))
    return error;
  for (int64_t i = 0; i < image.num_steps; ++i)
    if (qdeltaStatus *error =
            loadStep(read(*elementAt(image.steps, i)), kernel, code,
                     "step " + std::to_string(i) + " of " + name))
      return error;
  return nullptr;
}

qdeltaStatus *checkDeviceKernel(const qdeltaDeviceKernelImage &image,
                                const std::string &name) {
  int32_t format = numberOf(image.format);
  if (format < QDELTA_FORMAT_PTX || format > QDELTA_FORMAT_PROGRAM)
    return badImage(name + " has unknown format " + std::to_string(format));
  if (!image.code ||
      (image.format != QDELTA_FORMAT_PROGRAM && image.code_size == 0))
    return badImage(name + " has no code");
  return nullptr;
}

qdeltaStatus *loadDeviceKernel(const qdeltaDeviceKernelImage &image,
                               std::vector<qdeltaKernel> &kernels) {
  if (!image.kernel || !image.target || !image.entry)
    return badImage("expected a device kernel to name its kernel, its target "
                    "and its entry");
  std::string name =
      std::string("device kernel ") + image.kernel + " for " + image.target;
  auto kernel =
      std::find_if(kernels.begin(), kernels.end(), [&](const auto &known) {
        return known.name == image.kernel;
      });
  if (kernel == kernels.end())
    return badImage(name + " is of no kernel of the image");
  if (qdeltaStatus *error = checkDeviceKernel(image, name))
    return error;
  DeviceCode code;
  code.target = image.target;
  code.format = image.format;
  if (image.format == QDELTA_FORMAT_PROGRAM)
    code.program = image.code;
  else
    code.bytes.assign(static_cast<const char *>(image.code), image.code_size);
  if (qdeltaStatus *error = image.num_steps
                                ? loadSteps(image, *kernel, code, name)
                                : loadOnlyStep(image, *kernel, code, name))
    return error;
  kernel->codes.push_back(std::move(code));
  return nullptr;
}
} // namespace

qdeltaStatus *
qdelta::runtime::loadImage(const qdeltaImage &given,
                           std::unique_ptr<qdeltaModule> &result) {
  if (qdeltaStatus *error = checkArray(&given, 1, "qdeltaImage"))
    return error;
  qdeltaImage image = read(given);
  if (qdeltaStatus *error =
          checkArray(image.kernels, image.num_kernels, "qdeltaKernelImage"))
    return error;
  if (qdeltaStatus *error =
          checkArray(image.device_kernels, image.num_device_kernels,
                     "qdeltaDeviceKernelImage"))
    return error;
  auto module = std::make_unique<qdeltaModule>();
  module->kernels.resize(static_cast<size_t>(image.num_kernels));
  for (int64_t i = 0; i < image.num_kernels; ++i)
    if (qdeltaStatus *error =
            loadKernel(read(*elementAt(image.kernels, i)),
                       module->kernels[static_cast<size_t>(i)]))
      return error;
  for (int64_t i = 0; i < image.num_device_kernels; ++i)
    if (qdeltaStatus *error = loadDeviceKernel(
            read(*elementAt(image.device_kernels, i)), module->kernels))
      return error;
  for (int64_t i = 0; i < image.num_kernels; ++i) {
    qdeltaKernelImage given = read(*elementAt(image.kernels, i));
    qdeltaKernel &kernel = module->kernels[static_cast<size_t>(i)];
    kernel.module = module.get();
    kernel.segments = given.segments;
    if (given.segments < 2 || !kernel.entry)
      continue;
    if (qdeltaStatus *error = linkSegments(kernel, module->kernels, given))
      return error;
  }
  result = std::move(module);
  return nullptr;
}

//===- RunArtefact.cpp - launches a kernel of an artefact ----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "RunArtefact.h"
#include "Arrays.h"
#include "qdelta/Runtime/DeviceMemory.h"

#include <cmath>
#include <cstdio>
#include <random>
#include <stdexcept>

using namespace qdelta::artefact;
using qdelta::runtime::DeviceMemory;

namespace {
/// An error to print, with the tool's exit code.
struct Failure : std::runtime_error {
  explicit Failure(const std::string &message, int code = 1)
      : std::runtime_error(message), code(code) {}
  int code;
};

/// Codes from 9000 on are not about anything that the user gave.
void check(qdeltaStatus *status) {
  if (!status)
    return;
  bool isInternal = qdeltaStatusGetCode(status) >= QDELTA_ERROR_OUT_OF_MEMORY;
  std::string message = qdeltaStatusGetMessage(status);
  qdeltaStatusDestroy(status);
  throw Failure(message, isInternal ? 3 : 1);
}

void check(const std::string &problem) {
  if (!problem.empty())
    throw Failure(problem);
}

struct Module {
  explicit Module(const std::string &path) {
    check(qdeltaModuleLoadFile(path.c_str(), &module));
  }
  Module(const Module &) = delete;
  ~Module() { qdeltaModuleDestroy(module); }
  qdeltaModule *module = nullptr;
};

const qdeltaKernel *findKernel(const qdeltaModule *module,
                               const std::string &name) {
  const qdeltaKernel *kernel = nullptr;
  if (!name.empty()) {
    check(qdeltaModuleFindKernel(module, name.c_str(), &kernel));
    return kernel;
  }
  if (int64_t count = qdeltaModuleGetNumKernels(module); count != 1)
    throw Failure("expected --function to name one of the artefact's " +
                  std::to_string(count) + " kernels");
  check(qdeltaModuleGetKernel(module, 0, &kernel));
  return kernel;
}

bool isWritten(const qdeltaArgument &argument) {
  return argument.role == QDELTA_ROLE_OUTPUT ||
         argument.role == QDELTA_ROLE_FINAL_STATE;
}

int64_t sizeOf(int64_t dimension, const Options &options) {
  static const char *const names[] = {"B", "T", "HV", "H"};
  if (dimension >= 0)
    return dimension;
  std::string name = names[-1 - dimension];
  auto size = options.sizes.find(name);
  if (size == options.sizes.end() && name == "HV")
    size = options.sizes.find("H");
  if (size == options.sizes.end())
    throw Failure("expected --shape to give " + name);
  return size->second;
}

/// Tokens of vectors: norm 1; other tokens: -0.1 times the size of a Gaussian,
/// as log decays are; states: 0.1 times a Gaussian; a parameter called scale:
/// K^-1/2; other parameters: a Gaussian.
void fillRandomly(const qdeltaArgument &argument, int64_t keys, Array &array,
                  std::mt19937_64 &random) {
  std::normal_distribution<float> gauss;
  int64_t size = array.size(), row = argument.rank == 4 ? array.shape[3] : 1;
  bool isVector = argument.role == QDELTA_ROLE_TOKEN && argument.rank == 4;
  bool isScale = argument.role == QDELTA_ROLE_PARAM &&
                 std::string(argument.name) == "scale";
  std::vector<float> numbers(static_cast<size_t>(std::max<int64_t>(row, 1)));
  for (int64_t i = 0; i < size; i += row) {
    float square = 0;
    for (float &x : numbers) {
      x = gauss(random);
      square += x * x;
    }
    float scale = isVector ? 1 / std::sqrt(square)
                  : argument.role == QDELTA_ROLE_INITIAL_STATE ? 0.1f
                                                               : 1.0f;
    for (int64_t c = 0; c < row; ++c) {
      float x = numbers[static_cast<size_t>(c)] * scale;
      if (argument.role == QDELTA_ROLE_TOKEN && !isVector)
        x = -0.1f * std::fabs(x);
      if (isScale)
        x = 1 / std::sqrt(static_cast<float>(std::max<int64_t>(keys, 1)));
      array.set(i + c, x);
    }
  }
}

/// The key dimension of the first state that has one.
int64_t keysOf(const std::vector<const qdeltaArgument *> &arguments) {
  for (const qdeltaArgument *argument : arguments)
    if (argument->role == QDELTA_ROLE_INITIAL_STATE && argument->rank >= 3)
      return argument->shape[2];
  return 1;
}

void checkNames(const std::map<std::string, std::string> &files,
                const std::vector<const qdeltaArgument *> &arguments,
                bool written, const char *option) {
  for (const auto &[name, file] : files) {
    std::string known;
    bool found = false;
    for (const qdeltaArgument *argument : arguments)
      if (isWritten(*argument) == written) {
        found |= argument->name == name;
        known += std::string(known.empty() ? "" : ", ") + argument->name;
      }
    if (!found)
      throw Failure(std::string(option) + " got unknown name " + name +
                    "; known are " + known);
  }
}

std::vector<Array>
makeArrays(const std::vector<const qdeltaArgument *> &arguments,
           const Options &options) {
  std::vector<Array> arrays;
  std::mt19937_64 random(options.seed);
  for (const qdeltaArgument *argument : arguments) {
    Array &array = arrays.emplace_back();
    array.dtype = argument->dtype;
    for (int32_t d = 0; d < argument->rank; ++d)
      array.shape.push_back(sizeOf(argument->shape[d], options));
    if (!array.allocate())
      throw Failure(std::string("expected ") + argument->name +
                    " to have less than 2^40 bytes, but got shape " +
                    formatShape(array.shape));
    auto input = options.inputs.find(argument->name);
    if (isWritten(*argument))
      for (int64_t i = 0; i < array.size(); ++i)
        array.set(i, NAN);
    else if (input != options.inputs.end())
      check(readNpy(input->second, array));
    else
      fillRandomly(*argument, keysOf(arguments), array, random);
  }
  return arrays;
}

void launch(const qdeltaModule *module, const qdeltaKernel *kernel,
            std::vector<Array> &arrays, const Options &options) {
  bool isCuda = options.engine == QDELTA_ENGINE_CUDA;
  std::unique_ptr<DeviceMemory> memory;
  if (isCuda)
    check(DeviceMemory::open(0, memory));
  std::vector<DLTensor> tensors;
  std::vector<DLTensor *> pointers;
  for (Array &array : arrays) {
    DLTensor &tensor = tensors.emplace_back();
    tensor = {};
    tensor.data = array.bytes.data();
    tensor.device = {isCuda ? kDLCUDA : kDLCPU, 0};
    tensor.ndim = static_cast<int32_t>(array.shape.size());
    tensor.dtype = array.dtype;
    tensor.shape = array.shape.data();
    if (!isCuda)
      continue;
    check(memory->allocate(array.bytes.size(), tensor.data));
    check(memory->upload(tensor.data, array.bytes.data(), array.bytes.size()));
  }
  for (DLTensor &tensor : tensors)
    pointers.push_back(&tensor);
  qdeltaLaunchOptions launchOptions = {};
  launchOptions.struct_size = sizeof(launchOptions);
  launchOptions.threads = options.threads;
  launchOptions.engine = options.engine;
  launchOptions.seed = options.seed;
  if (!options.target.empty())
    launchOptions.target = options.target.c_str();
  check(qdeltaLaunch(kernel, pointers.data(),
                     static_cast<int64_t>(pointers.size()), &launchOptions));
  if (!isCuda)
    return;
  check(qdeltaSynchronize(module, 0, nullptr));
  for (size_t i = 0; i < arrays.size(); ++i)
    check(memory->download(arrays[i].bytes.data(), tensors[i].data,
                           arrays[i].bytes.size()));
}

void runOrThrow(const Options &options) {
  Module loaded(options.file);
  const qdeltaKernel *kernel = findKernel(loaded.module, options.function);
  std::vector<const qdeltaArgument *> arguments;
  for (int64_t i = 0; i < qdeltaKernelGetNumArguments(kernel); ++i)
    arguments.push_back(qdeltaKernelGetArgument(kernel, i));
  checkNames(options.inputs, arguments, false, "--input");
  checkNames(options.outputs, arguments, true, "--output");
  std::vector<Array> arrays = makeArrays(arguments, options);
  launch(loaded.module, kernel, arrays, options);
  std::printf("%s on %s of %s\n", qdeltaKernelGetName(kernel),
              options.engineName.c_str(),
              qdeltaModuleGetContents(loaded.module));
  for (size_t i = 0; i < arrays.size(); ++i) {
    if (!isWritten(*arguments[i]))
      continue;
    std::string name = arguments[i]->name;
    double square = 0;
    for (int64_t e = 0; e < arrays[i].size(); ++e)
      square += double(arrays[i].get(e)) * arrays[i].get(e);
    double count = std::max<double>(1, static_cast<double>(arrays[i].size()));
    std::printf("%s %s rms %.6g\n", name.c_str(),
                formatShape(arrays[i].shape).c_str(),
                std::sqrt(square / count));
    if (auto output = options.outputs.find(name);
        output != options.outputs.end())
      check(writeNpy(output->second, arrays[i]));
  }
}
} // namespace

int qdelta::artefact::run(const Options &options) {
  try {
    runOrThrow(options);
    return 0;
  } catch (const Failure &failure) {
    std::fprintf(stderr, "error: %s\n", failure.what());
    return failure.code;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 3;
  }
}

//===- Loaded.cpp - a kernel of an artefact ------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "artefact/Loaded.h"
#include "arrays/KernelArrays.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace qdelta::artefact;
using namespace qdelta::tools;

void qdelta::artefact::check(qdeltaStatus *status) {
  if (!status)
    return;
  // Codes from 9000 on are not about anything that the user gave.
  bool isInternal = qdeltaStatusGetCode(status) >= QDELTA_ERROR_OUT_OF_MEMORY;
  std::string message = qdeltaStatusGetMessage(status);
  qdeltaStatusDestroy(status);
  throw Failure(message, isInternal ? 3 : 1);
}

void qdelta::artefact::check(const std::string &problem) {
  if (!problem.empty())
    throw Failure(problem);
}

int qdelta::artefact::reportingErrors(void (*tool)(const Options &),
                                      const Options &options) {
  auto report = [&](std::string message, int code) {
    if (code == 3)
      message = "internal error: " + message;
    if (code != 1)
      message += "; reproducer: " + options.commandLine;
    std::fflush(stdout);
    std::fprintf(stderr, "error: %s\n", message.c_str());
    return code;
  };
  try {
    tool(options);
    return 0;
  } catch (const Failure &failure) {
    return report(failure.what(), failure.code);
  } catch (const std::bad_alloc &) {
    return report("not enough memory", 1);
  } catch (const std::exception &error) {
    return report(error.what(), 3);
  }
}

static const qdeltaKernel *findKernel(const qdeltaModule *module,
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

Loaded::Loaded(const Options &options) {
  check(qdeltaModuleLoadFile(options.file.c_str(), &module));
  try {
    kernel = findKernel(module, options.function);
  } catch (...) {
    qdeltaModuleDestroy(module);
    throw;
  }
  arguments = argumentsOf(kernel);
  if (std::ranges::any_of(arguments, [](const qdeltaArgument *argument) {
        return isInPlace(*argument);
      })) {
    std::string name = qdeltaKernelGetName(kernel);
    qdeltaModuleDestroy(module);
    throw Failure(
        "this tool does not launch artefacts whose states are updated "
        "in place, as those of kernel " +
        name + " are; programs do, through qdelta-c/Runtime.h");
  }
}

std::vector<Array>
Loaded::makeArrays(const Options &options,
                   const std::map<std::string, int64_t> &sizes,
                   uint64_t seed) const {
  std::vector<Array> arrays;
  for (const qdeltaArgument *argument : arguments) {
    Array &array = arrays.emplace_back();
    array.format = formatOf(argument->dtype);
    check(shapeOf(*argument, sizes, array.shape));
    std::optional<size_t> count = countElements(array.shape);
    if (!count || *count >= size_t(1) << 38)
      throw Failure(std::string("expected ") + argument->name +
                    " to have less than 2^38 elements, but got shape " +
                    formatShape(array.shape));
    auto input = options.inputs.find(argument->name);
    if (input != options.inputs.end()) {
      std::vector<int64_t> wanted = array.shape;
      check(readNpy(input->second, array));
      if (array.shape != wanted)
        throw Failure("expected " + input->second + " to have shape " +
                      formatShape(wanted) + ", but got " +
                      formatShape(array.shape));
      continue;
    }
    if (argument->role == QDELTA_ROLE_CU_SEQLENS)
      throw Failure(std::string("expected --input ") + argument->name +
                    "=file: it says where the kernel's packed sequences end");
    array.data.assign(*count, NAN);
    if (!isWritten(*argument))
      fillRandomly(describeInput(*argument), keysOf(kernel), seed, {}, array);
  }
  return arrays;
}

std::vector<std::vector<double>>
Loaded::outputsOf(const std::vector<Array> &arrays) const {
  std::vector<std::vector<double>> outputs;
  for (size_t i = 0; i < arrays.size(); ++i)
    if (isWritten(*arguments[i]))
      outputs.push_back(arrays[i].data);
  return outputs;
}

Expectation qdelta::artefact::loadExpectation(const std::string &folder,
                                              const Loaded &loaded) {
  Expectation expectation;
  check(tools::loadExpectation(folder, expectation));
  std::vector<const qdeltaArgument *> outputs;
  for (const qdeltaArgument *argument : loaded.arguments)
    if (isWritten(*argument))
      outputs.push_back(argument);
  bool fits = outputs.size() == expectation.outputs.size();
  for (size_t i = 0; fits && i < outputs.size(); ++i) {
    std::vector<int64_t> shape;
    check(shapeOf(*outputs[i], expectation.sizes, shape));
    fits = outputs[i]->name == expectation.outputs[i].name &&
           shape == expectation.outputs[i].values.shape;
  }
  if (!fits)
    throw Failure(folder +
                  " is not of a kernel with the outputs and sizes of " +
                  qdeltaKernelGetName(loaded.kernel));
  return expectation;
}

void qdelta::artefact::printChecked(const std::vector<OutputError> &errors,
                                    Format products, const std::string &engine,
                                    const std::string &against,
                                    std::FILE *table) {
  std::fputs(formatTable(errors, products).c_str(), table);
  if (!std::ranges::all_of(errors, &OutputError::isRight))
    throw Failure(engine + " differs from " + against +
                      " by more than the error of " +
                      std::string(reference::formatName(products)) + " allows",
                  2);
}

//===- ModelKernel.cpp - a model's kernel on guarded memory --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ModelKernel.h"
#include "data/Failure.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace qdelta;
using namespace qdelta::test;
using tools::Array;
using tools::Format;

static size_t bytesOf(const Array &array) {
  return array.data.size() *
         static_cast<size_t>(reference::formatBytes(array.format));
}

static llvm::Expected<Array>
makeArray(const qdeltaArgument &argument, int64_t keys,
          const std::map<std::string, int64_t> &sizes) {
  Array array;
  array.format = tools::formatOf(argument.dtype);
  if (std::string problem = tools::shapeOf(argument, sizes, array.shape);
      !problem.empty())
    return tools::userError(problem);
  array.data.assign(*tools::countElements(array.shape), NAN);
  if (!tools::isWritten(argument))
    tools::fillRandomly(tools::describeInput(argument), keys, 1, {}, array);
  return array;
}

llvm::Expected<std::unique_ptr<ModelKernel>>
ModelKernel::get(llvm::StringRef model, const CompileOptions &options,
                 const std::map<std::string, int64_t> &sizes) {
  std::unique_ptr<ModelKernel> result(new ModelKernel);
  auto read = Model::read(model, options.dtype);
  if (!read)
    return read.takeError();
  result->model = std::move(*read);
  auto kernel = result->model->compile(options, options.key, options.value);
  if (!kernel)
    return kernel.takeError();
  result->kernel = std::make_unique<tools::LoadedKernel>(std::move(*kernel));
  int64_t keys = tools::keysOf(result->kernel->get());
  for (const qdeltaArgument *argument : result->arguments()) {
    llvm::Expected<Array> array = makeArray(*argument, keys, sizes);
    if (!array)
      return array.takeError();
    result->seeded.push_back(std::move(*array));
  }
  return result;
}

llvm::Expected<Arrays> ModelKernel::run(const Arrays &arrays, Side side) const {
  Arrays result = arrays;
  std::vector<GuardedBuffer> buffers;
  std::vector<DLTensor> tensors;
  for (Array &array : result) {
    buffers.emplace_back(bytesOf(array), side);
    void *memory = buffers.back().bytes().data();
    tools::storeElements(array.data, array.format, memory);
    tensors.push_back(tools::asDLTensor(array.shape, memory, array.format));
  }
  std::vector<DLTensor *> pointers;
  for (DLTensor &tensor : tensors)
    pointers.push_back(&tensor);
  if (llvm::Error error = kernel->launch(pointers, 1))
    return error;
  for (auto [argument, buffer, array] :
       llvm::zip(arguments(), buffers, result)) {
    if (!buffer.isIntact())
      return tools::userError(llvm::Twine("bytes around ") + argument->name +
                              " changed");
    std::vector<double> before = array.data;
    tools::loadElements(buffer.bytes().data(), array.format, array.data);
    bool isSame =
        std::ranges::equal(before, array.data, [](double a, double b) {
          return a == b || (std::isnan(a) && std::isnan(b));
        });
    if (!tools::isWritten(*argument) && !isSame)
      return tools::userError(llvm::Twine("the kernel wrote to ") +
                              argument->name);
  }
  return result;
}

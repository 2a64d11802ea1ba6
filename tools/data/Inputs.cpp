//===- Inputs.cpp - seeded inputs that fit their arguments' domains ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Inputs.h"
#include "arrays/RandomInputs.h"
#include "data/Failure.h"

#include <cmath>

using namespace qdelta::tools;
using llvm::StringRef;
using qdelta::reference::roundTo;

llvm::Expected<std::vector<double>> qdelta::tools::parseDecays(StringRef text) {
  std::vector<double> decays;
  llvm::SmallVector<StringRef> fields;
  text.split(fields, ',', -1, /*KeepEmpty=*/false);
  for (StringRef field : fields) {
    double value;
    bool isErased = field.trim() == "-inf";
    if (!isErased && (field.trim().getAsDouble(value) || !(value <= 0)))
      return userError("expected --decays to list numbers of at most 0, such "
                       "as 0,-1e-8,-inf, but got '" +
                       field + "'");
    decays.push_back(isErased ? -INFINITY : value);
  }
  return decays;
}

llvm::Error qdelta::tools::parseParam(StringRef text,
                                      const Signature &signature,
                                      std::map<std::string, double> &params) {
  auto [name, number] = text.split('=');
  double value;
  if (number.trim().getAsDouble(value))
    return userError("expected --param name=number, but got '" + text + "'");
  std::vector<Argument> known;
  for (const Argument &argument : signature.inputs)
    if (argument.role == QDELTA_ROLE_PARAM)
      known.push_back(argument);
  llvm::Expected<size_t> index = findArgument(known, name, "--param");
  if (!index)
    return index.takeError();
  params[name.str()] = value;
  return llvm::Error::success();
}

static FloatTensor draw(const Argument &argument, const Sizes &sizes,
                        const InputOptions &options) {
  FloatTensor tensor;
  tensor.shape = shapeOf(argument, sizes);
  size_t count = 1;
  for (int64_t size : tensor.shape)
    count *= static_cast<size_t>(size);
  tensor.data.resize(count);
  auto fixed = options.params.find(argument.name);
  if (fixed != options.params.end() && argument.role == QDELTA_ROLE_PARAM) {
    llvm::fill(tensor.data, roundTo(argument.format, fixed->second));
    return tensor;
  }
  if (argument.role == QDELTA_ROLE_POSITION && !options.position.empty()) {
    for (auto [index, position] : llvm::enumerate(tensor.data))
      position = static_cast<double>(
          options.position[index % options.position.size()]);
    return tensor;
  }
  Array array{argument.format, std::move(tensor.shape), std::move(tensor.data)};
  fillRandomly({argument.name, argument.role, argument.domain, argument.low,
                argument.high},
               sizes.at("K"), options.seed, options.decays, array);
  return {std::move(array.shape), std::move(array.data)};
}

std::vector<FloatTensor>
qdelta::tools::makeInputs(const Signature &signature, const Sizes &sizes,
                          llvm::ArrayRef<std::optional<FloatTensor>> given,
                          const InputOptions &options) {
  std::vector<FloatTensor> inputs;
  for (auto [argument, tensor] : llvm::zip(signature.inputs, given))
    inputs.push_back(tensor ? *tensor : draw(argument, sizes, options));
  return inputs;
}

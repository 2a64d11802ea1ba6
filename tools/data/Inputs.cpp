//===- Inputs.cpp - seeded inputs that fit their arguments' domains ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Inputs.h"
#include "data/Failure.h"

#include "llvm/Support/xxhash.h"

#include <cmath>
#include <numbers>
#include <random>

using namespace qdelta::tools;
using llvm::StringRef;
using qdelta::reference::roundTo;

namespace {
/// The standard's distributions differ between libraries; these do not.
class Random {
public:
  Random(uint64_t seed, StringRef name)
      : bits(seed ^ llvm::xxh3_64bits(name)) {}

  /// From 0 up to 1.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

  double gaussian() {
    double radius = std::sqrt(-2 * std::log1p(-uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

private:
  std::mt19937_64 bits;
};
} // namespace

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

static double drawOne(const Argument &argument, Random &random) {
  switch (argument.domain) {
  case Domain::LogDecay:
    return -0.1 * std::abs(random.gaussian());
  case Domain::Range:
    return argument.low + (argument.high - argument.low) * random.uniform();
  case Domain::Unit:
  case Domain::Any:
    break;
  }
  double scale = argument.role == QDELTA_ROLE_INITIAL_STATE ? 0.1 : 1.0;
  return scale * random.gaussian();
}

/// Scales each vector of the last dimension, of `size` elements, to norm 1.
static void normalise(std::vector<double> &data, size_t size, Format format) {
  for (size_t first = 0; first < data.size(); first += size) {
    double square = 0;
    for (size_t i = first; i < first + size; ++i)
      square += data[i] * data[i];
    for (size_t i = first; i < first + size; ++i)
      data[i] = roundTo(format, data[i] / std::sqrt(square));
  }
}

static void mixDecays(std::vector<double> &data, llvm::ArrayRef<double> decays,
                      Random &random) {
  for (double &x : data) {
    auto choice = static_cast<size_t>(random.uniform() * 20);
    if (choice < decays.size())
      x = decays[choice];
  }
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
  if (argument.name == "scale" && argument.role == QDELTA_ROLE_PARAM) {
    auto key = static_cast<double>(sizes.at("K"));
    llvm::fill(tensor.data, roundTo(argument.format, 1 / std::sqrt(key)));
    return tensor;
  }
  Random random(options.seed, argument.name);
  // Narrow numbers are those of f32, rounded once more.
  Format made = argument.format == Format::F64 ? Format::F64 : Format::F32;
  for (double &x : tensor.data)
    x = roundTo(made, drawOne(argument, random));
  if (argument.domain == Domain::Unit)
    normalise(tensor.data, static_cast<size_t>(tensor.shape.back()), made);
  if (argument.domain == Domain::LogDecay)
    mixDecays(tensor.data, options.decays, random);
  for (double &x : tensor.data)
    x = roundTo(argument.format, x);
  return tensor;
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

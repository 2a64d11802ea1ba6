//===- Expectation.cpp - what a run must give, in a folder ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "arrays/Expectation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace qdelta::tools;
namespace reference = qdelta::reference;

static constexpr char firstLine[] = "qdelta 1";

static std::string pathOf(const std::string &folder, const std::string &file) {
  return folder + "/" + file;
}

std::string qdelta::tools::boundsFile(const std::string &folder) {
  return pathOf(folder, "cu_seqlens.npy");
}

std::vector<OutputError>
Expectation::compare(const std::vector<std::vector<double>> &got,
                     double allowed) const {
  std::vector<OutputError> errors;
  for (size_t i = 0; i < outputs.size(); ++i)
    errors.push_back(measureError(outputs[i].name, got[i],
                                  outputs[i].values.data, outputs[i].loopError,
                                  allowed, products));
  return errors;
}

std::string qdelta::tools::saveExpectation(const std::string &folder,
                                           const Expectation &expectation) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code)
    return "cannot make folder " + folder + ": " + code.message();
  std::string path = pathOf(folder, "expected.txt"), sizes;
  for (const auto &[name, size] : expectation.sizes)
    sizes += (sizes.empty() ? "" : ",") + name + "=" + std::to_string(size);
  std::ofstream file(path);
  file << firstLine << "\nshape " << sizes << "\nseed " << expectation.seed
       << "\nproducts " << reference::formatName(expectation.products) << "\n";
  if (expectation.isPacked) {
    file << "packed " << expectation.cuSeqlens.data.size() - 1 << "\n";
    if (std::string problem =
            writeNpy(boundsFile(folder), expectation.cuSeqlens);
        !problem.empty())
      return problem;
  }
  for (const Expectation::Output &output : expectation.outputs) {
    file << "output " << output.name << " " << output.loopError << "\n";
    if (std::string problem =
            writeNpy(pathOf(folder, output.name + ".npy"), output.values);
        !problem.empty())
      return problem;
  }
  file.close();
  return file ? "" : "cannot write " + path + ": " + std::strerror(errno);
}

bool qdelta::tools::parseSizes(std::string_view text,
                               std::map<std::string, int64_t> &sizes) {
  constexpr std::string_view known[] = {"B", "T", "H", "HV", "K", "V"};
  while (!text.empty()) {
    std::string_view field = text.substr(0, text.find(','));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
    size_t equals = std::min(field.find('='), field.size());
    std::string_view name = field.substr(0, equals);
    const char *begin = field.data() + std::min(equals + 1, field.size());
    const char *end = field.data() + field.size();
    int64_t size;
    auto [stop, error] = std::from_chars(begin, end, size);
    if (std::ranges::find(known, name) == std::end(known) ||
        error != std::errc() || stop != end || size < 0)
      return false;
    sizes[std::string(name)] = size;
  }
  return true;
}

/// Reads one line after the first. Returns whether it is well formed.
static bool readLine(const std::string &line, Expectation &expectation) {
  std::istringstream words(line);
  std::string key, value;
  words >> key >> value;
  if (key == "shape")
    return parseSizes(value, expectation.sizes);
  if (key == "seed")
    return bool(std::istringstream(value) >> expectation.seed);
  if (key == "products") {
    expectation.products = reference::findFormat(value).value_or(Format::TF32);
    return reference::formatName(expectation.products) == value;
  }
  if (key == "packed") {
    expectation.isPacked = true;
    return !value.empty();
  }
  Expectation::Output &output = expectation.outputs.emplace_back();
  output.name = value;
  return key == "output" && bool(words >> output.loopError) &&
         std::isfinite(output.loopError) && output.loopError >= 0;
}

std::string qdelta::tools::loadExpectation(const std::string &folder,
                                           Expectation &expectation) {
  std::string path = pathOf(folder, "expected.txt"), line;
  std::ifstream file(path);
  if (!file)
    return "cannot read " + path + ": " + std::strerror(errno);
  if (!std::getline(file, line) || line != firstLine)
    return path + ": expected '" + firstLine +
           "' to be its first line, but "
           "got '" +
           line.substr(0, 80) + "'";
  while (std::getline(file, line))
    if (!readLine(line, expectation))
      return path + ": cannot read the line '" + line.substr(0, 80) + "'";
  for (Expectation::Output &output : expectation.outputs) {
    if (expectation.products == Format::F64)
      output.values.format = Format::F64;
    if (std::string problem =
            readNpy(pathOf(folder, output.name + ".npy"), output.values);
        !problem.empty())
      return problem;
  }
  return expectation.outputs.empty() ? path + ": expected outputs in it" : "";
}

//===- ArtefactOptions.cpp - the command line for an artefact ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "ArtefactOptions.h"

#include <charconv>
#include <cstring>
#include <fstream>

using namespace qdelta::artefact;

namespace {
template <typename Number>
bool parseNumber(const std::string &text, Number &number) {
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() &&
         !text.empty();
}

std::string parseShape(std::string text,
                       std::map<std::string, int64_t> &sizes) {
  while (!text.empty()) {
    size_t end = std::min(text.find(','), text.size());
    std::string part = text.substr(0, end);
    text.erase(0, end + 1);
    size_t equals = part.find('=');
    std::string name = part.substr(0, equals);
    if (name == "K" || name == "V")
      return "--shape gives " + name + ", which the artefact fixes";
    int64_t size;
    if (equals == std::string::npos ||
        (name != "B" && name != "T" && name != "H" && name != "HV") ||
        !parseNumber(part.substr(equals + 1), size) || size < 0)
      return "expected --shape to be like B=1,T=64,H=2,HV=2, but got '" + part +
             "'";
    sizes[name] = size;
  }
  return "";
}

std::string parseEngine(const std::string &text, Options &options) {
  options.engineName = text;
  if (text == "cpu")
    options.engine = QDELTA_ENGINE_CPU;
  else if (text == "emulated")
    options.engine = QDELTA_ENGINE_EMULATED;
  else if (text == "cuda")
    options.engine = QDELTA_ENGINE_CUDA;
  else
    return "expected --engine to be one of cpu, emulated, cuda for an "
           "artefact, but got " +
           text;
  return "";
}

std::string parseFile(const std::string &option, const std::string &text,
                      std::map<std::string, std::string> &files) {
  size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
    return "expected " + option + " name=file, but got '" + text + "'";
  files[text.substr(0, equals)] = text.substr(equals + 1);
  return "";
}

std::string setOption(const std::string &name, const std::string &value,
                      Options &options) {
  if (name == "shape")
    return parseShape(value, options.sizes);
  if (name == "engine")
    return parseEngine(value, options);
  if (name == "input")
    return parseFile("--input", value, options.inputs);
  if (name == "output")
    return parseFile("--output", value, options.outputs);
  if (name == "threads")
    return parseNumber(value, options.threads)
               ? ""
               : "expected --threads to be a number, but got " + value;
  if (name == "seed")
    return parseNumber(value, options.seed)
               ? ""
               : "expected --seed to be a number, but got " + value;
  if (name == "function")
    options.function = value;
  else if (name == "target")
    options.target = value;
  else
    return "--" + name +
           " is not for artefacts; known are --engine, "
           "--function, --input, --output, --seed, --shape, --target and "
           "--threads";
  return "";
}
} // namespace

std::string
qdelta::artefact::parseOptions(const std::vector<std::string> &arguments,
                               Options &options) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string &argument = arguments[i];
    size_t dashes = std::min(argument.find_first_not_of('-'), argument.size());
    if (dashes == 0) {
      if (!options.file.empty())
        return "expected one file, but got " + options.file + " and " +
               argument;
      options.file = argument;
      continue;
    }
    std::string name = argument.substr(dashes), value;
    if (size_t equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.erase(equals);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    }
    if (std::string problem = setOption(name, value, options); !problem.empty())
      return problem;
  }
  return "";
}

static bool isArtefact(const std::string &path) {
  constexpr char magic[] = "\x10\xff\x10\xad";
  if (path.size() >= 4 && path.compare(path.size() - 4, 4, ".qda") == 0)
    return true;
  char first[4] = {};
  std::ifstream(path, std::ios::binary).read(first, sizeof(first));
  return std::memcmp(first, magic, sizeof(first)) == 0;
}

std::string
qdelta::artefact::findArtefact(const std::vector<std::string> &arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    bool isOption = arguments[i].compare(0, 1, "-") == 0;
    if (!isOption && isArtefact(arguments[i]))
      return arguments[i];
    // An option without `=` may take the next argument; one that is an artefact
    // is the file all the same.
  }
  return "";
}

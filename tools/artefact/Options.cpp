//===- Options.cpp - the command line for an artefact --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "artefact/Options.h"
#include "arrays/Expectation.h"
#include "arrays/KernelArrays.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <unistd.h>

using namespace qdelta::artefact;

namespace {
template <typename Number>
std::string parseNumber(const std::string &option, const std::string &text,
                        Number &number) {
  const char *end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stop == end && !text.empty())
    return "";
  return "expected --" + option + " to be a number, but got " + text;
}

std::string parseShape(const std::string &text,
                       std::map<std::string, int64_t> &sizes) {
  if (!qdelta::tools::parseSizes(text, sizes))
    return "expected --shape to be like B=1,T=64,H=2,HV=2, but got '" + text +
           "'";
  for (const char *name : {"K", "V"})
    if (sizes.count(name))
      return std::string("--shape gives ") + name +
             ", which the artefact fixes";
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
  if (name == "input")
    return parseFile("--input", value, options.inputs);
  if (name == "output")
    return parseFile("--output", value, options.outputs);
  if (name == "threads")
    return parseNumber(name, value, options.threads);
  if (name == "repeat")
    return parseNumber(name, value, options.repeat);
  if (name == "seed")
    return parseNumber(name, value, options.seed);
  const std::pair<const char *, std::string *> texts[] = {
      {"engine", &options.engine},     {"function", &options.function},
      {"target", &options.target},     {"check-against", &options.checkAgainst},
      {"expected", &options.expected}, {"emulate", &options.emulate},
      {"json", &options.json}};
  for (auto [known, text] : texts)
    if (name == known)
      *text = value;
  return "";
}

std::string unknownOption(const std::string &name,
                          const std::vector<std::string> &known) {
  std::string list;
  for (size_t i = 0; i < known.size(); ++i)
    list += (i == 0                  ? ""
             : i + 1 == known.size() ? " and "
                                     : ", ") +
            ("--" + known[i]);
  return "--" + name + " is not for artefacts; known are " + list;
}
} // namespace

std::string
qdelta::artefact::parseOptions(const std::vector<std::string> &arguments,
                               const std::vector<std::string> &known,
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
    if (!std::binary_search(known.begin(), known.end(), name))
      return unknownOption(name, known);
    if (std::string problem = setOption(name, value, options); !problem.empty())
      return problem;
  }
  return "";
}

std::string qdelta::artefact::makeLaunchOptions(const Options &options,
                                                const std::string &engine,
                                                qdeltaLaunchOptions &launch) {
  launch = {};
  launch.struct_size = sizeof(launch);
  launch.threads = options.threads;
  static const std::pair<const char *, qdeltaEngine> engines[] = {
      {"cpu", QDELTA_ENGINE_CPU},
      {"emulated", QDELTA_ENGINE_EMULATED},
      {"cuda", QDELTA_ENGINE_CUDA}};
  const auto *found = std::ranges::find_if(
      engines, [&](const auto &known) { return engine == known.first; });
  if (found == std::end(engines))
    return "expected --engine to be one of cpu, emulated, cuda for an "
           "artefact, but got " +
           engine;
  launch.engine = found->second;
  if (!options.target.empty()) {
    if (launch.engine == QDELTA_ENGINE_CPU)
      return "--target is for engines emulated and cuda: an artefact's CPU "
             "code is the first that this machine runs";
    launch.target = options.target.c_str();
  }
  if (options.emulate.empty() || launch.engine != QDELTA_ENGINE_EMULATED)
    return "";
  return tools::parseEmulation(options.emulate, launch);
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

static int startSource(char **argv) {
  char self[4096];
  ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 16);
  if (length < 0) {
    std::fprintf(stderr, "error: cannot read /proc/self/exe: %s\n",
                 std::strerror(errno));
    return 3;
  }
  std::string program(self, static_cast<size_t>(length));
  program += "-source";
  execv(program.c_str(), argv);
  std::fprintf(stderr,
               "error: cannot start %s, which runs sources: %s; artefacts "
               "(.qda) run without it\n",
               program.c_str(), std::strerror(errno));
  return 1;
}

int qdelta::artefact::runTool(int argc, char **argv,
                              const std::vector<std::string> &known,
                              int (*run)(const Options &options)) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (findArtefact(arguments).empty())
    return startSource(argv);
  Options options;
  for (int i = 0; i < argc; ++i)
    options.commandLine += (i == 0 ? "" : " ") + std::string(argv[i]);
  std::string problem = parseOptions(arguments, known, options);
  if (problem.empty())
    return run(options);
  std::fprintf(stderr, "error: %s\n", problem.c_str());
  return 1;
}

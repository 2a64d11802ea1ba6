//===- Options.h - the command line for an artefact ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_ARTEFACT_OPTIONS_H
#define QDELTA_TOOLS_ARTEFACT_OPTIONS_H

#include "qdelta-c/Runtime.h"

#include <map>
#include <string>
#include <vector>

namespace qdelta::artefact {

/// What the command line says; a tool takes some of it.
struct Options {
  std::string file, function, target;
  std::map<std::string, std::string> inputs, outputs;
  /// B, T, H and HV.
  std::map<std::string, int64_t> sizes;
  std::string engine = "cpu";
  /// Another engine to compare with; a folder of an Expectation.
  std::string checkAgainst, expected;
  std::string emulate, json;
  int32_t threads = 0, repeat = 15;
  uint64_t seed = 0;
  /// The whole line, which is all that a launch depends on but its files.
  std::string commandLine;
};

/// Reads `arguments`, in which only options called one of `known`, sorted, may
/// be. Returns what is wrong, "" for nothing.
std::string parseOptions(const std::vector<std::string> &arguments,
                         const std::vector<std::string> &known,
                         Options &options);

/// The launch's part of the options for an engine, which is cpu, emulated or
/// cuda. `options` must outlive it. Returns what is wrong.
std::string makeLaunchOptions(const Options &options, const std::string &engine,
                              qdeltaLaunchOptions &launch);

/// The argument that is an artefact by its first bytes or its name's end; ""
/// if there is none. The values of options do not count.
std::string findArtefact(const std::vector<std::string> &arguments);

/// The main function of a tool that runs artefacts itself, by `run`, and needs
/// no LLVM for that; sources go to the program beside it, called as it is with
/// `-source` at the end, that has the compiler in it.
int runTool(int argc, char **argv, const std::vector<std::string> &known,
            int (*run)(const Options &options));

} // namespace qdelta::artefact

#endif // QDELTA_TOOLS_ARTEFACT_OPTIONS_H

//===- qdelta-run.cpp - run an artefact, or a recurrence's source --------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// What users call. It runs artefacts itself and needs no LLVM for that; sources
// go to qdelta-run-source, the program beside it that has the compiler in it.
//
//===----------------------------------------------------------------------===//

#include "RunArtefact.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>

using namespace qdelta::artefact;

static int runSource(char **argv) {
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

int main(int argc, char **argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (findArtefact(arguments).empty())
    return runSource(argv);
  Options options;
  std::string problem = parseOptions(arguments, options);
  if (problem.empty())
    return run(options);
  std::fprintf(stderr, "error: %s\n", problem.c_str());
  return 1;
}

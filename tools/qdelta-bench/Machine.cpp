//===- Machine.cpp - where a measurement was made ------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "qdelta/Runtime/ThreadPool.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

using llvm::StringRef;

/// The first value of a field of /proc/cpuinfo.
static StringRef findField(StringRef text, StringRef field) {
  while (!text.empty()) {
    auto [line, rest] = text.split('\n');
    auto [name, value] = line.split(':');
    if (name.trim() == field)
      return value.trim();
    text = rest;
  }
  return "?";
}

std::string qdelta::tools::describeMachine() {
  // The file has no size, so it is read as a stream.
  auto file = llvm::MemoryBuffer::getFileAsStream("/proc/cpuinfo");
  if (!file)
    return "unknown";
  StringRef text = (*file)->getBuffer();
  std::string cores = std::to_string(runtime::ThreadPool::countCores());
  return (findField(text, "model name") + ", family " +
          findField(text, "cpu family") + " model " + findField(text, "model") +
          ", " + cores + " cores")
      .str();
}

std::string qdelta::tools::findCommit() {
  auto git = llvm::sys::findProgramByName("git");
  llvm::SmallString<128> path;
  if (!git || llvm::sys::fs::createTemporaryFile("qdelta-commit", "", path))
    return "unknown";
  llvm::FileRemover remover(path);
  StringRef arguments[] = {*git,       "-C",       QDELTA_SOURCE_DIR,
                           "describe", "--always", "--dirty"};
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(path),
                                          StringRef()};
  if (llvm::sys::ExecuteAndWait(*git, arguments, std::nullopt, redirects,
                                /*SecondsToWait=*/10) != 0)
    return "unknown";
  auto file = llvm::MemoryBuffer::getFile(path);
  return file ? (*file)->getBuffer().trim().str() : "unknown";
}

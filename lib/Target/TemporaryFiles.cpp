//===- TemporaryFiles.cpp - files to and from other programs --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "TemporaryFiles.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace qdelta;
using llvm::StringRef;

TemporaryFiles::~TemporaryFiles() {
  for (const std::string &path : paths)
    llvm::sys::fs::remove(path);
}

llvm::Error TemporaryFiles::create(std::initializer_list<StringRef> suffixes) {
  for (StringRef suffix : suffixes) {
    llvm::SmallString<128> path;
    if (std::error_code code =
            llvm::sys::fs::createTemporaryFile("qdelta", suffix, path))
      return makeError("cannot make a temporary file: " + code.message());
    paths.push_back(path.str().str());
  }
  return llvm::Error::success();
}

llvm::Error qdelta::writeFile(const std::string &path, StringRef contents) {
  std::error_code code;
  llvm::raw_fd_ostream file(path, code);
  if (code)
    return makeError("cannot write '" + path + "': " + code.message());
  file << contents;
  file.close();
  if (!file.has_error())
    return llvm::Error::success();
  code = file.error();
  file.clear_error();
  return makeError("cannot write '" + path + "': " + code.message());
}

std::string qdelta::readFile(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

llvm::Error qdelta::makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

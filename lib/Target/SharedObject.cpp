//===- SharedObject.cpp - objects to shared objects -----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Target/SharedObject.h"

#include "TemporaryFiles.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Program.h"

#include <dlfcn.h>

using namespace qdelta;
using llvm::StringRef;

StringRef qdelta::linkerFolder() { return QDELTA_LLVM_TOOLS; }

llvm::Expected<std::string> qdelta::findLinker(StringRef folder) {
  for (StringRef name : {"ld.lld-22", "ld.lld"}) {
    if (auto found = llvm::sys::findProgramByName(name))
      return *found;
    if (auto found = llvm::sys::findProgramByName(name, folder))
      return *found;
  }
  return makeError("found no linker: neither ld.lld-22 nor ld.lld is in PATH "
                   "or " +
                   folder + "; the package is lld-22");
}

/// The file of the library that this process got `symbol` from.
static llvm::Expected<std::string> libraryOf(const char *symbol) {
  Dl_info info;
  void *address = dlsym(RTLD_DEFAULT, symbol);
  if (!address || !dladdr(address, &info) || !info.dli_fname)
    return makeError(llvm::Twine("found no C library that defines '") + symbol +
                     "'");
  return std::string(info.dli_fname);
}

llvm::Expected<std::string> qdelta::linkSharedObject(StringRef object) {
  auto linker = findLinker();
  if (!linker)
    return linker.takeError();
  // Linking against the libraries' own files needs no development package.
  auto libm = libraryOf("fmod");
  if (!libm)
    return libm.takeError();
  // Not `free`, which a sanitizer defines in the program itself.
  auto libc = libraryOf("gnu_get_libc_version");
  if (!libc)
    return libc.takeError();

  TemporaryFiles files;
  if (llvm::Error error = files.create({"o", "so", "log"}))
    return std::move(error);
  const std::string &input = files[0], &output = files[1], &log = files[2];
  if (llvm::Error error = writeFile(input, object))
    return std::move(error);
  std::string problem;
  int status = llvm::sys::ExecuteAndWait(
      *linker,
      {*linker, "-shared", "-z", "defs", "-z", "noexecstack", "--gc-sections",
       "--strip-debug", "--hash-style=gnu", "--as-needed", "-o", output, input,
       *libm, *libc},
      std::nullopt, {StringRef(""), StringRef(log), StringRef(log)}, 0, 0,
      &problem);
  if (status != 0)
    return makeError("cannot link: " +
                     StringRef(readFile(log) + problem).trim());
  return readFile(output);
}

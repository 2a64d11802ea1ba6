//===- SharedObject.cpp - code loaded from memory -------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "SharedObject.h"

#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace qdelta::runtime;

SharedObject::~SharedObject() {
  dlclose(handle);
  if (file >= 0)
    close(file);
}

static void *openLibrary(const std::string &path, std::string &problem) {
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle)
    return handle;
  const char *reason = dlerror();
  problem = reason ? reason : "unknown reason";
  return nullptr;
}

std::unique_ptr<SharedObject> SharedObject::open(const std::string &path,
                                                 std::string &problem) {
  void *handle = openLibrary(path, problem);
  if (!handle)
    return nullptr;
  return std::unique_ptr<SharedObject>(new SharedObject(handle, -1));
}

static bool writeAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

std::unique_ptr<SharedObject> SharedObject::load(std::string_view bytes,
                                                 std::string &problem) {
  int file = memfd_create("qdelta", MFD_CLOEXEC);
  if (file < 0 || !writeAll(file, bytes)) {
    problem = std::string("cannot make a file in memory: ") + strerror(errno);
    if (file >= 0)
      close(file);
    return nullptr;
  }
  void *handle = openLibrary("/proc/self/fd/" + std::to_string(file), problem);
  if (handle)
    return std::unique_ptr<SharedObject>(new SharedObject(handle, file));
  close(file);
  return nullptr;
}

void *SharedObject::find(const char *symbol) const {
  return dlsym(handle, symbol);
}

//===- SharedObject.h - code loaded from memory -----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_SHAREDOBJECT_H
#define QDELTA_LIB_RUNTIME_SHAREDOBJECT_H

#include <memory>
#include <string>
#include <string_view>

namespace qdelta::runtime {

/// A shared object that the system's loader has mapped; unmapped with this.
class SharedObject {
public:
  /// Loads the bytes of an ELF shared object through a file in memory. Null
  /// with the reason in `problem` if that fails.
  static std::unique_ptr<SharedObject> load(std::string_view bytes,
                                            std::string &problem);
  /// Opens a library by name or path.
  static std::unique_ptr<SharedObject> open(const std::string &path,
                                            std::string &problem);
  SharedObject(const SharedObject &) = delete;
  ~SharedObject();

  /// The address of a symbol; null if there is none.
  void *find(const char *symbol) const;

private:
  SharedObject(void *handle, int file) : handle(handle), file(file) {}

  void *handle;
  /// Stays open: the loader takes a path that it has seen for the same object,
  /// and the path has the file's number in it. -1 for none.
  int file;
};

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_SHAREDOBJECT_H

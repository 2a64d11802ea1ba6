//===- TemporaryFiles.h - files to and from other programs ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_TARGET_TEMPORARYFILES_H
#define QDELTA_LIB_TARGET_TEMPORARYFILES_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

#include <string>

namespace qdelta {

/// Empty files with names of their own, removed with this object.
class TemporaryFiles {
public:
  TemporaryFiles() = default;
  TemporaryFiles(const TemporaryFiles &) = delete;
  ~TemporaryFiles();

  /// Makes a file for each suffix.
  llvm::Error create(std::initializer_list<llvm::StringRef> suffixes);

  /// The path of a file made.
  const std::string &operator[](size_t index) const { return paths[index]; }

private:
  llvm::SmallVector<std::string, 3> paths;
};

/// Replaces what is in the file.
llvm::Error writeFile(const std::string &path, llvm::StringRef contents);

/// What is in the file; "" if it cannot be read.
std::string readFile(const std::string &path);

llvm::Error makeError(const llvm::Twine &message);

} // namespace qdelta

#endif // QDELTA_LIB_TARGET_TEMPORARYFILES_H

//===- SharedObject.h - code for this kind of machine -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TARGET_SHAREDOBJECT_H
#define QDELTA_TARGET_SHAREDOBJECT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace llvm {
class Module;
} // namespace llvm

namespace qdelta {

struct Target;

/// The relocatable object of a module for a row of the target table: position
/// independent code, in which only `entries` are visible from outside. The
/// module changes on the way.
llvm::Expected<std::string> emitHostObject(llvm::Module &module,
                                           const Target &target,
                                           llvm::ArrayRef<std::string> entries);

/// Where a linker may be besides PATH: with LLVM's tools.
llvm::StringRef linkerFolder();

/// The linker to use, ld.lld-22 or ld.lld: from PATH, or else from this folder.
/// The error names what was looked for.
llvm::Expected<std::string> findLinker(llvm::StringRef folder = linkerFolder());

/// Links a relocatable object of position-independent code to a shared object
/// that needs nothing but this system's libm and libc, and those only if it
/// uses them. A symbol that neither of them defines is an error.
llvm::Expected<std::string> linkSharedObject(llvm::StringRef object);

} // namespace qdelta

#endif // QDELTA_TARGET_SHAREDOBJECT_H

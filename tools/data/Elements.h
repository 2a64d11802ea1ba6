//===- Elements.h - numbers as a format stores them ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_ELEMENTS_H
#define QDELTA_TOOLS_DATA_ELEMENTS_H

#include "qdelta/Reference/Format.h"

#include "llvm/ADT/ArrayRef.h"

namespace qdelta::tools {

using reference::Format;

/// Writes `numbers`, rounded to `format`, as elements in this machine's order
/// of bytes; `to` is aligned to an element.
void storeElements(llvm::ArrayRef<double> numbers, Format format, void *to);

/// Reads as many elements as `numbers` has.
void loadElements(const void *from, Format format,
                  llvm::MutableArrayRef<double> numbers);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_DATA_ELEMENTS_H

//===- Elements.h - numbers as a format stores them ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_ARRAYS_ELEMENTS_H
#define QDELTA_TOOLS_ARRAYS_ELEMENTS_H

#include "qdelta-c/dlpack.h"
#include "qdelta/Reference/Format.h"

#include <span>

namespace qdelta::tools {

using reference::Format;

/// Writes `numbers`, rounded to `format`, as elements in this machine's order
/// of bytes; `to` is aligned to an element.
void storeElements(std::span<const double> numbers, Format format, void *to);

/// Reads as many elements as `numbers` has.
void loadElements(const void *from, Format format, std::span<double> numbers);

/// DLPack's name of a format that elements are stored in, and back.
DLDataType typeOf(Format format);
Format formatOf(DLDataType type);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_ARRAYS_ELEMENTS_H

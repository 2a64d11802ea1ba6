//===- Format.h - the types that sequences are stored in --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_REFERENCE_FORMAT_H
#define QDELTA_REFERENCE_FORMAT_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>

namespace qdelta::reference {

/// What the elements of a sequence are stored as.
enum class Format { F32, BF16, F16 };

/// `f32`, `bf16` or `f16`.
llvm::StringRef formatName(Format format);
std::optional<Format> findFormat(llvm::StringRef name);

/// Bytes of an element.
inline int64_t formatBytes(Format format) {
  return format == Format::F32 ? 4 : 2;
}

/// Half of the distance from 1 to the next number: the largest relative error
/// of rounding once.
double unitRoundoff(Format format);

/// The nearest number of the format, of two the even one; infinite where that
/// is past the largest. NaN stays NaN.
float roundTo(Format format, float x);

/// The bits of `x` rounded to `format`, which is BF16 or F16, and back.
uint16_t toBits(Format format, float x);
float fromBits(Format format, uint16_t bits);

} // namespace qdelta::reference

#endif // QDELTA_REFERENCE_FORMAT_H

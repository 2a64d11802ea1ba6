//===- Format.h - types of stored and of multiplied numbers -----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_REFERENCE_FORMAT_H
#define QDELTA_REFERENCE_FORMAT_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace qdelta::reference {

/// What the elements of a sequence are stored as, and what tensor cores
/// multiply. Nothing is stored in TF32: it is what they make of f32, a float
/// with 10 bits of mantissa. I32 and I64 are the integers of cu_seqlens.
enum class Format { F32, BF16, F16, TF32, F64, I32, I64 };

/// `f32`, `bf16`, `f16`, `tf32`, `f64`, `i32` or `i64`.
std::string_view formatName(Format format);

/// The format of that name that sequences can be stored in. With F64 all of a
/// recurrence is f64, with the others all but those of vectors is f32.
std::optional<Format> findFormat(std::string_view name);

/// Bytes of an element.
inline int64_t formatBytes(Format format) {
  if (format == Format::F64 || format == Format::I64)
    return 8;
  return format == Format::BF16 || format == Format::F16 ? 2 : 4;
}

/// Half of the distance from 1 to the next number: the largest relative error
/// of rounding once.
double unitRoundoff(Format format);

/// The nearest number of the format; of two the even one, or for TF32, as
/// cvt.rna does, the one further from zero. Infinite where that is past the
/// largest. NaN stays NaN.
float roundTo(Format format, float x);
/// The same of a number that need not be a float: it becomes one first, unless
/// the format is F64. Integers stay as they are.
double roundTo(Format format, double x);

/// The bits of `x` rounded to `format`, which is BF16 or F16, and back.
uint16_t toBits(Format format, float x);
float fromBits(Format format, uint16_t bits);

} // namespace qdelta::reference

#endif // QDELTA_REFERENCE_FORMAT_H

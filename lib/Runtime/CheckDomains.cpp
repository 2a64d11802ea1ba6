//===- CheckDomains.cpp - whether inputs are what a recurrence says ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Launch.h"
#include "Status.h"

#include "qdelta/Reference/Format.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>

using namespace qdelta::runtime;
using qdelta::reference::Format;

/// Rounded elements and sums make a vector of norm 1 longer by less.
static constexpr double kLongestUnit = 1 + 1.0 / 128;

static Format formatOf(DLDataType type) {
  if (type.code == kDLBfloat)
    return Format::BF16;
  return type.bits == 64   ? Format::F64
         : type.bits == 16 ? Format::F16
                           : Format::F32;
}

static double readNumber(Format format, const char *from) {
  if (format == Format::F64) {
    double value;
    std::memcpy(&value, from, sizeof(value));
    return value;
  }
  if (format == Format::F32) {
    float value;
    std::memcpy(&value, from, sizeof(value));
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, from, sizeof(bits));
  return qdelta::reference::fromBits(format, bits);
}

static std::string spell(double number) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", number);
  return text;
}

namespace {
/// The first element, or vector, of a tensor that is outside its domain.
class DomainCheck {
public:
  explicit DomainCheck(const TensorView &view)
      : view(view), argument(*view.argument), format(formatOf(argument.dtype)) {
  }

  qdeltaStatus *run() {
    switch (argument.domain) {
    case QDELTA_DOMAIN_UNIT:
      return forEach(view.rank() - 1, [&](int64_t at) { return unit(at); });
    case QDELTA_DOMAIN_LOG_DECAY:
      return forEach(view.rank(), [&](int64_t at) {
        double log = number(at);
        return log <= 0 ? nullptr
                        : fail("a log decay of at most 0", spell(log));
      });
    case QDELTA_DOMAIN_RANGE:
      return forEach(view.rank(), [&](int64_t at) { return range(at); });
    default:
      return nullptr;
    }
  }

private:
  double number(int64_t at) const {
    return readNumber(format, view.data + at * view.elementBytes());
  }
  qdeltaStatus *unit(int64_t at) const {
    int32_t last = view.rank() - 1;
    double square = 0;
    for (int64_t i = 0; i < view.sizes[last]; ++i)
      square += std::pow(number(at + i * view.strides[last]), 2);
    double norm = std::sqrt(square);
    return norm <= kLongestUnit
               ? nullptr
               : fail("a vector of norm 1", "norm " + spell(norm));
  }
  qdeltaStatus *range(int64_t at) const {
    double value = number(at);
    // What is stored has been rounded, and so are the ends.
    if (value >= qdelta::reference::roundTo(format, argument.low) &&
        value <= qdelta::reference::roundTo(format, argument.high))
      return nullptr;
    return fail("a number from " + spell(argument.low) + " to " +
                    spell(argument.high),
                spell(value));
  }
  /// Calls `check` with the offset of each element of the first `rank`
  /// dimensions.
  qdeltaStatus *forEach(int32_t rank,
                        const std::function<qdeltaStatus *(int64_t)> &check,
                        int64_t at = 0, int32_t d = 0) {
    if (d == rank)
      return check(at);
    for (int64_t i = 0; i < view.sizes[d]; ++i) {
      where[d] = i;
      if (qdeltaStatus *error =
              forEach(rank, check, at + i * view.strides[d], d + 1))
        return error;
    }
    return nullptr;
  }
  qdeltaStatus *fail(const std::string &wanted,
                     const std::string &found) const {
    bool isVector = argument.domain == QDELTA_DOMAIN_UNIT;
    std::string place;
    for (int32_t d = 0; d < view.rank() - isVector; ++d)
      place += (d ? ", " : "") + std::to_string(where[d]);
    return makeStatus(QDELTA_ERROR_DOMAIN, argument.name,
                      "expected " + describe(argument) + " to hold " + wanted +
                          ", but got " + found + " at [" + place + "]");
  }

  const TensorView &view;
  const qdeltaArgument &argument;
  Format format;
  int64_t where[4] = {};
};
} // namespace

qdeltaStatus *Launch::checkDomains() const {
  for (const TensorView &view : views)
    if (!view.isEmpty())
      if (qdeltaStatus *error = DomainCheck(view).run())
        return error;
  return nullptr;
}

//===- RandomInputs.cpp - seeded numbers that fit a domain ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "arrays/RandomInputs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>

using namespace qdelta::tools;
using qdelta::reference::roundTo;

/// `bytes` bytes at `from`, the first one lowest.
static uint64_t load(const char *from, size_t bytes) {
  uint64_t result = 0;
  std::memcpy(&result, from, bytes);
  return result;
}

/// XXH3 of at most eight bytes, in its published constants: it spreads names of
/// one letter over all 64 bits.
static uint64_t hashWord(std::string_view word) {
  size_t size = word.size();
  if (size < 4) {
    auto at = [&](size_t i) { return load(word.data() + i, 1); };
    uint64_t bits =
        size == 0 ? 0
                  : at(0) << 16 | at(size / 2) << 24 | at(size - 1) | size << 8;
    bits ^= size == 0 ? 0x8726f9105dc21ddc : 0x87275a9b;
    bits ^= bits >> 33;
    bits *= 0xc2b2ae3d27d4eb4f;
    bits ^= bits >> 29;
    bits *= 0x165667b19e3779f9;
    return bits ^ bits >> 32;
  }
  uint64_t bits =
      load(word.data() + size - 4, 4) + (load(word.data(), 4) << 32);
  bits ^= 0xc73ab174c5ecd5a2;
  bits ^= std::rotl(bits, 49) ^ std::rotl(bits, 24);
  bits *= 0x9fb21c651e98df25;
  bits ^= (bits >> 35) + size;
  bits *= 0x9fb21c651e98df25;
  return bits ^ bits >> 28;
}

static uint64_t hashName(std::string_view name) {
  uint64_t hash = hashWord(name.substr(0, 8));
  for (size_t i = 8; i < name.size(); i += 8)
    hash = std::rotl(hash, 1) ^ hashWord(name.substr(i, 8));
  return hash;
}

namespace {
/// The standard's distributions differ between libraries; these do not.
class Random {
public:
  Random(uint64_t seed, std::string_view name) : bits(seed ^ hashName(name)) {}

  /// From 0 up to 1.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

  double gaussian() {
    double radius = std::sqrt(-2 * std::log1p(-uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

private:
  std::mt19937_64 bits;
};
} // namespace

static double drawOne(const InputDescription &input, Random &random) {
  switch (input.domain) {
  case QDELTA_DOMAIN_LOG_DECAY:
    return -0.1 * std::abs(random.gaussian());
  case QDELTA_DOMAIN_RANGE:
    return input.low + (input.high - input.low) * random.uniform();
  case QDELTA_DOMAIN_UNIT:
  case QDELTA_DOMAIN_ANY:
    break;
  }
  double scale = input.role == QDELTA_ROLE_INITIAL_STATE ? 0.1 : 1.0;
  return scale * random.gaussian();
}

/// Scales each vector of the last dimension, of `size` elements, to norm 1.
static void normalise(std::vector<double> &data, size_t size, Format format) {
  for (size_t first = 0; first < data.size(); first += size) {
    double square = 0;
    for (size_t i = first; i < first + size; ++i)
      square += data[i] * data[i];
    for (size_t i = first; i < first + size; ++i)
      data[i] = roundTo(format, data[i] / std::sqrt(square));
  }
}

static void mixDecays(std::vector<double> &data, std::span<const double> decays,
                      Random &random) {
  for (double &x : data) {
    auto choice = static_cast<size_t>(random.uniform() * 20);
    if (choice < decays.size())
      x = decays[choice];
  }
}

void qdelta::tools::fillRandomly(const InputDescription &input, int64_t keys,
                                 uint64_t seed, std::span<const double> decays,
                                 Array &array) {
  if (input.name == "scale" && input.role == QDELTA_ROLE_PARAM) {
    auto size = static_cast<double>(std::max<int64_t>(keys, 1));
    std::ranges::fill(array.data, roundTo(array.format, 1 / std::sqrt(size)));
    return;
  }
  // A sequence begins unless somebody says how much of it came before.
  if (input.role == QDELTA_ROLE_POSITION) {
    std::ranges::fill(array.data, 0);
    return;
  }
  Random random(seed, input.name);
  // Narrow numbers are those of f32, rounded once more.
  Format made = array.format == Format::F64 ? Format::F64 : Format::F32;
  for (double &x : array.data)
    x = roundTo(made, drawOne(input, random));
  if (input.domain == QDELTA_DOMAIN_UNIT && !array.data.empty())
    normalise(array.data, static_cast<size_t>(array.shape.back()), made);
  if (input.domain == QDELTA_DOMAIN_LOG_DECAY)
    mixDecays(array.data, decays, random);
  for (double &x : array.data)
    x = roundTo(array.format, x);
}

//===- Generate.h - random programs and sizes to run them at ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_SMITH_GENERATE_H
#define QDELTA_TOOLS_SMITH_GENERATE_H

#include "Program.h"
#include "data/Sizes.h"

namespace qdelta::tools {

/// What one kernel is launched on.
struct Shape {
  Sizes sizes;
  /// Whether log decays of 0, almost 0, -30, -1e4 and -inf are mixed in.
  bool hasExtremes = false;
};

/// A program with what to run it on.
struct Case {
  uint64_t seed = 0;
  Program program;
  /// K and V for the prime field, where a token costs more.
  int64_t exactKey = 1, exactValue = 1;
  /// Of one K and one V.
  std::vector<Shape> shapes;
};

/// What the grammar has beyond what every lowering takes.
struct Features {
  /// Log decays with one value per key channel.
  bool keyDecays = true;
  /// Writes at sums of keys.
  bool keySums = true;
  /// Vector and scalar states.
  bool auxiliaries = true;
  /// A second matrix state.
  bool twoStates = true;
  /// Decays per key channel beside mixes, of which chunks have one token.
  bool mixedChannels = false;
};

/// The case of that seed, the same on every machine. The list has up to two
/// decays (of a parameter or a token, for all key channels or each its own), 1
/// to 5 reads and 1 to 4 writes, in any order; reads and writes share bases,
/// and about a third of the writes use no read. About a third of the programs
/// have one or two vector or scalar states, of which keys and coefficients are
/// made, and a fourth a second matrix state, which reads, writes and mixes
/// couple with the first.
///
/// A state stays within bounds, so that the error of a token loop says
/// something. A read's key is a combination x with |x| <= n. A write either
/// takes back -beta times the read that stands just before it, at that read's
/// own key and with beta <= 1 / n^2, a contraction; or it uses reads y_i of any
/// state and earlier place with coefficients m_i where sum |m_i x_i| |a| <=
/// 1/2, which random keys of norm 1 turn into slow growth at worst. A mix has a
/// factor of at most 1/4.
Case generate(uint64_t seed, const Features &features);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_SMITH_GENERATE_H

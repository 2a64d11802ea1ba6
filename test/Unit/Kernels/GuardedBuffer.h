//===- GuardedBuffer.h - memory that nobody may leave ----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TEST_UNIT_KERNELS_GUARDEDBUFFER_H
#define QDELTA_TEST_UNIT_KERNELS_GUARDEDBUFFER_H

#include <cstddef>
#include <span>

namespace qdelta::test {

/// Which end of a buffer lies against a page that cannot be accessed.
enum class Side { Front, Back };

/// `size` bytes between two pages that cannot be accessed: an access past the
/// chosen end faults. What is left of the pages in between holds a pattern.
class GuardedBuffer {
public:
  GuardedBuffer(size_t size, Side side);
  GuardedBuffer(GuardedBuffer &&other);
  ~GuardedBuffer();

  std::span<std::byte> bytes() const { return used; }
  /// Whether the pattern around the bytes is as it was.
  bool isIntact() const;

private:
  std::span<std::byte> mapping, room, used;
};

} // namespace qdelta::test

#endif // QDELTA_TEST_UNIT_KERNELS_GUARDEDBUFFER_H

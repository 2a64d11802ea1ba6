//===- WgmmaOperand.h - the matrices that wgmma multiplies ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_WGMMAOPERAND_H
#define QDELTA_EMULATOR_WGMMAOPERAND_H

#include "Block.h"
#include "NumberFormats.h"
#include "Products.h"
#include "TensorMapImpl.h"

namespace qdelta::emulator {

/// Operands and result of one wgmma as floats: a 64 x k, b k x n, d 64 x n.
struct WgmmaBuffers {
  explicit WgmmaBuffers(BlockStorage &storage)
      : a(storage.floats(80 * 256 + 64 * 16)), b(a + 64 * 16), d(b + 16 * 256) {
  }

  float *a, *b, *d;
};

/// A matrix descriptor, decoded.
struct WgmmaDescriptor {
  explicit WgmmaDescriptor(uint64_t bits);

  /// The offset in shared memory of the 16 bytes that hold element (mn, k) of
  /// the operand; `byte` becomes its place in them. Elements have
  /// `elementBytes` bytes and 16 bytes run along k, or along mn when
  /// `transposed`.
  uint32_t unitOffset(uint32_t mn, uint32_t k, uint32_t elementBytes,
                      bool transposed, uint32_t &byte) const;

  uint32_t start, leading, stride;
  Swizzle swizzle;
  /// Base offset, which is not modelled.
  uint32_t baseOffset;
};

/// Reads operands from shared memory and remembers where.
class WgmmaReader {
public:
  WgmmaReader(Block &block, Thread &thread, const Operation &op)
      : block(block), thread(thread), op(op) {}

  void readA(uint64_t descriptor, float *a);
  void readB(uint64_t descriptor, float *b);
  /// Tells the shadow about all that was read.
  void checkReads(const Accessor &accessor);

private:
  /// Element (mn, k) goes to `to[mn * mnStep + k * kStep]`.
  void read(uint64_t bits, uint32_t extent, bool transposed, float *to,
            uint32_t mnStep, uint32_t kStep);

  Block &block;
  Thread &thread;
  const Operation &op;
  uint32_t numUnits = 0;
  /// Units of 16 bytes: at most 64 x 32 and 256 x 32 bytes.
  uint32_t units[640];
};

/// A from registers: four of each thread, from argument `first` on.
void readRegistersA(const Warpgroup &group, MatrixType type, uint32_t first,
                    float *a);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_WGMMAOPERAND_H

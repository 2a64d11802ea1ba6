//===- GroupMatrix.h - wgmma, an instruction at a time ---------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_GROUPMATRIX_H
#define QDELTA_CONVERSION_CHUNKTOGPU_GROUPMATRIX_H

#include "Emitter.h"

namespace qdelta::gpu {

/// Products of four warps together. The second operand, and the first unless it
/// is in registers, are tiles with the 128-byte swizzle in shared memory.
class GroupMatrix {
public:
  GroupMatrix(Emitter &e, Format format) : e(e), format(format) {}

  /// Orders the values against the fences and waits around it, which carry no
  /// data: an empty statement that seems to rewrite them.
  void pin(Fragment &values);
  /// Before the first product of a chain, once its registers are written.
  void fence();
  /// The same for a chain that adds onto `sum`; zeros become an empty sum.
  void begin(Fragment &sum);
  /// Ends a chain.
  void commit();
  /// Waits until only `pending` chains are in flight.
  void wait(int64_t pending);

  /// The descriptor of a tile. `leading` is the distance in bytes of groups of
  /// 64 columns where columns are the operand's rows; it is not used otherwise.
  /// Offsets are added to a descriptor in units of 16 bytes.
  Num descriptor(Num address, int64_t leading);

  /// sum [64 x n] += A B for 16 k; an empty sum starts at zero. `a` is four
  /// registers or one descriptor. With `across`, rows of the tile are k.
  void multiply(Fragment &sum, int64_t n, llvm::ArrayRef<Num> a, Num b,
                bool across);

private:
  Emitter &e;
  Format format;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_GROUPMATRIX_H

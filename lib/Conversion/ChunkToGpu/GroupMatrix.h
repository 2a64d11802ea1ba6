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
/// Results are in flight until a wait for their chain; `finish` waits, and
/// gives them new names, because the wait itself carries no data.
class GroupMatrix {
public:
  GroupMatrix(Emitter &e, Format format) : e(e), format(format) {}

  /// Starts a chain that adds onto `sum`; zeros become an empty sum.
  void begin(Fragment &sum);
  /// Before products whose first operands are in the registers `a`: they are
  /// written. Products in flight stay so, of a sum that goes on too.
  void ready(llvm::MutableArrayRef<Num> a);
  /// Ends the chain that makes `sum`, which is in flight from here on; none if
  /// the next chain goes on with it.
  void commit(const Fragment &sum);
  /// Waits for the chain that makes `values`, if one is still in flight. The
  /// caller's copy is renamed; values of finished chains stay finished.
  void finish(Fragment &values);

  /// The descriptor of a tile. `leading` is the distance in bytes of groups of
  /// 64 columns where columns are the operand's rows; it is not used otherwise.
  /// Offsets are added to a descriptor in units of 16 bytes.
  Num descriptor(Num address, int64_t leading);

  /// sum [64 x n] += A B for 16 k; an empty sum starts at zero. `a` is four
  /// registers or one descriptor. With `across`, rows of the tile are k.
  void multiply(Fragment &sum, int64_t n, llvm::ArrayRef<Num> a, Num b,
                bool across);

private:
  void fence();
  void settle(llvm::ArrayRef<mlir::Value> chain);

  Emitter &e;
  Format format;
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> inFlight;
  llvm::DenseMap<mlir::Value, mlir::Value> settled;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_GROUPMATRIX_H

//===- Memory.h - a thread's parts of the arguments ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_LISTTOGPU_MEMORY_H
#define QDELTA_CONVERSION_LISTTOGPU_MEMORY_H

#include "Layout.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qdelta::gpu {

/// This CTA's batch entry and head in the arguments of a kernel: of the
/// function's inputs, then its results. qdelta/Runtime/DeviceKernel.h says how
/// they arrive.
class Memory {
public:
  Memory(Emitter &e, AffineScanOp op, const Layout &layout, mlir::Value params);

  /// T, or of packed sequences the number of tokens of this one.
  Num length() {
    return op.getCuSeqlens() ? sequenceLength
                             : e.narrow(word(numArguments * 5));
  }

  /// Where rows of an argument start: tokens, key channels, or the one row of a
  /// parameter.
  struct Rows {
    mlir::Value base;
    Num stride; ///< in bytes, i64
    mlir::Type element;
    /// Rows are aligned to the pieces they are read in.
    bool aligned;
  };
  Rows rowsOf(unsigned argument);
  mlir::Value row(const Rows &rows, Num index) {
    return e.at(rows.base, e.widen(index) * rows.stride);
  }

  /// Elements of a row as they lie in memory, in registers of 32 bits; 0 where
  /// there is none. `unpack` makes f32 of them.
  Fragment load(mlir::Value row, const Rows &rows,
                llvm::ArrayRef<Piece> pieces);
  static size_t countWords(const Rows &rows, llvm::ArrayRef<Piece> pieces);
  Fragment unpack(llvm::ArrayRef<Num> words, mlir::Type element,
                  llvm::ArrayRef<Piece> pieces);
  /// Stores f32 numbers as elements of a row, where `condition` holds as well.
  void store(llvm::ArrayRef<Num> values, mlir::Value row, const Rows &rows,
             llvm::ArrayRef<Piece> pieces, Num condition);

  /// A thread's part of a state: `lanes` columns of each of its key channels.
  Fragment loadState(unsigned argument, const Place &place);
  void storeState(llvm::ArrayRef<Num> values, unsigned argument,
                  const Place &place);

private:
  Num word(int64_t index);
  mlir::RankedTensorType typeOf(unsigned argument);
  bool isState(unsigned argument);
  /// Where the last input, cu_seqlens or a state index, has its element
  /// `index`; `stride` is in bytes, i64.
  mlir::Value lastAt(Num index, Num stride);
  void findSequence();
  void findStateEntry();
  Fragment loadPiece(mlir::Value pointer, const Rows &rows, int64_t length);
  void storePiece(llvm::ArrayRef<Num> values, mlir::Value pointer,
                  const Rows &rows);
  /// Some adjacent columns of some adjacent channels.
  struct Patch {
    mlir::Value pointer;
    Num present;
    int64_t channels, columns;
    int64_t first; ///< number in a thread's part of the state
  };
  llvm::SmallVector<Patch> patchesOf(const Rows &rows, const Place &place);

  Emitter &e;
  AffineScanOp op;
  const Layout &layout;
  mlir::Value params;
  int64_t numArguments;
  /// The entry of the states is the batch entry, or what an index says.
  Num batch, head, valueHeads, stateEntry;
  /// Of packed sequences, i32.
  Num firstToken, sequenceLength;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_LISTTOGPU_MEMORY_H

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

/// The tensors of a kernel: of a list or prescan the token inputs, parameters
/// initial states and cu_seqlens or a state index if there is one, then the
/// outputs and, unless they replace the initial ones, the final states.
struct KernelTensors {
  static KernelTensors get(AffineScanOp op);
  static KernelTensors get(PrescanOp op);

  llvm::SmallVector<mlir::RankedTensorType> types;
  unsigned tokens = 0, params = 0, states = 0, outputs = 0;
  bool isPacked = false, isIndexed = false, inPlace = false;
  /// Of a list: initial states are read transposed, and final ones dropped.
  bool transposed = false;

  unsigned firstInit() const { return tokens + params; }
  unsigned inputs() const {
    return firstInit() + states + (isPacked || isIndexed);
  }
  unsigned firstFinal() const {
    return inPlace ? firstInit() : inputs() + outputs;
  }
  /// Which tensor each final state replaces.
  llvm::SmallVector<int64_t> replaced() const;
  bool isParameter(unsigned tensor) const {
    return tensor >= tokens && tensor < tokens + params;
  }
  bool isState(unsigned tensor) const {
    return (tensor >= firstInit() && tensor < firstInit() + states) ||
           tensor >= inputs() + outputs;
  }
};

/// A batch entry and head of a kernel's tensors, in the rows that a thread has
/// pieces of. qdelta/Runtime/DeviceKernel.h says how they arrive.
class Rows {
public:
  /// `item` is the batch entry times HV plus the head.
  Rows(Emitter &e, KernelTensors tensors, mlir::Value params, Num item);

  /// T, or of packed sequences the number of tokens of this one.
  Num length() {
    return tensors.isPacked ? sequenceLength : lengthOf(e, tensors, params);
  }
  /// T.
  static Num lengthOf(Emitter &e, const KernelTensors &tensors,
                      mlir::Value params);

  /// Where rows of a tensor start: tokens, key channels, or the one row of a
  /// parameter or vector state.
  struct Start {
    mlir::Value base;
    Num stride; ///< in bytes, i64
    mlir::Type element;
    /// Rows are aligned to the pieces they are read in.
    bool aligned;
  };
  Start startOf(unsigned tensor);
  mlir::Value row(const Start &rows, Num index) {
    return e.at(rows.base, e.widen(index) * rows.stride);
  }

  /// Elements of a row as they lie in memory, in registers of 32 bits; 0 where
  /// there is none. `unpack` makes f32 of them.
  Fragment load(mlir::Value row, const Start &rows,
                llvm::ArrayRef<Piece> pieces);
  static size_t countWords(const Start &rows, llvm::ArrayRef<Piece> pieces);
  Fragment unpack(llvm::ArrayRef<Num> words, mlir::Type element,
                  llvm::ArrayRef<Piece> pieces);
  /// Stores f32 numbers as elements of a row, where `condition` holds as well,
  /// if there is one.
  void store(llvm::ArrayRef<Num> values, mlir::Value row, const Start &rows,
             llvm::ArrayRef<Piece> pieces, Num condition);

protected:
  Num word(int64_t index);
  /// Where the last input, cu_seqlens or a state index, has its element
  /// `index`; `stride` is in bytes, i64.
  mlir::Value lastAt(Num index, Num stride);
  void findSequence();
  void findStateEntry();
  Fragment loadPiece(mlir::Value pointer, const Start &rows, int64_t length);
  void storePiece(llvm::ArrayRef<Num> values, mlir::Value pointer,
                  const Start &rows);

  Emitter &e;
  KernelTensors tensors;
  mlir::Value params;
  int64_t numTensors;
  /// The entry of the states is the batch entry, or what an index says.
  Num batch, head, valueHeads, stateEntry;
  /// Of packed sequences, i32.
  Num firstToken, sequenceLength;
};

/// The same with the matrix states of a list.
class Memory : public Rows {
public:
  Memory(Emitter &e, AffineScanOp op, const Layout &layout, mlir::Value params)
      : Rows(e, KernelTensors::get(op), params,
             e.special("ctaid.x") / layout.blocks()),
        layout(layout) {}

  /// A thread's part of a state: `lanes` columns of each of its key channels.
  Fragment loadState(unsigned argument, const Place &place);
  /// The same of a state that lies in memory with its sides exchanged.
  Fragment loadTransposed(unsigned argument, const Place &place);
  void storeState(llvm::ArrayRef<Num> values, unsigned argument,
                  const Place &place);

private:
  /// Some adjacent columns of some adjacent channels.
  struct Patch {
    mlir::Value pointer;
    Num present;
    int64_t channels, columns;
    int64_t first; ///< number in a thread's part of the state
  };
  llvm::SmallVector<Patch> patchesOf(const Start &rows, const Place &place);

  const Layout &layout;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_LISTTOGPU_MEMORY_H

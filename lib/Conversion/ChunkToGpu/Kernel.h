//===- Kernel.h - what every role of a kernel knows ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_KERNEL_H
#define QDELTA_CONVERSION_CHUNKTOGPU_KERNEL_H

#include "Plan.h"

namespace qdelta::gpu {

/// A thread's place in its warp, and its warp's in its role. In a fragment,
/// `group` and `quad` are the PTX manual's row and pair of columns; `row` and
/// `matrix` are the thread's row and matrix in ldmatrix.
struct Lane {
  Num lane, warp;
  Num group, quad;
  Num row, matrix;
};

/// The program of one CTA as it is written. Words of the parameters are read
/// where they are used: constant memory is cheaper than registers.
class Kernel {
public:
  Kernel(Emitter &e, Plan &plan, mlir::ValueRange arguments, Num shared);

  /// Fresh lane arithmetic, hidden from the optimizer. Roles' warps count from
  /// 0; the state role's come first in the CTA.
  Lane lane(bool gramRole);
  Num thread() { return e.opaque(e.special("tid.x")); }

  /// Writes where this CTA's head starts in every argument to shared memory,
  /// and its number: once, before anything else, with a barrier of the CTA
  /// behind it.
  void prepare();

  /// After every chunk: what was written is there for all, the copies of the
  /// next chunk included.
  void endChunk(bool gramRole);

  /// This CTA's batch entry in sequences, and the head of `argument`.
  Num batch() { return place(numArguments); }
  Num headOf(unsigned argument) { return place(argument); }
  /// First value column of this CTA.
  Num column();
  /// T, or of packed sequences the tokens of this one.
  Num length() {
    return plan.cuSeqlens ? place(numArguments + 1)
                          : e.narrow(word(numArguments * 5));
  }
  /// This CTA's first token in packed sequences.
  Num firstToken() { return place(numArguments + 2); }

  /// The start of this CTA's head in an argument, and the bytes between its
  /// rows (tokens, or key channels).
  mlir::Value base(unsigned argument);
  Num rowStride(unsigned argument);

  Num stage(Num index) { return shared + index * plan.stageBytes; }
  /// Of tiles that only the Gram role reads.
  Num gramStage(Num index) {
    return shared + ((index & 1) * plan.gramStageBytes + plan.gramStagesAt);
  }
  /// Where a tile of chunk `index` is.
  Num tile(const Tile &tile, Num index) {
    Num start =
        tile.isGramOnly ? gramStage(index) : stage(index % Plan::kStages);
    return start + tile.offset;
  }
  /// The barrier that counts the bytes arriving in a stage.
  Num arrival(Num stage) { return shared + (stage * 8 + plan.arrivalsAt); }
  mlir::Value tensorMap(size_t index) { return maps[index]; }
  Num slot(Num index) {
    return shared + (index * plan.slotBytes + plan.slotsAt);
  }

  /// Where a Gram warp keeps its factors of columns, and what nobody reads.
  Num factors(int64_t index, Num warp) {
    return shared +
           (plan.factorsAt + index * plan.gramWarps * plan.vectorBytes()) +
           warp * plan.vectorBytes();
  }
  Num spare(Num warp) {
    return shared + plan.spareAt + warp * plan.vectorBytes();
  }

  /// Byte address of 16-byte piece `piece` of `row` in a tile with `rows` rows:
  /// groups of 128-byte rows whose pieces are permuted by the row.
  Num tileAddress(Num base, int64_t rows, Num row, Num piece);
  /// The same at piece `constant` + `bit`, `constant` even and `bit` 0 or 1,
  /// where only `rowInEight` decides the permutation.
  Num tileAddress(Num base, int64_t rows, Num row, Num rowInEight, Num bit,
                  int64_t constant);
  /// Byte address of an f32 element.
  Num elementAddress(Num base, int64_t rows, Num row, Num column);

  Emitter &e;
  Plan &plan;
  Num shared;

  /// The tensor of an argument: of the function's inputs, then its results.
  mlir::RankedTensorType typeOf(unsigned argument) const;
  int64_t bytesOfArgument(unsigned argument) const {
    return typeOf(argument).getElementTypeBitWidth() / 8;
  }
  unsigned inputs() const { return plan.func.getNumArguments(); }
  unsigned initialState() const { return inputs() - (plan.cuSeqlens ? 2 : 1); }

private:
  Num word(int64_t index);
  Num start(unsigned argument, Num batch, Num head, Num firstToken);
  /// Where a packed sequence begins, i32.
  Num bound(Num sequence);
  Num placeAddress(unsigned index) {
    return shared + (plan.placesAt + 4 * int64_t(index));
  }
  Num place(unsigned index) {
    return e.load(e.sharedPointer(placeAddress(index)), e.i32Type());
  }
  bool isState(unsigned argument) const;
  int64_t blocks() const {
    return llvm::divideCeil(plan.valueSize,
                            std::min(plan.valueSize, plan.columns));
  }

  mlir::Value params;
  llvm::SmallVector<mlir::Value> maps;
  unsigned numArguments;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_KERNEL_H

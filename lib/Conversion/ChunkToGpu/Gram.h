//===- Gram.h - the role that makes what does not need the state *- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_GRAM_H
#define QDELTA_CONVERSION_CHUNKTOGPU_GRAM_H

#include "Kernel.h"

namespace qdelta::gpu {

/// The named barrier of the Gram role's warps; 0 is the whole CTA's.
inline constexpr int64_t kGramBarrier = 1;

/// The token scalars of one chunk as a Gram warp holds them: lane n has tokens
/// n c .. n c + c-1 with c = C / 32, at least 1 (16 tokens stand twice).
class TokenValues {
public:
  TokenValues(Kernel &kernel, const Lane &x, Num first,
              llvm::DenseMap<mlir::Value, Fragment> loaded)
      : kernel(kernel), e(kernel.e), plan(kernel.plan), x(x), first(first),
        values(std::move(loaded)) {}

  /// Tokens a lane holds.
  static int64_t perLane(Plan &plan) {
    return std::max<int64_t>(1, plan.chunk / 32);
  }
  /// Number of this lane's token `i` in the chunk.
  static Num tokenOf(Plan &plan, const Lane &x, int64_t i);
  /// Rows of the scalar sequence behind `load` for the chunk at `first`; 0 past
  /// the last token.
  static Fragment load(Kernel &kernel, const Lane &x, LoadTileOp load,
                       Num first);

  /// This lane's part of a token vector; of a scalar, the same number in each.
  mlir::FailureOr<Fragment> get(mlir::Value value);
  /// Sums of the logs (base 2) up to a place of each token.
  mlir::FailureOr<Fragment> cumulative(mlir::ValueRange logs, int64_t place);
  void store(const Fragment &values, Num address);

private:
  mlir::FailureOr<Fragment> make(mlir::Operation *op);
  mlir::FailureOr<Fragment> decay(ChunkDecayOp op);
  mlir::FailureOr<Num> total(mlir::ValueRange logs);
  mlir::FailureOr<Num> elementwise(mlir::Operation *op,
                                   llvm::ArrayRef<Num> operands);

  Kernel &kernel;
  Emitter &e;
  Plan &plan;
  Lane x;
  Num first;
  llvm::DenseMap<mlir::Value, Fragment> values;
  llvm::SmallVector<std::pair<Cumulative, Fragment>> sums;
};

/// The [C x C] values of one chunk, whose tiles are at `stage`. Products are
/// made whole; what is elementwise on top of them is made an element at a time,
/// where it is stored, so that one accumulator is live and not two.
class MatrixValues {
public:
  MatrixValues(Kernel &kernel, Num stage)
      : kernel(kernel), e(kernel.e), plan(kernel.plan), stage(stage) {}

  /// Stores a value as operand of a product, to a tile of the slot.
  mlir::LogicalResult storeOperand(mlir::Value value, Num tile);
  /// Stores a value as f32 into the system, as its block number `block`.
  mlir::LogicalResult storeSystem(mlir::Value value, Num system, int64_t block,
                                  int64_t unknown);
  /// Makes this warp's factors of the columns' decays; before any store.
  void makeFactors();

private:
  /// The element of a fragment that is worked on, and the lane it is of.
  struct Element {
    int64_t block, half, i; ///< 4 block + 2 half + i; see MatrixValues.cpp
    int64_t index() const { return 4 * block + 2 * half + i; }
  };
  /// Blocks of 16 x 16 on the diagonal need a mask and an exponential for every
  /// element. Below it a decay is a row's factor times a column's: from the
  /// column to the row block's first token, and from there to the row.
  enum class Part { Diagonal, Below };
  /// Makes every product below `value`.
  mlir::LogicalResult makeProducts(mlir::Value value);
  mlir::FailureOr<Num> element(mlir::Value value, Element at, Part part);
  Num decay(ChunkDecayOp op, Element at, Part part);
  /// Loads what the elements of `value` need of their rows, ahead of branches.
  void loadRows(mlir::Value value);
  int64_t cumulativeAt(ChunkDecayOp op, int64_t place);
  Num factorsOfWarp(int64_t place);
  /// X A^T onto `sum`.
  void gram(ChunkGramOp op, Fragment &sum);
  void gramByGroup(Num reads, Num writes, Fragment &sum);
  Num row(Element at) { return x.warp * 16 + x.group + 8 * at.half; }
  Num rowValue(int64_t offset, Element at);
  /// Of a vector at `start`; `offset` says which one it is.
  Num columnValue(Num start, int64_t offset, Element at);
  mlir::LogicalResult
  forEachPair(mlir::Value value,
              llvm::function_ref<void(Element, Num, Num)> store);
  void start();

  Kernel &kernel;
  Emitter &e;
  Plan &plan;
  Lane x;
  Num stage;
  llvm::DenseMap<mlir::Value, Fragment> products;
  /// What the current store has loaded: by offset and half, for rows, and by
  /// offset and block, for the columns of the current part.
  llvm::DenseMap<std::pair<int64_t, int64_t>, Num> rows;
  llvm::DenseMap<std::pair<int64_t, int64_t>, Fragment> columns;
  llvm::DenseMap<std::pair<int64_t, int64_t>, Num> rowFactors;
};

/// (I - L)^-1 of the system in scratch memory, block by block: the 16 x 16
/// diagonal blocks in f32, then the blocks below them by products. Stores the
/// blocks T_jw as operands in the slot.
void invertSystem(Kernel &kernel, Num slot);

/// Emits the Gram role's loop. It gives up registers if the plan says so.
mlir::LogicalResult emitGramRole(Kernel &kernel, Num chunks);

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_GRAM_H

//===- Gram.h - the role that makes what does not need the state *- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_GRAM_H
#define QDELTA_CONVERSION_CHUNKTOGPU_GRAM_H

#include "GroupMatrix.h"
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
  /// the last token. Sequences are not empty.
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
/// where it is stored, so that one accumulator is live and not two. No store
/// branches: a warp makes blocks that it has not, and stores zeros for them.
class MatrixValues {
public:
  MatrixValues(Kernel &kernel, Num stage)
      : kernel(kernel), e(kernel.e), plan(kernel.plan),
        group(kernel.e, kernel.plan.format), stage(stage) {}

  /// A product that was made elsewhere: rows of 16 a warp, as those made here.
  void setProduct(mlir::Value value, Fragment product) {
    products[value] = std::move(product);
  }
  /// Starts the first product below `value`, if it can run by itself.
  void startProduct(mlir::Value value);
  /// Makes every product below `value`; the last may still run.
  mlir::LogicalResult makeProducts(mlir::Value value);
  /// Whether it has.
  bool hasProducts(mlir::Value value) const;
  /// Waits for the products below `value`.
  void finishProducts(mlir::Value value);
  /// Stores a value as operand of a product, to a tile of the slot.
  mlir::LogicalResult storeOperand(mlir::Value value, Num tile);
  /// Stores a value as f32 into the system, as its block number `block`.
  mlir::LogicalResult storeSystem(mlir::Value value, Num system, int64_t block,
                                  int64_t unknown);

private:
  /// Blocks of 16 x 16 on the diagonal need a mask and an exponential for every
  /// element. Below it a decay is a row's factor times a column's: from the
  /// column to the row block's first token, and from there to the row.
  enum class Part { Diagonal, Below };
  /// The element of a fragment that is worked on: columns 8 block + 2 q + i of
  /// the matrix or, on the diagonal, of the warp's block there.
  struct Element {
    Part part;
    int64_t block, half, i;
  };
  mlir::FailureOr<Num> element(mlir::Value value, Element at);
  Num productElement(const Fragment &product, Element at);
  /// Without the mask.
  Num decay(ChunkDecayOp op, Element at);
  Num masked(ChunkDecayOp op, Element at, Num value);
  /// Loads what the elements of `value` need of their rows, ahead of its use.
  void loadRows(mlir::Value value);
  int64_t cumulativeAt(ChunkDecayOp op, int64_t place);
  /// X A^T onto `sum`.
  void gram(ChunkGramOp op, Fragment &sum);
  void gramByGroup(Num reads, Num writes, Fragment &sum);
  bool byGroup() const { return plan.byGroups && plan.gramWarps == 4; }
  Num row(int64_t half) { return x.warp * 16 + x.group + 8 * half; }
  /// First of the element's two columns.
  Num firstColumn(Element at);
  Num rowValue(int64_t offset, int64_t half);
  /// Of a vector at `start`; `offset` says which one it is.
  Num columnValue(Num start, int64_t offset, Element at);
  /// Calls `store` for every pair of elements that lie side by side on or below
  /// the diagonal of 16 x 16 blocks, and for zeros above it, left of the last
  /// block. `keep`, where not null, says whether the pair is below.
  using Store = llvm::function_ref<void(Element, Num, Num, Num keep)>;
  mlir::LogicalResult forEachPair(mlir::Value value, Store store);
  void start();

  Kernel &kernel;
  Emitter &e;
  Plan &plan;
  GroupMatrix group;
  Lane x;
  Num stage;
  /// Whether what is above the diagonal of the current store is read.
  bool isMasked = true;
  llvm::DenseMap<mlir::Value, Fragment> products;
  /// What the current store has loaded: by offset and half, for rows, and by
  /// offset and block, for the columns of the current part.
  llvm::DenseMap<std::pair<int64_t, int64_t>, Num> rows;
  llvm::DenseMap<std::pair<int64_t, int64_t>, Fragment> columns;
  llvm::DenseMap<std::pair<int64_t, int64_t>, Num> rowFactors;
  /// Whether this is warp number i.
  llvm::SmallVector<Num> isWarp;
};

/// (I - L)^-1 of the system in scratch memory, block by block.
class SystemInverse {
public:
  explicit SystemInverse(Kernel &kernel);

  /// The 16 x 16 diagonal blocks in f32, in place. A barrier of the role comes
  /// before the rest.
  void invertDiagonal();
  /// The blocks below them by products; all are stored as operands in the slot,
  /// as blocks T_jw.
  void createBlocks(Num slot);

private:
  /// A 16 x 16 block as operand: 16-bit elements two a register, their leading
  /// part and, unless one is enough, the rest.
  struct Operand {
    Fragment high, low;
  };
  Operand pack(llvm::ArrayRef<Num> values);
  Num at(Num row, Num column) { return system + row * pitch + column * 4; }
  void invertBlock(Num block);
  void createColumn(Num block);
  /// Makes the blocks of column `block` from `below` under the diagonal on;
  /// `last` is the block above them, `sums[i]` what blocks before that one have
  /// added to block number i below the diagonal.
  void addBelow(Num block, int64_t below, const Operand &last,
                llvm::SmallVector<Fragment> sums);
  /// sum D^T for the block D on the diagonal. What is not finite in a row of
  /// the transposed sum stays in the rows from there on.
  Fragment solve(const Fragment &sum, Num block);
  /// sum += a M^T for the block M at (row, column).
  void multiply(Fragment &sum, const Operand &a, Num row, Num column);
  void storeBlock(const Fragment &values, Num rowBlock, Num columnBlock);
  void storeElements(const Fragment &values, Num rowBlock, Num columnBlock);
  int64_t offsetOf(unsigned result) const {
    return plan.handedOver.lookup(plan.inverse->getResult(result));
  }

  Kernel &kernel;
  Emitter &e;
  Plan &plan;
  Lane x;
  Num slot, system;
  int64_t pitch, unknown;
  /// Of the products; f16 where nothing can overflow it.
  Format format;
};

/// Emits the Gram role's loop. It gives up registers if the plan says so.
mlir::LogicalResult emitGramRole(Kernel &kernel, Num chunks);

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_GRAM_H

//===- StateRole.h - the role that carries the state -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_STATEROLE_H
#define QDELTA_CONVERSION_CHUNKTOGPU_STATEROLE_H

#include "NonFinite.h"
#include "Products.h"

namespace qdelta::gpu {

/// The values with columns of one chunk, as this thread holds them.
class ColumnValues {
public:
  ColumnValues(Kernel &kernel, Products &products, Num first, Num stage,
               Num slot, Fragment state);

  /// Emits the chunk's ops on columns, in their order. Returns the state after
  /// the chunk.
  mlir::FailureOr<Fragment> run();

private:
  mlir::LogicalResult create(mlir::Operation &op);
  mlir::FailureOr<Fragment> get(mlir::Value value);
  llvm::ArrayRef<Num> packed(mlir::Value value);
  void makeTokenOperands(mlir::Value needed);
  void readAll(mlir::Value state);
  /// The state times the decays of `update`, once.
  void decay(ChunkUpdateOp update);
  void decayChannels(Fragment &state, mlir::Value channels);
  /// A tile of key vectors: as loaded, or as the Gram role left it.
  Num keyTile(mlir::Value keys);
  Fragment loadTile(LoadTileOp op);
  Fragment scale(llvm::ArrayRef<Num> values, mlir::Value by);
  void storeTile(StoreTileOp op, llvm::ArrayRef<Num> values);

  Kernel &kernel;
  Emitter &e;
  Plan &plan;
  Products &products;
  Num first, stage, slot;
  llvm::DenseMap<mlir::Value, Fragment> values, operands;
  llvm::DenseMap<mlir::Value, TokenOperand> tokenOperands;
  llvm::DenseSet<mlir::Operation *> decayed;
};

/// Copies the tile in the warp's registers to rows `first` and following of
/// this CTA's columns of `argument`, through shared memory.
void storeRows(Kernel &kernel, unsigned argument, Num first,
               llvm::ArrayRef<Num> values);

/// The state's columns of this CTA, from and to memory.
Fragment loadState(Kernel &kernel, unsigned argument);
void storeState(Kernel &kernel, unsigned argument, llvm::ArrayRef<Num> values);

/// Emits the state role's loop. It takes registers if the plan says so.
mlir::LogicalResult emitStateRole(Kernel &kernel, Num chunks);

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_STATEROLE_H

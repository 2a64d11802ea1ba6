//===- Plan.h - where the values of a chunk live in a CTA ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_PLAN_H
#define QDELTA_CONVERSION_CHUNKTOGPU_PLAN_H

#include "ChannelPlan.h"
#include "Emitter.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Target/GpuTarget.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace qdelta::gpu {

/// What a value of the chunk loop is. Values that do not depend on the state's
/// columns belong to the Gram role, the others to the state role.
enum class Kind {
  Index,   ///< a place in the sequences; known to every thread
  Token,   ///< [C]: lane n of a Gram warp holds tokens n C/32 and following
  Scalar,  ///< one number for the chunk
  Matrix,  ///< [C x C]: each Gram warp holds 16 rows as an accumulator
  Key,     ///< [C x K]: a tile in shared memory
  Channel, ///< [1 x K]: one number for each key channel
  Column,  ///< [C x W], transposed: each state warp holds 16 value columns
  State    ///< [K x W], transposed in the same way
};

/// A tile that is copied to shared memory for each chunk.
struct Tile {
  LoadTileOp load;
  unsigned argument;
  bool isKey;
  /// Columns in the tile, a multiple of 16, and in the source's rows.
  int64_t width, sourceWidth;
  int64_t elementBytes; ///< as in memory
  /// Only the Gram role reads it: two stages are enough.
  bool isGramOnly = false;
  int64_t offset = 0; ///< within a stage of its kind, in bytes
};

/// Cumulative log decays up to a place of the list, as a token vector.
struct Cumulative {
  llvm::SmallVector<mlir::Value> logs;
  int64_t place;
  bool operator==(const Cumulative &other) const = default;
};

/// The threads and the shared memory of a kernel.
class Plan {
public:
  /// Fails with an error at what the kernel cannot do.
  static mlir::FailureOr<Plan> get(mlir::func::FuncOp func,
                                   const GpuTarget &target);

  Kind kindOf(mlir::Value value) const { return kinds.lookup(value); }
  const Tile &tileOf(mlir::Value value) const;
  /// The number of the function's argument that a tile is loaded from, or from
  /// a sequence of which if they are packed.
  unsigned argumentOf(mlir::Value value) const;
  int64_t cumulativeIndex(mlir::ValueRange logs, int64_t place) const;
  int64_t factorIndex(mlir::ValueRange logs, int64_t place) const;

  mlir::func::FuncOp func;
  mlir::scf::ForOp loop;
  /// Where packed sequences end, or null.
  mlir::BlockArgument cuSeqlens;
  const GpuTarget *target = nullptr;
  Format format = Format::BF16;
  int64_t chunk = 0, keys = 0, columns = 0;
  /// K and V of the problem; `keys` and `columns` may be padded.
  int64_t keySize = 0, valueSize = 0;

  llvm::SmallVector<Tile> tiles;
  /// Values that pass from the Gram role to the state role, with their offsets
  /// in a slot: matrices and decayed keys as operands, vectors and scalars as
  /// f32. A scalar stands there for every token.
  llvm::MapVector<mlir::Value, int64_t> handedOver;
  /// Token vectors that matrices need, and cumulative decays: offsets from the
  /// start of the scratch memory.
  llvm::MapVector<mlir::Value, int64_t> rowVectors;
  llvm::SmallVector<Cumulative> cumulatives;
  /// Those of which each Gram warp keeps factors for the columns of a matrix.
  llvm::SmallVector<Cumulative> factors;
  /// What decays per key channel make; empty if there are none.
  ChannelPlan channels;
  /// Whether their blocks on the diagonal are centred products, for which
  /// `sumChannels` sums of logs for each token are held at `sumsAt`, or in the
  /// place of the logs if that is none.
  bool isCentred = false;
  std::optional<int64_t> sumsAt;
  int64_t sumChannels = 0;
  /// The chunk's system: rank of the inverse, 0 if there is none.
  ChunkInverseOp inverse;
  int64_t order = 0;
  /// Entries of the inverse are known to be at most 1 in size.
  bool bounded = false;

  /// The state's products are done by four warps together.
  bool byGroups = false;
  /// Tiles are copied by the tensor memory accelerator, a map per tile.
  bool byTensorMaps = false;

  /// Registers of a thread of each role if they are shared out again once the
  /// roles are known; 0 if all threads keep the same number.
  int64_t stateRegisters = 0, gramRegisters = 0;

  static constexpr int64_t kStages = 3, kGramStages = 2, kSlots = 2;
  int64_t stateWarps = 0, gramWarps = 0;
  int64_t stageBytes = 0, gramStageBytes = 0, slotBytes = 0;
  int64_t gramStagesAt = 0, slotsAt = 0, scratchAt = 0, cumulativesAt = 0,
          factorsAt = 0, spareAt = 0, systemAt = 0, outputAt = 0, startsAt = 0,
          placesAt = 0, arrivalsAt = 0, sharedBytes = 0;

  /// Whether shared memory takes matrices as they lie in registers, stmatrix.
  bool storesMatrices() const {
    return target->tensorCores == TensorCores::WarpGroup;
  }
  int64_t threads() const { return 32 * (stateWarps + gramWarps); }
  int64_t elementBytes() const { return bytesOf(format); }
  /// Bytes of a tile with `rows` rows, in groups of 128-byte rows.
  int64_t tileBytes(int64_t rows, int64_t width) const {
    return tileBytes(rows, width, elementBytes());
  }
  static int64_t tileBytes(int64_t rows, int64_t width, int64_t elementBytes) {
    return llvm::divideCeil(width * elementBytes, 128) * rows * 128;
  }
  /// Bytes of a number for each token; scalars take as much.
  int64_t vectorBytes() const { return 4 * chunk; }
  /// Floats between two rows of the system.
  int64_t systemPitch() const { return order + 4; }

private:
  mlir::LogicalResult findLoop();
  mlir::LogicalResult classify();
  mlir::LogicalResult addTile(LoadTileOp load);
  std::optional<Kind> kindOfChannels(mlir::Operation &op) const;
  void findCrossings();
  void findGramTiles();
  void placeTiles();
  mlir::LogicalResult placeShared();
  void placeSums();

  llvm::DenseMap<mlir::Value, Kind> kinds;
  llvm::DenseMap<mlir::Value, unsigned> tileIndices;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_PLAN_H

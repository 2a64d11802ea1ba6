//===- ChunkList.h - an affine list as the chunk form reads it --*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_CHUNKLIST_H
#define QDELTA_TRANSFORMS_CHUNKLIST_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "llvm/ADT/SetVector.h"

namespace qdelta {

/// A read or write of a list, and where it stands. Decays common to all key
/// channels and decays of one number per channel are counted apart: what stands
/// between two places is a number from the ones and a key vector from the
/// others, whatever their order.
struct ListEntry {
  /// Common decays that stand before it in the token's list.
  int64_t place;
  /// Decays per channel that do.
  int64_t channelPlace;
  /// Its number among all entries of the list.
  int64_t position;
};

/// A base vector that the state is read at, and the channel place it is read
/// from: one product of the state at the chunk's start with a key vector.
using Reading = std::pair<mlir::Value, int64_t>;

/// An `affine_scan`'s list in the terms of docs/Spec.md.
struct ChunkList {
  /// coefficient * term, token-level values of the list's region.
  using Terms = llvm::SmallVector<std::pair<mlir::Value, mlir::Value>>;

  struct Read : ListEntry {
    Terms bases;
  };
  struct Write : ListEntry {
    mlir::Value key;
    Terms values;
    /// Its value uses a read.
    bool unknown = false;
  };

  /// Of the step's arithmetic and its state: f32 or f64.
  mlir::FloatType element;
  /// The log decays, in order: common ones and ones per key channel.
  llvm::SmallVector<mlir::Value> logs, channelLogs;
  llvm::MapVector<mlir::Value, Read> reads; // by readout
  llvm::SmallVector<Write> writes;
  llvm::SmallVector<Terms> outputs;
  /// The distinct readings of the state.
  llvm::SetVector<Reading> readings;
  /// All key vectors: bases, then the writes' keys that are not among them.
  llvm::SetVector<mlir::Value> keys;

  /// Reads the list of `op`. Fails with an error if the chunk form does not
  /// cover it: several states, or element types that differ.
  static mlir::FailureOr<ChunkList> get(AffineScanOp op);
};

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_CHUNKLIST_H

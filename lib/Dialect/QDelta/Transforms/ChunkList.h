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
/// channels and decays of one number per channel are counted apart, each
/// state's for itself: what stands between two places is a number from the ones
/// and a key vector from the others, whatever their order.
struct ListEntry {
  /// The state that it reads or writes.
  unsigned state;
  /// Common decays of that state that stand before it in the token's list.
  int64_t place;
  /// Decays per channel of that state that do.
  int64_t channelPlace;
  /// Decays per value channel of that state that do.
  int64_t valuePlace;
  /// Coupling steps that do.
  int64_t step;
  /// Its number among all entries of the list.
  int64_t position;
};

/// One product of a state at the chunk's start with a key vector: a base
/// vector, the channel place it is read from, and the state.
using Reading = std::tuple<mlir::Value, int64_t, unsigned>;

/// A reading that is taken at a value place.
using PlacedReading = std::pair<Reading, int64_t>;

/// A decay by the log `by`, if target and source are one state, or a mix: the
/// source times `by` is added to the target.
struct CouplingStep {
  unsigned target, source;
  mlir::Value by;
  /// What a decay has a number for: the state, each key or each value channel.
  TokenDim along = TokenDim::Scalar;
};

/// A read that is taken of the rows of a state as a pass that goes token by
/// token has them at its place: a base vector, the state, and how many decays,
/// mixes and writes of the token stand before it.
using LateReading = std::tuple<mlir::Value, unsigned, int64_t>;

/// What a pass that goes token by token does to a row of each state, in the
/// order of the list.
struct RowStep {
  /// A decay or mix, a write, or a late reading; `number` among those.
  enum Kind { Coupling, Write, Read } kind;
  unsigned number;
};

/// An `affine_scan`'s list in the terms of docs/Spec.md.
struct ChunkList {
  /// coefficient * term, token-level values of the list's region.
  using Terms = llvm::SmallVector<std::pair<mlir::Value, mlir::Value>>;

  struct Read : ListEntry {
    Terms bases;
    /// Taken of what a token's own steps have made of the state, not of the
    /// state at the chunk's start: only where `byTokens`.
    bool late = false;
    /// If so, how many decays, mixes and writes stand before it.
    int64_t rowPlace = 0;
  };
  struct Write : ListEntry {
    mlir::Value key;
    Terms values;
    /// Its value uses a read.
    bool unknown = false;
    /// The write before it that it joins: from here on both are one, at one key
    /// (docs/Decisions/0032). And the one after it that joins it.
    std::optional<unsigned> joins = {}, joinedBy = {};
    /// It takes back all that is read at its key: little is left of both.
    bool takesAllBack = false;
  };
  /// The log decays of one state, in order: common ones, ones per channel and
  /// ones per value channel.
  struct State {
    llvm::SmallVector<mlir::Value> logs, channelLogs, valueLogs;
    /// Lower bounds of those per channel that have one.
    llvm::DenseMap<mlir::Value, double> logBounds;
  };

  /// Of the step's arithmetic and its states: f32 or f64.
  mlir::FloatType element;
  /// Tokens.
  int64_t chunk;
  llvm::SmallVector<State> states;
  /// Common decays and mixes of all states, in order; where it is `inOrder` all
  /// decays.
  llvm::SmallVector<CouplingStep> steps;
  llvm::MapVector<mlir::Value, Read> reads; // by readout
  llvm::SmallVector<Write> writes;
  llvm::SmallVector<Terms> outputs;
  /// The distinct readings of the states.
  llvm::SetVector<Reading> readings;
  /// All key vectors: bases, then the writes' keys that are not among them.
  llvm::SetVector<mlir::Value> keys;

  /// Whether one pass over the rows of all states takes a chunk's tokens one
  /// after the other (docs/Decisions/0031).
  bool byTokens = false;
  /// Whether that pass stops at each write that needs what it has read: all
  /// reads are late, and chunks are of one token (docs/Decisions/0036).
  bool inOrder = false;
  /// What it does for a token, and the readings that it takes on its way.
  llvm::SmallVector<RowStep> rowSteps;
  llvm::SetVector<LateReading> lateReadings;

  /// Reads the list of `op` for chunks of `chunk` tokens; `goesByRows` if they
  /// are expanded into rows and one pass updates the states and reads for the
  /// next chunk. If not, writes of a token at one key are joined.
  static ChunkList read(AffineScanOp op, int64_t chunk, bool goesByRows);
  /// The same for a list with a schedule. Fails with an error if the chunk form
  /// does not cover it.
  static mlir::FailureOr<ChunkList> get(AffineScanOp op);

  /// Whether a state has decays per value channel.
  bool hasValueDecays() const {
    return llvm::any_of(
        states, [](const State &state) { return !state.valueLogs.empty(); });
  }
  /// Whether mixes carry what `source` holds at step `from` of a token into
  /// `target` at step `to` of the token that comes `tokens` later. A state is
  /// always carried into itself.
  bool reaches(unsigned source, int64_t from, unsigned target, int64_t to,
               int64_t tokens) const;
  /// Whether a read that is not late takes `reading` for the chunk's token
  /// number `token`.
  bool isRead(const Reading &reading, int64_t token) const;
  /// Whether mixes carry what `state` holds through another one back to it.
  /// All that it becomes of itself elsewhere is its own decays.
  bool returns(unsigned state) const;
  /// Whether some of what `write` writes is in `state` at the chunk's end.
  bool isLeftIn(const Write &write, unsigned state) const {
    return reaches(write.state, write.step, state, steps.size(), chunk - 1);
  }
  /// The states, those that mixes add to before those that they add: whoever
  /// updates them one by one overwrites none that is needed still, unless mixes
  /// go in a cycle.
  llvm::SmallVector<unsigned> updateOrder() const;

private:
  void addDecay(unsigned state, mlir::Value log, TokenDim along);
  void findReadings();
  void joinWrites();
  bool isTakingAllBack(const Write &write) const;
  bool mayJoin(const Write &later, const Write &earlier) const;
  void findRowSteps(AffineScanOp op);
};

/// Whether the list mixes states that decay per key or value channel. What one
/// state is of another later on is no number then, and not one of a key or
/// value channel either.
bool mixesChannels(AffineScanOp op);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_CHUNKLIST_H

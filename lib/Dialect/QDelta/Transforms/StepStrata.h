//===- StepStrata.h - what a step's states need of one another --*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_STEPSTRATA_H
#define QDELTA_TRANSFORMS_STEPSTRATA_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace qdelta {

/// Proves that a step is affine in its states, and orders its work.
///
/// States that depend on one another form a *stratum*: one vector or scalar
/// state, or matrix states. Every stratum and every value has a *position* in
/// the sequence prescan 0, list 1, prescan 2, list 3, ...: matrix strata have a
/// list each, at odd positions; vector and scalar states advance in the first
/// prescan that has what they use. A state that is read on both sides has two
/// lists (docs/Decisions/0022): the first one, at its own position, finds what
/// its writes write, and the next list, of the transposed state, knows that. A
/// value is
///   * at -1 if it is elementwise arithmetic on the token's inputs and the
///     parameters: it can be made anywhere;
///   * at an odd position if it is linear in the readouts of that list;
///   * else at the even position of the prescan that makes it.
class Step {
public:
  /// A list over matrix states.
  struct List {
    llvm::ArrayRef<unsigned> states;
    /// Of the transposed state: what reads its value side is a read of the
    /// list, and writes have keys and values exchanged.
    bool transposed;
    /// The second list of a state that is read on both sides.
    bool second;
  };

  explicit Step(RecurrenceOp recurrence) : recurrence(recurrence) {}

  /// The proof. Emits an error at the op that breaks it.
  mlir::LogicalResult analyze();

  RecurrenceOp getRecurrence() const { return recurrence; }
  bool isMatrix(unsigned state);
  /// The new value of a vector or scalar state.
  mlir::Value updateOf(unsigned state);
  /// Whether `value` depends on the previous value of `state`, or on a version
  /// of it, within the token.
  bool depends(mlir::Value value, unsigned state) const {
    return dependsOn.lookup(value) >> state & 1;
  }
  /// The number of the matrix state that `version` is a version of.
  unsigned stateOf(mlir::Value version) const {
    return llvm::countr_zero(dependsOn.lookup(version));
  }
  int64_t positionOf(mlir::Value value) const {
    return positions.find(value)->second;
  }
  /// The states that are at home at `position`, in an order in which each uses
  /// those before it only.
  llvm::ArrayRef<unsigned> statesAt(int64_t position) const;
  /// The list at an odd position; it has no states if there is none.
  List listAt(int64_t position) const;
  /// Whether it must be made even if nothing asks for what it reads: it has
  /// states' final values.
  bool makesFinals(int64_t position) const {
    return !listAt(position).transposed && !listAt(position).states.empty();
  }
  /// Whether the list that finds what `state`'s writes write is of the
  /// transposed state.
  bool solvesTransposed(unsigned state) const {
    return transposed >> state & 1;
  }
  int64_t numPositions() const { return statesByPosition.size(); }

private:
  using Mask = uint64_t;

  llvm::StringRef nameOf(unsigned state) {
    return recurrence.getArgName(state);
  }
  mlir::LogicalResult followChains();
  mlir::LogicalResult checkMixes();
  void findSides();
  mlir::LogicalResult checkSides();
  void findDependence();
  void findStrata();
  mlir::LogicalResult checkStrata();
  mlir::LogicalResult checkOp(mlir::Operation *op);
  mlir::LogicalResult checkKeySide(mlir::Operation *op);
  mlir::LogicalResult checkMaxPlus(MaxPlusOp op, unsigned state);
  mlir::LogicalResult failCyclic(mlir::Operation *op, unsigned state,
                                 unsigned later);
  mlir::LogicalResult failNotAffine(mlir::Operation *op, unsigned state);
  Mask statesReachedFrom(mlir::Operation *op);
  bool isAllowedIn(mlir::Operation *op, unsigned state);
  void place();
  int64_t place(mlir::Value value);
  int64_t placeOp(mlir::Operation *op);
  int64_t coefficientsOf(mlir::Value value, Mask own);
  int64_t needsOf(unsigned state);
  Mask dependenceOfOperands(mlir::Operation *op) const;

  RecurrenceOp recurrence;
  /// Every value that a matrix state takes within a token, in order.
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> chains;
  /// Bit i: the value depends on state i.
  llvm::DenseMap<mlir::Value, Mask> dependsOn;
  /// By state: what its update uses directly, uses at all, its stratum.
  llvm::SmallVector<Mask> uses, reaches, strata;
  /// States that are read on the value side, and states whose writes' keys
  /// depend on that.
  Mask valueSide = 0, transposed = 0;
  llvm::DenseMap<mlir::Value, int64_t> positions;
  llvm::SmallVector<int64_t> statePositions;
  llvm::SmallVector<llvm::SmallVector<unsigned>> statesByPosition;
};

/// Whether `op` reads a matrix state.
bool readsMatrix(mlir::Operation *op);
/// Whether `op` is a decay, write or mix of a matrix state.
bool changesMatrix(mlir::Operation *op);

/// Whether an update of a vector or scalar state may pass through `op`: it is
/// affine, entry by entry, in the operands for which `depends` holds.
bool isDiagonalIn(mlir::Operation *op,
                  llvm::function_ref<bool(mlir::Value)> depends);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_STEPSTRATA_H

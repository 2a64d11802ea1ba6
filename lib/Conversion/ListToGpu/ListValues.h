//===- ListValues.h - the values of a list's token -------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_LISTTOGPU_LISTVALUES_H
#define QDELTA_CONVERSION_LISTTOGPU_LISTVALUES_H

#include "Layout.h"

namespace qdelta::gpu {

/// A thread's part of the values of one token: one number for a scalar, `rows`
/// for a key vector, `lanes` for a value vector or a readout.
class ListValues {
public:
  ListValues(Emitter &e, AffineScanOp op, const Layout &layout,
             const Place &place);

  TokenDim dimOf(mlir::Value value) const { return dims.lookup(value); }
  /// The pieces of a row that a value's elements come in; none for a scalar.
  llvm::ArrayRef<Piece> piecesOf(mlir::Value value) const;

  void set(mlir::Value value, Fragment fragment) {
    values[value] = std::move(fragment);
  }
  /// Makes what depends on values that are set, and on nothing else: what
  /// parameters give, once and for all tokens.
  mlir::LogicalResult makeKnown();
  /// Runs the list for a token whose inputs are set, on the states in place.
  /// `output` gets every output in turn.
  using Output = llvm::function_ref<void(const Fragment &)>;
  mlir::LogicalResult run(llvm::MutableArrayRef<Fragment> states,
                          Output output);

private:
  mlir::LogicalResult make(mlir::Operation &op);
  size_t sizeOf(mlir::Value value) const;
  /// A key vector with zeros for channels that do not exist, whatever the step
  /// makes of theirs.
  Fragment channelsOf(Fragment fragment);
  Fragment combine(mlir::ValueRange coefficients, mlir::ValueRange terms,
                   int64_t size);
  const Fragment &factorOf(mlir::Value log);
  void decay(AffineDecayOp op, Fragment &state);
  void decayValues(AffineDecayValuesOp op, Fragment &state);
  void read(AffineReadOp op, llvm::ArrayRef<Num> state);
  void write(AffineWriteOp op, Fragment &state);
  void mix(AffineMixOp op, Fragment &state, llvm::ArrayRef<Num> source);

  Emitter &e;
  AffineScanOp op;
  const Layout &layout;
  const Place &place;
  llvm::DenseMap<mlir::Value, TokenDim> dims;
  llvm::DenseMap<mlir::Value, Fragment> values;
  /// e to the power of log decays.
  llvm::DenseMap<mlir::Value, Fragment> factors;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_LISTTOGPU_LISTVALUES_H

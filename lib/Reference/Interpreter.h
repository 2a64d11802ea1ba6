//===- Interpreter.h - runs blocks of ops on data ---------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_REFERENCE_INTERPRETER_H
#define QDELTA_LIB_REFERENCE_INTERPRETER_H

#include "Datum.h"
#include "Scalar.h"

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/DenseSet.h"

#include <functional>

namespace qdelta::reference {

template <typename Scalar>
using Data = llvm::SmallVector<Datum<Scalar>, 4>;
/// The operands of an op, which its handler may move from.
template <typename Scalar>
using Args = llvm::MutableArrayRef<Datum<Scalar>>;

/// Evaluates ops in order. Each room of ops registers its handlers in a table;
/// the interpreter itself knows blocks, values and errors only.
///
/// An op takes its operands out of the environment where it is their last use,
/// so that a handler may write to an operand's storage (`mutableReals`) and
/// only copies it when something else still holds it.
template <typename Scalar>
class Interpreter {
public:
  using Handler = std::function<mlir::LogicalResult(
      Interpreter &, mlir::Operation *, Args<Scalar>, Data<Scalar> &)>;

  Interpreter();

  /// Registers what to do for ops of type `OpTy`: `handler(interpreter, op,
  /// operands, results)` appends one datum per result.
  template <typename OpTy, typename F>
  void add(F handler) {
    add(mlir::TypeID::get<OpTy>(),
        [handler](Interpreter &self, mlir::Operation *op, Args<Scalar> args,
                  Data<Scalar> &results) -> mlir::LogicalResult {
          return handler(self, llvm::cast<OpTy>(op), args, results);
        });
  }
  void add(mlir::TypeID op, Handler handler) {
    handlers[op] = std::move(handler);
  }

  /// Binds `value`, usually a block argument.
  void bind(mlir::Value value, Datum<Scalar> datum) {
    environment[value] = std::move(datum);
  }
  /// What `value` holds now; it stays bound.
  const Datum<Scalar> &lookup(mlir::Value value) const {
    return environment.find(value)->second;
  }

  /// Runs `block`, whose arguments are bound, and returns the operands of its
  /// terminator in `yielded`. The terminator itself has no effect.
  mlir::LogicalResult run(mlir::Block &block, Data<Scalar> &yielded);
  /// Runs everything but the terminator.
  mlir::LogicalResult runBody(mlir::Block &block);
  /// Calls a function of one block in an environment of its own.
  mlir::LogicalResult call(mlir::Operation *caller, mlir::Region &body,
                           Args<Scalar> args, Data<Scalar> &results);

  /// Keeps an op whose blocks it runs for as long as it knows them.
  void keep(mlir::OwningOpRef<mlir::Operation *> op) {
    kept.push_back(std::move(op));
  }

  /// The operands of `op`, taken out of the environment at their last use.
  Data<Scalar> take(mlir::Operation *op);

  /// Records the error "reference: <message> at <location>".
  mlir::LogicalResult fail(mlir::Operation *op, const llvm::Twine &message);
  llvm::Error takeError();

  /// A tensor of `shape` filled with `value`. Fails if a size is negative or
  /// the number of elements is not one that can be allocated.
  template <typename Element>
  mlir::FailureOr<Tensor<Element>>
  allocate(mlir::Operation *op, std::vector<int64_t> shape, Element value);

  /// The state of the innermost linalg op, for linalg.index.
  llvm::ArrayRef<int64_t> loopIndices;
  /// If set, applied to every number that reads and writes of a step multiply.
  Scalar (*roundOperand)(Scalar) = nullptr;
  /// The states and outputs of the innermost affine list.
  Data<Scalar> *listStates = nullptr, *listOutputs = nullptr;

private:
  mlir::LogicalResult execute(mlir::Operation *op);
  void findLastUses(mlir::Block &block);

  llvm::DenseMap<mlir::TypeID, Handler> handlers;
  llvm::DenseMap<mlir::Value, Datum<Scalar>> environment;
  llvm::DenseSet<mlir::OpOperand *> lastUses;
  llvm::DenseSet<mlir::Block *> prepared;
  std::vector<mlir::OwningOpRef<mlir::Operation *>> kept;
  std::string message;
  unsigned depth = 0;
};

/// Spelling of a shape in messages: [2, 7, 1].
std::string spell(llvm::ArrayRef<int64_t> shape);

/// The number of elements of `shape`, or nothing if a size is negative or the
/// product, zeros aside, is too large for any memory.
std::optional<int64_t> checkedSize(llvm::ArrayRef<int64_t> shape);

/// Row-major strides, in elements.
llvm::SmallVector<int64_t, 4> stridesOf(llvm::ArrayRef<int64_t> shape);

/// Whether `shape` is one that a value of type `type` may have.
bool fitsType(mlir::Type type, llvm::ArrayRef<int64_t> shape);

/// Whether values of `type`, or the elements of a tensor or vector, are floats.
bool isReal(mlir::Type type);

template <typename Scalar>
template <typename Element>
mlir::FailureOr<Tensor<Element>>
Interpreter<Scalar>::allocate(mlir::Operation *op, std::vector<int64_t> shape,
                              Element value) {
  std::optional<int64_t> size = checkedSize(shape);
  if (!size)
    return fail(op, "cannot hold a tensor of shape " + spell(shape));
  return Tensor<Element>{std::move(shape), std::vector<Element>(*size, value)};
}

// One function per room of ops.
template <typename Scalar>
void addControlOps(Interpreter<Scalar> &table);
template <typename Scalar>
void addArithOps(Interpreter<Scalar> &table);
template <typename Scalar>
void addIntegerOps(Interpreter<Scalar> &table);
template <typename Scalar>
void addTensorOps(Interpreter<Scalar> &table);
template <typename Scalar>
void addLinalgOps(Interpreter<Scalar> &table);
template <typename Scalar>
void addVectorOps(Interpreter<Scalar> &table);
template <typename Scalar>
void addRecurrenceOps(Interpreter<Scalar> &table);
template <typename Scalar>
void addAffineOps(Interpreter<Scalar> &table);
template <typename Scalar>
void addTileOps(Interpreter<Scalar> &table);
template <typename Scalar>
void addChunkOps(Interpreter<Scalar> &table);

/// Instantiates a room for every scalar type.
#define QDELTA_REFERENCE_INSTANTIATE(function)                                 \
  template void function(Interpreter<long double> &);                          \
  template void function(Interpreter<double> &);                               \
  template void function(Interpreter<float> &);                                \
  template void function(Interpreter<Exact> &);

} // namespace qdelta::reference

#endif // QDELTA_LIB_REFERENCE_INTERPRETER_H

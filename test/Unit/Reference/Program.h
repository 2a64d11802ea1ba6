//===- Program.h - evaluates MLIR text in unit tests ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TEST_UNIT_REFERENCE_PROGRAM_H
#define QDELTA_TEST_UNIT_REFERENCE_PROGRAM_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Reference/Evaluate.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>

/// A module from text, with a function @f to evaluate.
class Program {
public:
  explicit Program(const std::string &text);

  template <typename Scalar>
  using Tensors = std::vector<qdelta::reference::Tensor<Scalar>>;

  /// The results of @f; a test failure and nothing if it cannot be evaluated.
  template <typename Scalar>
  Tensors<Scalar> run(const Tensors<Scalar> &inputs) {
    auto results = qdelta::reference::evaluate<Scalar>(function(), inputs);
    if (results)
      return *results;
    report(llvm::toString(results.takeError()));
    return {};
  }

  /// The error of evaluating @f, empty if there is none.
  std::string error(const Tensors<double> &inputs);

  mlir::func::FuncOp function();
  mlir::ModuleOp module() { return *owner; }

private:
  static void report(const std::string &message);

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> owner;
};

/// A tensor of `shape` with different numbers of size about 1, the same ones
/// in every run for one `seed`.
qdelta::reference::Tensor<double> numbers(std::vector<int64_t> shape, int seed);

/// Expects equal shapes, and elements that differ by at most `tolerance`.
void expectNear(const qdelta::reference::Tensor<double> &found,
                const qdelta::reference::Tensor<double> &wanted,
                double tolerance = 1e-12);

#endif // QDELTA_TEST_UNIT_REFERENCE_PROGRAM_H

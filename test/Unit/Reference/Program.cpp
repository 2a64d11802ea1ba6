//===- Program.cpp - evaluates MLIR text in unit tests --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qdelta::reference;

Program::Program(const std::string &text) {
  context.loadDialect<qdelta::QDeltaDialect, mlir::arith::ArithDialect,
                      mlir::func::FuncDialect, mlir::linalg::LinalgDialect,
                      mlir::math::MathDialect, mlir::scf::SCFDialect,
                      mlir::tensor::TensorDialect, mlir::ub::UBDialect,
                      mlir::vector::VectorDialect>();
  owner = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!owner)
    report("cannot parse the program");
}

mlir::func::FuncOp Program::function() {
  return owner->lookupSymbol<mlir::func::FuncOp>("f");
}

std::string Program::error(const Tensors<double> &inputs) {
  auto results = evaluate<double>(function(), inputs);
  return results ? "" : llvm::toString(results.takeError());
}

void Program::report(const std::string &message) { ADD_FAILURE() << message; }

Tensor<double> numbers(std::vector<int64_t> shape, int seed) {
  int64_t size = 1;
  for (int64_t extent : shape)
    size *= extent;
  Tensor<double> tensor{std::move(shape), {}};
  for (int64_t i = 0; i < size; ++i)
    tensor.data.push_back(std::sin(1.7 * double(i) + 3.1 * seed + 0.3));
  return tensor;
}

void expectNear(const Tensor<double> &found, const Tensor<double> &wanted,
                double tolerance) {
  ASSERT_EQ(found.shape, wanted.shape);
  for (int64_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(found.data[i], wanted.data[i], tolerance) << "element " << i;
}

//===- Plant.cpp - a mistake for the checks to find ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Plant.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cstdlib>

using namespace qdelta;
using namespace qdelta::tools;

static bool usesRead(AffineWriteOp write) {
  return llvm::any_of(write.getTerms(), [](mlir::Value term) {
    return term.getDefiningOp<AffineReadOp>();
  });
}

/// The entries of a list, in order, without the arithmetic between them.
static llvm::SmallVector<mlir::Operation *> entriesOf(AffineScanOp scan) {
  llvm::SmallVector<mlir::Operation *> entries;
  for (mlir::Operation &op : scan.getBody().front())
    if (mlir::isa<AffineDecayOp, AffineReadOp, AffineWriteOp>(op))
      entries.push_back(&op);
  return entries;
}

/// Moves the write behind the read: what the read needs stays before it.
static void readEarly(AffineScanOp scan) {
  auto entries = entriesOf(scan);
  for (size_t i = 1; i < entries.size(); ++i) {
    auto write = mlir::dyn_cast<AffineWriteOp>(entries[i - 1]);
    if (write && usesRead(write) && mlir::isa<AffineReadOp>(entries[i])) {
      write->moveAfter(entries[i]);
      return;
    }
  }
}

/// By a factor of 1 + 2^-21.
static void enlargeOutputs(AffineScanOp scan) {
  for (auto output : scan.getBody().getOps<AffineOutputOp>()) {
    mlir::OpBuilder b(output);
    for (mlir::OpOperand &operand : output.getCoefficientsMutable()) {
      mlir::Value coefficient = operand.get();
      mlir::Location loc = output.getLoc();
      mlir::Value factor = mlir::arith::ConstantOp::create(
          b, loc, b.getFloatAttr(coefficient.getType(), 1 + 0x1p-21));
      operand.set(mlir::arith::MulFOp::create(b, loc, coefficient, factor));
    }
  }
}

void qdelta::tools::plantMistake(mlir::ModuleOp module, Plant plant) {
  module.walk([&](AffineScanOp scan) {
    if (plant == Plant::EarlyRead)
      readEarly(scan);
    if (plant == Plant::LargeOutput)
      enlargeOutputs(scan);
    auto decays = llvm::to_vector(scan.getBody().getOps<AffineDecayOp>());
    if (decays.size() < 2)
      return;
    if (plant == Plant::OneDecay)
      decays[1].erase();
    if (plant == Plant::Crash)
      std::abort();
  });
}

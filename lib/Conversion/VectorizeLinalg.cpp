//===- VectorizeLinalg.cpp - linalg on static buffers as vector code ------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "CarryScalars.h"

#include "qdelta/Conversion/Passes.h"

#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Hoisting.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qdelta {
#define GEN_PASS_DEF_VECTORIZELINALG
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

/// Rows and columns of a register tile. Both shrink to a divisor of the loop's
/// size, so that every tile is whole.
constexpr int64_t kTileRows = 4, kTileColumns = 64;

int64_t largestDivisor(int64_t size, int64_t most) {
  int64_t divisor = std::min(size, most);
  while (size % divisor != 0)
    --divisor;
  return divisor;
}

/// Tile sizes with the output's last dimension across vector lanes, or nothing
/// if the op does not vectorise: dynamic, empty, or not contiguous in that
/// dimension.
std::optional<SmallVector<int64_t>> tileSizes(linalg::LinalgOp op) {
  if (op.hasDynamicShape() || op.getNumDpsInits() != 1 ||
      op.hasIndexSemantics())
    return std::nullopt;
  // A buffer of i1 holds bytes, a vector of i1 bits.
  if (llvm::any_of(op->getOperandTypes(), [](Type type) {
        return getElementTypeOrSelf(type).isInteger(1);
      }))
    return std::nullopt;
  SmallVector<int64_t> loops = op.getStaticLoopRanges();
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  // Token scalars are few, and their functions must be exact to the last bit:
  // one log decay's error is that of every token (docs/Decisions/0007).
  if (output.getNumResults() < 2 || llvm::is_contained(loops, 0))
    return std::nullopt;
  auto lane = dyn_cast<AffineDimExpr>(output.getResults().back());
  if (!lane)
    return std::nullopt;
  for (AffineMap map : op.getIndexingMapsArray())
    for (AffineExpr result :
         map.getResults().drop_back(map.getNumResults() == 0 ? 0 : 1))
      if (result == lane)
        return std::nullopt;
  SmallVector<int64_t> sizes;
  for (auto [dim, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    sizes.push_back(dim == lane.getPosition()
                        ? largestDivisor(loops[dim], kTileColumns)
                    : kind == utils::IteratorType::parallel
                        ? largestDivisor(loops[dim], kTileRows)
                        : 1);
  return sizes;
}

struct VectorizeLinalgPass
    : qdelta::impl::VectorizeLinalgBase<VectorizeLinalgPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (failed(vectorize(func)))
        return signalPassFailure();
  }

private:
  LogicalResult apply(Operation *op,
                      function_ref<void(RewritePatternSet &)> populate) {
    RewritePatternSet patterns(&getContext());
    populate(patterns);
    return applyPatternsGreedily(op, std::move(patterns));
  }

  LogicalResult vectorize(func::FuncOp func) {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::LinalgOp> ops;
    func.walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops) {
      std::optional<SmallVector<int64_t>> sizes = tileSizes(op);
      if (!sizes)
        continue;
      rewriter.setInsertionPoint(op);
      auto options = linalg::LinalgTilingOptions().setTileSizes(*sizes);
      auto tiled = linalg::tileLinalgOp(rewriter, op, options);
      if (failed(tiled))
        return op.emitError("cannot be tiled for registers");
      auto vectors = linalg::vectorize(
          rewriter, tiled->op, /*inputVectorSizes=*/{},
          /*inputScalableVecDims=*/{}, /*vectorizeNDExtract=*/false,
          /*flatten1DDepthwiseConv=*/false,
          /*assumeDynamicDimsMatchVecSizes=*/false,
          /*createNamedContraction=*/true);
      if (failed(vectors))
        return op.emitError("cannot be vectorised");
      rewriter.eraseOp(tiled->op);
      rewriter.eraseOp(op);
    }
    if (failed(apply(func,
                     [](RewritePatternSet &patterns) {
                       memref::populateFoldMemRefAliasOpPatterns(patterns);
                     })) ||
        failed(apply(func, [](RewritePatternSet &patterns) {
          vector::populateVectorContractLoweringPatterns(
              patterns, vector::VectorContractLowering::OuterProduct);
          vector::populateVectorTransferPermutationMapLoweringPatterns(
              patterns);
        })))
      return failure();
    linalg::hoistRedundantVectorTransfers(func);
    qdelta::carryScalars(func);
    return apply(func, [](RewritePatternSet &patterns) {
      vector::populateVectorOuterProductLoweringPatterns(patterns);
      vector::populateVectorBroadcastLoweringPatterns(patterns);
      VectorTransferToSCFOptions toScf;
      toScf.enableFullUnroll().setTargetRank(1);
      populateVectorToSCFConversionPatterns(patterns, toScf);
      vector::populateVectorShapeCastLoweringPatterns(patterns);
      vector::populateVectorTransposeLoweringPatterns(
          patterns, vector::VectorTransposeLowering::EltWise);
    });
  }
};
} // namespace

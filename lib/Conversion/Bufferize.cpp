//===- Bufferize.cpp - tensors become buffers -----------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace qdelta {
#define GEN_PASS_DEF_BUFFERIZE
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;
using namespace mlir::bufferization;

namespace {

/// A prefetch is a hint: it neither reads nor writes, so it never causes a
/// copy.
struct PrefetchInterface
    : BufferizableOpInterface::ExternalModel<PrefetchInterface, PrefetchOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &,
                              const AnalysisState &) const {
    return false;
  }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &,
                               const AnalysisState &) const {
    return false;
  }
  AliasingValueList getAliasingValues(Operation *, OpOperand &,
                                      const AnalysisState &) const {
    return {};
  }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto prefetch = cast<PrefetchOp>(op);
    FailureOr<Value> buffer =
        getBuffer(rewriter, prefetch.getSource(), options, state);
    if (failed(buffer))
      return failure();
    createPrefetches(prefetch, *buffer, rewriter);
    rewriter.eraseOp(op);
    return success();
  }

private:
  /// One hint per token and cache line. A hint beyond the last token is of other
  /// memory or of none, and does nothing.
  static void createPrefetches(PrefetchOp op, Value buffer, OpBuilder &b) {
    Location loc = op.getLoc();
    auto index = [&](int64_t value) {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    SmallVector<Value> at(op.getIndices());
    at.push_back(op.getColumn());
    Value first = at[1], column = at[3];
    uint64_t perLine =
        64 * 8 / op.getSource().getType().getElementTypeBitWidth();
    for (uint64_t t = 0; t < op.getRows(); ++t) {
      at[1] = arith::AddIOp::create(b, loc, first, index(t));
      for (uint64_t line = 0; line < op.getWidth(); line += perLine) {
        at[3] = arith::AddIOp::create(b, loc, column, index(line));
        memref::PrefetchOp::create(b, loc, buffer, at, op.getForWrite(),
                                   /*localityHint=*/2, /*isDataCache=*/true);
      }
    }
  }
};

/// Any strides, but a unit one between the elements of a vector.
BufferLikeType argumentType(TensorLikeType type, Attribute memorySpace,
                            func::FuncOp func, const BufferizationOptions &) {
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<int64_t> strides(tensor.getRank(), ShapedType::kDynamic);
  if (tensor.getRank() % 2 == 0 && tensor.getRank() > 0)
    strides.back() = 1;
  auto layout = StridedLayoutAttr::get(tensor.getContext(),
                                       ShapedType::kDynamic, strides);
  return cast<BufferLikeType>(MemRefType::get(
      tensor.getShape(), tensor.getElementType(), layout, memorySpace));
}

struct BufferizePass : qdelta::impl::BufferizeBase<BufferizePass> {
  void runOnOperation() override {
    OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.functionArgTypeConverterFn = argumentType;
    options.opFilter.denyOperation([](Operation *op) {
      return isa<RecurrenceOp>(op) || op->getParentOfType<RecurrenceOp>();
    });
    BufferizationState state;
    if (failed(runOneShotModuleBufferize(getOperation(), options, state)))
      return signalPassFailure();
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (failed(dropResults(func)))
        return signalPassFailure();
  }

private:
  /// Results are the destination arguments themselves by now.
  LogicalResult dropResults(func::FuncOp func) {
    Operation *end = func.getBody().front().getTerminator();
    for (auto [index, result] : llvm::enumerate(end->getOperands())) {
      Value root = result;
      while (auto cast = root.getDefiningOp<memref::CastOp>())
        root = cast.getSource();
      if (isa<BlockArgument>(root))
        continue;
      if (!func->hasAttr(kRecurrenceAttr))
        return func.emitError(
            "expected a function that is one qdelta.scan over all of its "
            "arguments, in order, and returns the scan's results; any other "
            "has no kernel, only engine reference evaluates it");
      return func.emitError("result ")
             << index << " was not computed in its destination";
    }
    end->setOperands({});
    func.setType(FunctionType::get(func.getContext(),
                                   func.getFunctionType().getInputs(), {}));
    return success();
  }
};
} // namespace

void qdelta::registerBufferizableOps(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, QDeltaDialect *) {
    PrefetchOp::attachInterface<PrefetchInterface>(*context);
  });
}

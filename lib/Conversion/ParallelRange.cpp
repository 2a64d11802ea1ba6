//===- ParallelRange.cpp - entry functions compute a range of items -------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace qdelta {
#define GEN_PASS_DEF_PARALLELRANGE
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

struct ParallelRangePass : qdelta::impl::ParallelRangeBase<ParallelRangePass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (func->hasAttr(kRecurrenceAttr) && failed(convert(func)))
        return signalPassFailure();
  }

private:
  LogicalResult convert(func::FuncOp func) {
    auto loops = llvm::to_vector(func.getBody().getOps<scf::ForallOp>());
    if (loops.size() != 1 || loops[0].getRank() != 2 ||
        !loops[0].getOutputs().empty())
      return func.emitError("expected one scf.forall over batch entries and "
                            "heads on buffers");
    scf::ForallOp forall = loops[0];
    Location loc = forall.getLoc();
    OpBuilder b(forall);
    Type index = b.getIndexType();
    unsigned position = func.getNumArguments();
    for (unsigned i = 0; i < 2; ++i)
      if (failed(func.insertArgument(position + i, index, {}, loc)))
        return failure();
    Value heads =
        getValueOrCreateConstantIndexOp(b, loc, forall.getMixedUpperBound()[1]);
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    auto loop = scf::ForOp::create(b, loc, func.getArgument(position),
                                   func.getArgument(position + 1), one);
    b.setInsertionPointToStart(loop.getBody());
    Value item = loop.getInductionVar();
    Value batch = arith::DivUIOp::create(b, loc, item, heads);
    Value head = arith::RemUIOp::create(b, loc, item, heads);
    forall.getInductionVar(0).replaceAllUsesWith(batch);
    forall.getInductionVar(1).replaceAllUsesWith(head);
    Block *body = forall.getBody();
    body->getTerminator()->erase();
    loop.getBody()->getOperations().splice(std::prev(loop.getBody()->end()),
                                           body->getOperations());
    forall.erase();
    return success();
  }
};
} // namespace

//===- VerifyPhase.cpp - check the invariant of a phase -------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "PlainTiles.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"
#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSwitch.h"

namespace qdelta {
#define GEN_PASS_DEF_VERIFYPHASE
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {
enum class Phase { Recurrence, Affine, Chunked, Linalg, Buffers, Target };

/// Whether a function for GPUs is nothing but what goes with levels.
bool isLevelKernel(Phase phase, Operation *op) {
  auto func = op->getParentOfType<func::FuncOp>();
  return phase == Phase::Chunked && isa<FenwickOp, AddLevelsOp>(op) && func &&
         func.isPrivate();
}

/// The phases in which a qdelta op may stand inside a function.
bool allows(Phase phase, Operation *op) {
  if (isa<RunOpInterface>(op))
    return phase == Phase::Recurrence;
  if (isa<AffineScanOp, AffineDecayOp, AffineReadOp, AffineWriteOp, AffineMixOp,
          AffineDecayValuesOp, AffineOutputOp, AffineEndOp, FenwickOp,
          AddLevelsOp, PrescanOp, AdvanceOp, PrescanYieldOp>(op))
    return phase == Phase::Affine || isLevelKernel(phase, op);
  if (isa<ScaleOp, SplatOp, DotOp, MeanOp, RotateOp, TransposeStateOp>(op))
    return phase == Phase::Affine || phase == Phase::Chunked;
  if (isa<PrefetchOp>(op))
    return phase == Phase::Chunked || phase == Phase::Linalg;
  if (isa<TriangularSolveOp>(op))
    return phase == Phase::Linalg;
  if (auto update = dyn_cast<ChunkUpdateOp>(op);
      update && multipliesPairs(update))
    return phase == Phase::Chunked || phase == Phase::Linalg;
  return phase == Phase::Chunked;
}

/// Dialects of the functions of each phase, besides qdelta's own ops.
bool allowsDialect(Phase phase, StringRef dialect) {
  bool tensors =
      llvm::is_contained({"tensor", "arith", "math", "func"}, dialect);
  switch (phase) {
  case Phase::Recurrence:
  case Phase::Affine:
    return tensors;
  case Phase::Chunked:
    return tensors || dialect == "scf";
  case Phase::Linalg:
    return tensors || llvm::is_contained({"scf", "linalg", "vector"}, dialect);
  case Phase::Buffers:
    return llvm::is_contained({"memref", "vector", "scf", "arith", "math",
                               "func", "cf", "ub", "affine", "x86vector"},
                              dialect);
  case Phase::Target:
    return dialect == "llvm";
  }
  return false;
}

/// GPU kernels, how they are launched and their shared memory are in the LLVM
/// dialect from the buffers phase on.
bool isOfKernel(Operation *op) {
  if (op->getName().getStringRef() == "llvm.mlir.global" ||
      op->hasAttr(kStepsAttr))
    return true;
  for (; op; op = op->getParentOp())
    if (op->hasAttr("nvvm.kernel"))
      return true;
  return false;
}

struct VerifyPhasePass : qdelta::impl::VerifyPhaseBase<VerifyPhasePass> {
  using VerifyPhaseBase::VerifyPhaseBase;

  void runOnOperation() override {
    auto wanted = llvm::StringSwitch<std::optional<Phase>>(phase)
                      .Case("recurrence", Phase::Recurrence)
                      .Case("affine", Phase::Affine)
                      .Case("chunked", Phase::Chunked)
                      .Case("linalg", Phase::Linalg)
                      .Case("buffers", Phase::Buffers)
                      .Case("target", Phase::Target)
                      .Default(std::nullopt);
    if (!wanted) {
      getOperation().emitError("unknown phase '") << phase.getValue() << "'";
      return signalPassFailure();
    }
    WalkResult result =
        getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
          // Recurrences stay as symbols in every phase.
          if (isa<RecurrenceOp>(op))
            return WalkResult::skip();
          if (isa<ModuleOp>(op))
            return WalkResult::advance();
          if (*wanted == Phase::Buffers && isOfKernel(op))
            return WalkResult::advance();
          // What is a kernel itself has no chunk form.
          if (auto schedule = op->getAttrOfType<ScheduleAttr>("schedule");
              schedule && schedule.isTokenLoop() && *wanted == Phase::Chunked)
            return WalkResult::skip();
          bool ours = isa_and_nonnull<QDeltaDialect>(op->getDialect());
          if (ours
                  ? allows(*wanted, op)
                  : allowsDialect(*wanted, op->getName().getDialectNamespace()))
            return WalkResult::advance();
          op->emitOpError("is not allowed in phase '")
              << phase.getValue() << "'";
          return WalkResult::interrupt();
        });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
